"""What a system is permitted, and what was refused of its requests."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pushcenter.access.models import Refusal, System
from pushcenter.ids import uuid7
from tests import factories
from tests.admin.conftest import AsRole

NEW = {
    "code": "erp",
    "name": "ERP",
    "owner_email": "",
    "is_active": "on",
    "highest_priority": "normal",
    "rate": 100,
    "burst": 200,
    "max_batch": 500,
    "max_broadcast": "",
    "daily_quota": "",
}


def save(client: Client, **fields: Any) -> Any:
    return client.post(reverse("admin:access_system_add"), {**NEW, **fields})


def refusal(**fields: Any) -> Refusal:
    now = timezone.now()
    known = {
        "minute": now,
        "first_at": now,
        "last_at": now,
        "status": 429,
        "code": "rate_limited",
        "count": 1,
    }
    return Refusal.objects.create(**{**known, **fields})


def test_permissions_and_limits_are_chosen(as_role: AsRole) -> None:
    factories.template("order-paid")
    answer = save(
        as_role("Operators"),
        templates=["order-paid"],
        categories=["orders"],
        channels=["email", "inbox"],
        may_broadcast="on",
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    system = System.objects.get(code="erp")
    assert (system.templates, system.categories, system.channels) == (
        ["order-paid"],
        ["orders"],
        ["email", "inbox"],
    )
    assert (system.rate, system.burst, system.max_batch, system.daily_quota) == (100, 200, 500, None)
    assert (system.may_broadcast, system.may_address_inline) == (True, False)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"templates": ["no-such-template"]}, "templates"),
        ({"categories": ["no-such-category"]}, "categories"),
        ({"channels": ["pigeon"]}, "channels"),
        ({"rate": 0}, "rate"),
        ({"burst": -1}, "burst"),
        ({"max_batch": 10_001}, "max_batch"),
        ({"daily_quota": "many"}, "daily_quota"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    admin_client: Client, fields: dict[str, Any], field: str
) -> None:
    assert set(save(admin_client, **fields).context["adminform"].form.errors) == {field}
    assert not System.objects.exists()


def test_a_chosen_template_that_is_gone_stays_until_somebody_takes_it_out(admin_client: Client) -> None:
    system = factories.system(templates=["gone"])
    url = reverse("admin:access_system_change", args=[system.pk])
    assert "gone (no longer there)" in admin_client.get(url).content.decode()
    assert admin_client.post(url, {**NEW, "templates": ["gone"]}).status_code == 302
    system.refresh_from_db()
    assert system.templates == ["gone"]
    assert admin_client.post(url, {**NEW, "templates": []}).status_code == 302
    system.refresh_from_db()
    assert system.templates == []


def test_the_page_of_a_system_says_what_was_refused_in_the_last_hour(admin_client: Client) -> None:
    system = factories.system()
    refusal(system=system, count=1200)
    refusal(system=system, count=34, code="invalid_request", status=422)
    refusal(system=factories.system("erp"), count=5)
    page = admin_client.get(reverse("admin:access_system_change", args=[system.pk])).content.decode()
    assert "1,234 requests" in page
    assert f"system__id__exact={system.pk}" in page


SEARCHES = ["pc_live_abcdef", "pc_live_abcdefAND-THE-REST-OF-A-KEY", "shop", "request-7"]


@pytest.mark.parametrize("term", SEARCHES)
def test_refusals_are_found_by_key_system_and_request(admin_client: Client, term: str) -> None:
    wanted = refusal(system=factories.system(), prefix="pc_live_abcdef", request_id="request-7")
    refusal(prefix="pc_live_ghijkl", request_id="request-8")
    found = admin_client.get(reverse("admin:access_refusal_changelist"), {"q": term})
    assert [row.pk for row in found.context["cl"].result_list] == [wanted.pk]


@pytest.mark.parametrize(
    "query", [{"status": "429"}, {"code": "rate_limited"}, {"call": "POST /messages"}, {"period": "hour"}]
)
def test_refusals_are_filtered(admin_client: Client, query: dict[str, str]) -> None:
    wanted = refusal(call="POST /messages")
    other = refusal(status=401, code="missing_key", call="")
    found = admin_client.get(reverse("admin:access_refusal_changelist"), query)
    rows = {row.pk for row in found.context["cl"].result_list}
    assert rows == ({wanted.pk, other.pk} if "period" in query else {wanted.pk})


def test_a_value_that_a_filter_does_not_offer_does_no_harm(admin_client: Client) -> None:
    refusal()
    answer = admin_client.get(reverse("admin:access_refusal_changelist"), {"status": "' OR 1=1"})
    assert answer.status_code == 200


def test_nobody_changes_a_refusal(admin_client: Client) -> None:
    row = refusal()
    for step in ("change", "delete"):
        url = reverse(f"admin:access_refusal_{step}", args=[row.pk])
        assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert admin_client.get(reverse("admin:access_refusal_change", args=[uuid7()])).status_code == 302
