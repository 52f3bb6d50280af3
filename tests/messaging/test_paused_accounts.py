"""Credentials that the provider does not take pause the account, and somebody hears of it."""

import pytest

from channels_app.models import Account
from pushcenter.messaging import alerts, dispatch
from pushcenter.messaging.models import Alert, Delivery, Event
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_revoked_credential_pauses_the_account_is_logged_and_stands_in_the_history(
    caplog: pytest.LogCaptureFixture,
) -> None:
    factories.template(channels=["sms"])
    revoked = factories.account("sms", name="Revoked", config={"outcome": "misconfigured"})
    for number in range(2):
        factories.message(to={"phone": f"+861380013800{number}"})
    dispatch.run("normal")

    revoked.refresh_from_db()
    assert (revoked.is_paused, revoked.pause_reason) == (True, "simulated: misconfigured")
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == [
        f"the account {revoked.pk} of simulated is paused: simulated: misconfigured"
    ]
    event = Event.objects.get(kind="account_paused")
    assert event.data == {"account": str(revoked.pk), "reason": "simulated: misconfigured"}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}
    alerts.fold()
    alert = Alert.objects.get()
    assert (alert.key, alert.is_open) == (f"account:{revoked.pk}", True)
    assert alert.text == "The account Revoked is paused: simulated: misconfigured"


def test_its_deliveries_go_through_the_next_account() -> None:
    factories.template(channels=["sms"])
    factories.account("sms", name="Revoked", priority=1, config={"outcome": "misconfigured"})
    second = factories.account("sms", name="Second", priority=2)
    factories.message(to={"phone": "+8613800138000"})
    dispatch.run("normal")
    factories.make_due(Delivery.objects.get())
    dispatch.run("normal")
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.account) == ("delivered", second)
    assert Account.objects.filter(is_paused=True).count() == 1
