"""Operators stop and resume in the console, and everybody with the right to it sees what is stopped, by whom, why."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pushcenter.messaging import batches, stops
from pushcenter.messaging.models import Batch, Delivery, Stop, StopKind
from tests import factories
from tests.admin.conftest import AsRole

pytestmark = pytest.mark.django_db
LIST = "/admin/messaging/stop/"


def act(client: Client, name: str, *args: Any, **data: str) -> Any:
    return client.post(reverse(f"admin:{name}", args=args), {"_form_submitted": "on", **data})


def holding() -> list[tuple[str, str, str]]:
    rows = Stop.objects.filter(ended_at=None).order_by("id")
    return [(each.kind, each.by, each.reason) for each in rows]


def test_the_switch_is_one_click_with_a_reason(as_role: AsRole) -> None:
    client = as_role("Operators")
    assert "Stop all that is not critical" in client.get(LIST).content.decode()
    assert act(client, "messaging_stop_stop_all").status_code == 200  # the question again
    assert holding() == []
    act(client, "messaging_stop_stop_all", reason="an attack")
    assert holding() == [("non_critical", "user-0", "an attack")]
    page = client.get(LIST).content.decode()
    assert "Resume all that is not critical" in page
    assert "an attack" in page
    act(client, "messaging_stop_resume_all")
    assert holding() == []
    assert "Nothing is stopped" in client.get(LIST).content.decode()


def test_a_lane_is_paused_and_resumed(as_role: AsRole) -> None:
    client = as_role("Operators")
    act(client, "messaging_stop_stop_lane", lane="low", reason="too much")
    [stop] = Stop.objects.all()
    assert (stop.kind, stop.target) == ("lane", "low")
    act(client, "messaging_stop_resume", stop.pk, reason="enough room")
    stop.refresh_from_db()
    assert (stop.ended_by, stop.end_reason) == ("user-0", "enough room")


@pytest.mark.parametrize(
    ("kind", "name"), [("template", "templates_app_template"), ("system", "access_system")]
)
def test_a_template_and_a_system_are_paused_on_their_pages(as_role: AsRole, kind: str, name: str) -> None:
    row = factories.template() if kind == "template" else factories.system()
    client, page = as_role("Operators"), reverse(f"admin:{name}_change", args=[row.pk])
    pause, resume = (reverse(f"admin:{name}_{each}", args=[row.pk]) for each in ("pause", "resume"))
    before = client.get(page).content.decode()
    assert (pause in before, resume in before) == (True, False)
    act(client, f"{name}_pause", row.pk, reason="a wrong price")
    assert holding() == [(kind, "user-0", "a wrong price")]
    after = client.get(page).content.decode()
    assert "by user-0: a wrong price" in after
    assert (pause in after, resume in after) == (False, True)
    assert page in client.get(LIST).content.decode()
    act(client, f"{name}_resume", row.pk)
    assert holding() == []


def test_the_page_and_the_overview_show_all_that_is_stopped(as_role: AsRole) -> None:
    account = factories.account("email")
    account.__class__.objects.filter(pk=account.pk).pause(reason="by paul: no more money")
    batch = Batch.objects.create(system=factories.system(), reference="night", accepted=3)
    batches.pause(batch.pk, by="oscar", reason="a wrong price")
    stops.stop(StopKind.LANE, "low", by="olga", reason="too much")
    client = as_role("Operators")
    page, overview = client.get(LIST).content.decode(), client.get("/admin/").content.decode()
    for text in ("night", "oscar", "a wrong price", "olga", "too much", "paul", "no more money"):
        assert text in page
        assert text in overview


@pytest.mark.parametrize("role", ["Analysts", "Template editors", "Approvers"])
def test_others_neither_see_nor_stop(as_role: AsRole, role: str) -> None:
    template = factories.template()
    client = as_role(role)
    assert client.get(LIST).status_code == 403
    for name, args in (
        ("messaging_stop_stop_all", []),
        ("messaging_stop_stop_lane", []),
        ("templates_app_template_pause", [template.pk]),
    ):
        assert act(client, name, *args, reason="x", lane="low").status_code == 403
    assert holding() == []


def test_a_stopped_lane_is_not_shown_as_stuck(as_role: AsRole) -> None:
    factories.account("email")
    factories.template(channels=["email"])
    factories.recipient()
    factories.message()
    Delivery.objects.update(due_at=timezone.now() - timedelta(hours=1))
    client = as_role("Operators")
    assert "Deliveries wait" in client.get("/admin/").content.decode()
    stops.stop(StopKind.LANE, "normal", by="olga", reason="x")
    assert "Everything flows" in client.get("/admin/").content.decode()
