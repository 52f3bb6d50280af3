"""What is late is expired and not sent, whatever kept it."""

from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from pushcenter.messaging import claims, dispatch, sweep
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from tests import factories
from tests.access.gateway import Gateway

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _props(db: None) -> None:
    factories.template(channels=["email"])
    factories.account("email")


def a_message(**fields: Any) -> Delivery:
    return factories.message(to={"email": "li@example.com"}, **fields).deliveries.get()


def let_time_pass(delivery: Delivery, *, by: timedelta) -> None:
    """As if it had been accepted so much earlier."""
    due, expires = delivery.due_at - by, delivery.expires_at - by
    Delivery.objects.filter(pk=delivery.pk).update(due_at=due, expires_at=expires)


@pytest.mark.parametrize("minutes", [30, 61, 90, 121])
def test_a_scheduled_message_is_sent_in_its_time_and_expired_after_it(minutes: int) -> None:
    now = timezone.now()
    delivery = a_message(send_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2))
    let_time_pass(delivery, by=timedelta(minutes=minutes))
    dispatch.run("normal")
    sweep.run()
    delivery.refresh_from_db()
    expected = State.PENDING if minutes < 60 else State.DELIVERED if minutes < 120 else State.EXPIRED
    assert (delivery.state, delivery.attempts) == (expected, int(expected is State.DELIVERED))


def test_a_retry_that_would_come_too_late_is_not_tried() -> None:
    delivery = a_message()
    Delivery.objects.update(attempts=1, expires_at=timezone.now())
    assert dispatch.run("normal") == 0
    assert sweep.run().expired == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.code) == (State.EXPIRED, "expired")


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_the_moment_to_send_at_is_the_same_in_every_zone(zone: str) -> None:
    moment = (timezone.now() + timedelta(days=40)).replace(microsecond=0)
    written = moment.astimezone(ZoneInfo(zone)).isoformat()
    answer = Gateway(factories.key()[1]).send(to={"email": "li@example.com"}, send_at=written)
    message = Message.objects.get(pk=answer.json()["id"])
    assert message.send_at == moment.astimezone(UTC)
    assert message.deliveries.get().due_at == moment
    assert [each.due_at for each in claims.waiting()] == [moment]
