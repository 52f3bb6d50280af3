"""What nobody reports: lanes that are behind, workers that are gone, doubts, and accounts that are paused."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_app.models import Account
from pushcenter.messaging import alerts, lookout, stops
from pushcenter.messaging.models import Alert, Delivery, Pulse, StopKind
from pushcenter.messaging.states import State
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(db: None) -> Delivery:
    factories.recipient()
    factories.template(channels=["email"])
    factories.account("email")
    return factories.message().deliveries.get()


def due(delivery: Delivery, ago: timedelta) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(due_at=timezone.now() - ago)


def looked() -> dict[str, bool]:
    """The alerts by their key, and whether they are open."""
    lookout.run()
    alerts.fold()
    return {alert.key: alert.is_open for alert in Alert.objects.all()}


def test_where_all_is_well_there_is_no_alert(waiting: Delivery) -> None:
    assert looked() == {}


def test_a_lane_that_is_not_served_is_an_alert_until_it_is(waiting: Delivery) -> None:
    due(waiting, timedelta(seconds=590))
    assert looked() == {}
    due(waiting, timedelta(minutes=61))
    assert looked() == {"lane:normal": True}
    assert "has waited for 1 h 1 min" in Alert.objects.get().text
    Delivery.objects.update(state=State.SENT, ended_at=timezone.now())
    assert looked() == {"lane:normal": False}


def test_each_lane_has_a_limit_of_its_own(waiting: Delivery, settings: Any) -> None:
    due(waiting, timedelta(minutes=61))
    settings.LATE_SECONDS = {**settings.LATE_SECONDS, "normal": 7200}
    assert looked() == {}


def test_a_lane_that_somebody_has_stopped_is_no_alert(waiting: Delivery) -> None:
    due(waiting, timedelta(minutes=61))
    stops.stop(StopKind.LANE, "normal", by="me", reason="maintenance")
    assert looked() == {}


def test_doubts_that_pile_up_are_an_alert(waiting: Delivery, settings: Any) -> None:
    settings.IN_DOUBT_LIMIT = 0
    assert looked() == {}
    Delivery.objects.update(state=State.IN_DOUBT, ended_at=timezone.now())
    assert looked() == {"doubts": True}
    Delivery.objects.update(state=State.FAILED)
    assert looked() == {"doubts": False}


def test_an_account_that_was_paused_for_cause_is_an_alert_until_it_is_resumed(waiting: Delivery) -> None:
    Account.objects.all().pause(reason="by anna")
    assert looked() == {}
    Account.objects.all().pause(reason="wrong password")
    assert looked() == {f"account:{Account.objects.get().pk}": True}
    assert looked()
    assert Alert.objects.get().count == 1
    Account.objects.all().resume()
    assert list(looked().values()) == [False]


def test_the_first_worker_after_a_silence_tells_of_it() -> None:
    assert lookout.silent_for(timezone.now()) is None
    assert looked() == {}
    Pulse.objects.update(at=timezone.now() - timedelta(minutes=12))
    assert looked() == {"workers": True}
    assert "No worker was at work from" in Alert.objects.get().text
    assert looked() == {"workers": False}


def test_who_looks_from_outside_notices_that_no_worker_runs() -> None:
    lookout.run()
    now = timezone.now()
    assert lookout.notice_silence(now) is not None
    lookout.notice_silence(now + timedelta(minutes=4))
    alerts.fold()
    lookout.notice_silence(now + timedelta(minutes=5))
    alerts.fold()
    assert [(alert.key, alert.count) for alert in Alert.objects.all()] == [("workers", 1)]
