"""Each list, each page of a row and each form to add one, for somebody who may do everything."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analytics_app.models import HourlyStat
from pushcenter.access.models import Refusal
from pushcenter.messaging import alerts, stops
from pushcenter.messaging.models import Batch, StopKind
from pushcenter.recipients.models import Category, Group, Preference, Recipient, Suppression
from templates_app.models import Part
from tests import factories
from tests.admin.conftest import Sent

MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label != "auth"),
    key=lambda model: model.__name__,
)


@pytest.fixture
def everything(sent: Sent) -> None:
    system = factories.system()
    factories.key()
    HourlyStat.objects.create(
        hour=sent.message.accepted_at.replace(minute=0, second=0, microsecond=0),
        system=system,
        template=sent.message.template,
        channel="email",
        accepted=1,
    )
    Batch.objects.create(system=system, reference="night", accepted=3)
    for kind, target in (("system", str(system.pk)), ("lane", "low"), ("non_critical", "")):
        stops.stop(StopKind(kind), target, by="olga", reason="an attack")
    alerts.raise_alert("disk", "warning", "The disk is full.")
    alerts.fold()
    now = sent.message.accepted_at
    Refusal.objects.create(
        minute=now, system=system, status=429, code="rate_limited", count=3, first_at=now, last_at=now
    )
    Group.objects.create(code="vip", name="VIP")
    Part.objects.create(code="brand", name="Brand", kind="layout", category=Category.objects.get())
    person, category = Recipient.objects.get(), Category.objects.get()
    Preference.objects.create(recipient=person, category=category, channel="sms")
    Suppression.objects.create(kind="email", value="gone@example.com")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_list_and_a_row_open(model: type, everything: None, admin_client: Client) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"  # type: ignore[attr-defined]
    rows = model.objects.all()  # type: ignore[attr-defined]
    assert rows.exists()
    assert admin_client.get(reverse(f"{name}_changelist")).status_code == 200
    assert admin_client.get(
        reverse(f"{name}_changelist"), {"q": "no such thing", "period": "day"}
    ).status_code in {200, 302}
    for row in rows[:3]:
        page = reverse(f"{name}_change", args=[row.pk])
        assert admin_client.get(page, follow=True).status_code == 200
    assert admin_client.get(reverse(f"{name}_add")).status_code in {200, 403}


@pytest.mark.parametrize(
    "path", ["index", "reports", "auth_user_changelist", "auth_group_changelist", "auth_user_add"]
)
def test_the_other_pages_open(path: str, everything: None, admin_client: Client) -> None:
    assert admin_client.get(reverse(f"admin:{path}")).status_code == 200


def test_the_queues_tables_are_not_in_the_console() -> None:
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


def test_the_sidebar_shows_only_what_somebody_may_see(everything: None, as_role: object) -> None:
    page = as_role("Analysts").get(reverse("admin:index")).content.decode()  # type: ignore[operator]
    assert reverse("admin:reports") in page
    assert reverse("admin:messaging_message_changelist") not in page


def test_logging_in_leads_to_the_first_page(admin_user: User) -> None:
    client = Client()
    page = client.get(reverse("admin:login"))
    answer = client.post(page.headers["Location"], {"username": "admin", "password": "password"})
    assert answer.headers["Location"] == reverse("admin:index")
