"""Steps that several look at in the same moment: the next channel starts once, and never after a success."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from channels_app.contract import Outcome
from pushcenter.messaging import dispatch, receipts, steps
from pushcenter.messaging.models import Delivery, Message, Receipt
from pushcenter.messaging.states import State
from tests import factories
from tests.threads import PATIENCE, at_once

pytestmark = pytest.mark.django_db(transaction=True)
TO = {"push_token": "simulated:sent", "email": "sent@simulator.example", "phone": "+8613800138000"}
UNTIL_DELIVERED = {name: {"until": "delivered", "within": 60} for name in ("push", "email")}


def overdue(number: int) -> list[Message]:
    """Messages whose first channel is sent, and whose time is up."""
    factories.template(channels=["push", "email", "sms"], route_mode="first", steps=UNTIL_DELIVERED)
    factories.accounts("push", "email", "sms")
    messages = [factories.message(to=TO) for _ in range(number)]
    dispatch.run("normal")
    time_is_up("push")
    return messages


def time_is_up(channel: str) -> None:
    Delivery.objects.filter(channel=channel, step_until__isnull=False).update(step_until=timezone.now())


def report(outcome: Outcome, *delivery_ids: UUID) -> None:
    for each in delivery_ids:
        _report(each, outcome)


def _report(delivery_id: UUID, outcome: Outcome) -> None:
    with transaction.atomic():
        receipt = Receipt.objects.create(
            delivery_id=delivery_id, provider_id="p", outcome=outcome.value, at=timezone.now()
        )
        receipts.apply(receipt, delivery_id)


@contextmanager
def held(channel: str) -> Iterator[None]:
    """Somebody else has locked the deliveries of a channel."""
    has_them, may_go = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            list(Delivery.objects.filter(channel=channel).select_for_update())
            has_them.set()
            may_go.wait(PATIENCE)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    has_them.wait(PATIENCE)
    try:
        yield
    finally:
        may_go.set()
        thread.join(PATIENCE)


def channels(message: Message) -> list[str]:
    return list(message.deliveries.order_by("id").values_list("channel", flat=True))


def test_two_workers_start_the_next_channel_once() -> None:
    messages = overdue(20)
    at_once([steps.run] * 3)
    assert [channels(each) for each in messages] == [["push", "email"]] * 20


def test_a_receipt_and_the_clock_at_once_end_in_one_of_two_ways() -> None:
    messages = overdue(12)
    pushes = list(Delivery.objects.filter(channel="push").values_list("pk", flat=True))
    at_once([steps.run, lambda: report(Outcome.DELIVERED, *pushes), steps.run])
    for each in messages:
        states = dict(each.deliveries.values_list("channel", "state"))
        assert states in ({"push": State.DELIVERED}, {"push": State.DELIVERED, "email": State.CANCELLED})
        told = each.events.filter(kind="late_success").exists()
        assert told is ("email" in states)


def test_a_bounce_and_the_clock_at_once_start_one_channel() -> None:
    messages = overdue(12)
    pushes = list(Delivery.objects.filter(channel="push").values_list("pk", flat=True))
    at_once([steps.run, lambda: report(Outcome.UNDELIVERED, *pushes)])
    assert [channels(each) for each in messages] == [["push", "email"]] * 12


def test_where_another_step_is_in_somebody_elses_hands_the_decision_waits_for_a_moment() -> None:
    [message] = overdue(1)
    steps.run()
    dispatch.run("normal")
    time_is_up("email")
    with held("push"):
        steps.run()
        assert channels(message) == ["push", "email"]
    report(Outcome.DELIVERED, message.deliveries.get(channel="push").pk)
    steps.run()
    assert channels(message) == ["push", "email"]
    assert not Delivery.objects.filter(step_until__isnull=False).exists()


def test_a_failure_that_cannot_be_decided_on_is_not_forgotten() -> None:
    [message] = overdue(1)
    steps.run()
    dispatch.run("normal")
    with held("push"):
        report(Outcome.UNDELIVERED, message.deliveries.get(channel="email").pk)
        assert channels(message) == ["push", "email"]
    steps.run()
    assert channels(message) == ["push", "email", "sms"]
