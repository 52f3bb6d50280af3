"""Alerts in the console: what is open, who is told, and how somebody gets on the list."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from pushcenter.messaging import alerts, operators
from pushcenter.messaging.models import Alert, Severity
from pushcenter.recipients.models import Recipient
from tests import factories
from tests.admin.conftest import AsRole

pytestmark = pytest.mark.django_db
LIST, OPERATOR = "admin:messaging_alert_changelist", "admin:messaging_alert_operator"


@pytest.fixture
def alert(db: None) -> Alert:
    factories.accounts("inbox", "email")
    alerts.raise_alert("disk", Severity.CRITICAL, "The disk is full.", {"free": "0 MB", "hosts": ["a", "b"]})
    alerts.run()
    return Alert.objects.get()


def seen(client: Client, name: str, *args: object) -> str:
    return unescape(client.get(reverse(name, args=args)).content.decode())


def subscribe(client: Client, **fields: object) -> str:
    data = {"person": "e-7", "name": "Ada", "email": "ada@example.com", "channels": ["email"], **fields}
    return unescape(client.post(reverse(OPERATOR), data, follow=True).content.decode())


def test_the_list_says_what_is_open_and_that_nobody_is_told(as_role: AsRole, alert: Alert) -> None:
    page = seen(as_role("Operators"), LIST)
    assert all(text in page for text in ("The disk is full.", "critical", "Nobody: alerts stand"))


def test_an_operator_subscribes_and_is_told(as_role: AsRole, alert: Alert) -> None:
    client = as_role("Operators")
    assert "is told from now on" in subscribe(client)
    person = Recipient.objects.get(external_id="e-7")
    assert [each.channel for each in operators.reach(person) if each.choice == "chosen"] == ["email"]
    alerts.raise_alert("other", Severity.WARNING, "Another.")
    alerts.run()
    page = seen(client, "admin:messaging_alert_change", Alert.objects.get(key="other").pk)
    assert all(text in page for text in ("Ada", "Email", "of its beginning"))


def test_a_subscription_is_changed_and_ended(as_role: AsRole, alert: Alert) -> None:
    client = as_role("Operators")
    subscribe(client)
    url = reverse(OPERATOR) + "?person=e-7"
    assert "ada@example.com" in client.get(url).content.decode()
    client.post(url, {"name": "Ada L", "email": "", "channels": ["inbox"]})
    person = Recipient.objects.get()
    assert person.name == "Ada L"
    assert [each.channel for each in operators.reach(person) if each.choice == "chosen"] == ["inbox"]
    assert "told nothing any more" in client.post(url, {"remove": "1"}, follow=True).content.decode()
    assert operators.people() == []


def test_an_address_that_is_none_is_refused(as_role: AsRole, alert: Alert) -> None:
    assert "pc-error" in subscribe(as_role("Operators"), email="nonsense")
    assert not Recipient.objects.exists()


def test_who_may_not_change_recipients_subscribes_nobody(as_role: AsRole, alert: Alert) -> None:
    for role in ("Analysts", "Template editors"):
        assert as_role(role).get(reverse(OPERATOR)).status_code == 403


def test_an_operator_ends_an_alert(as_role: AsRole, alert: Alert) -> None:
    client = as_role("Operators")
    assert "0 MB" in seen(client, "admin:messaging_alert_change", alert.pk)
    url = reverse("admin:messaging_alert_end", args=[alert.pk])
    page = client.post(url, {"_form_submitted": "True"}, follow=True).content.decode()
    assert "The alert is resolved." in page
    assert not Alert.objects.get().is_open


def test_open_and_resolved_ones_are_told_apart(as_role: AsRole, alert: Alert) -> None:
    client = as_role("Operators")
    for state, number in (("open", 1), ("resolved", 0), ("nonsense", 1)):
        found = client.get(reverse(LIST), {"state": state})
        assert found.context["cl"].result_count == number
    assert client.get(reverse(LIST), {"q": "disk"}).context["cl"].result_count == 1
