"""An account whose breaker opens is an alert, and its end is told too."""

import pytest

from channels_app import health
from channels_app.breaker import Circuit, Switch
from channels_app.models import Account, AccountHealth
from pushcenter.messaging import alerts
from pushcenter.messaging.models import Alert
from tests import factories

pytestmark = pytest.mark.django_db


def turn(account: Account, switch: Switch) -> Alert:
    row, _ = AccountHealth.objects.get_or_create(account=account, defaults={"code": "503", "detail": "down"})
    row.adopt(Circuit(switch=switch))
    row.save()
    health.tell()
    alerts.run()
    return Alert.objects.get(key=f"breaker:{account.pk}")


def test_it_is_an_alert_until_the_breaker_closes() -> None:
    account = factories.account("sms", name="Twilio")
    alert = turn(account, Switch.OPEN)
    assert (alert.severity, alert.resolved_at) == ("critical", None)
    assert "Twilio" in alert.text
    assert alert.data == {"account": str(account.pk), "channel": "sms", "error": "503 down"}
    assert turn(account, Switch.HALF_OPEN).count == 1, "a probe is no news"
    assert turn(account, Switch.CLOSED).resolved_at is not None


def test_it_is_less_bad_where_another_account_takes_over() -> None:
    account = factories.account("sms", name="Twilio")
    factories.account("sms", name="Gateway")
    alert = turn(account, Switch.OPEN)
    assert alert.severity == "warning"
    assert "take over" in alert.text
