"""A chain whose steps wait: until sent, delivered or read, and for how long."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from channels_app.contract import Outcome
from channels_app.models import Account
from pushcenter.messaging import batches, dispatch, intake, interactions, operate, receipts, steps, sweep
from pushcenter.messaging.appointment import STEPS
from pushcenter.messaging.models import Delivery, Message, Receipt
from pushcenter.messaging.request import Item, Request
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from tests import claiming, factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]
DELIVERED = {"push": {"until": "delivered", "within": 60}}
TO = {"push_token": "simulated:sent", "email": "li@example.com", "phone": "+8613800138000"}


def chain(stored: Mapping[str, Any], *channels: str, **fields: Any) -> None:
    route = channels or ("push", "email")
    factories.template(channels=route, route_mode="first", steps=stored, **fields)
    factories.accounts(*route)


def sent(to: Mapping[str, str] = TO, **fields: Any) -> Message:
    message = factories.message(to=to, **fields)
    dispatch.run("normal")
    return message


def states(message: Message) -> dict[str, str]:
    return dict(message.deliveries.order_by("id").values_list("channel", "state"))


def let_time_pass(message: Message, channel: str = "push") -> None:
    """The time of this step is up."""
    row = message.deliveries.filter(channel=channel, step_until__isnull=False)
    assert row.update(step_until=timezone.now()) == 1
    steps.run()


def report(message: Message, outcome: Outcome, channel: str = "push") -> None:
    delivery = message.deliveries.get(channel=channel)
    with transaction.atomic():
        receipt = Receipt.objects.create(
            delivery=delivery, provider_id=delivery.provider_id, outcome=outcome.value, at=timezone.now()
        )
        receipts.apply(receipt, delivery.pk)


def test_the_clock_starts_when_the_first_channel_is_sent() -> None:
    chain(DELIVERED)
    message = sent()
    push = message.deliveries.get()
    assert push.sent_at is not None
    assert push.step_until is not None
    assert abs(push.step_until - push.sent_at - timedelta(seconds=60)) < timedelta(seconds=1)
    assert abs(OrmQ.objects.get(key=STEPS.key).lock - push.step_until) < timedelta(milliseconds=1)


def test_the_next_channel_starts_when_the_time_is_up() -> None:
    chain(DELIVERED)
    message = sent()
    let_time_pass(message)
    assert states(message) == {"push": State.SENT, "email": State.PENDING}
    assert message.events.get(kind="fallback").data == {
        "from": "push",
        "to": "email",
        "because": "not known to be delivered within 1 minute",
    }
    dispatch.run("normal")
    assert states(message)["email"] == State.DELIVERED
    assert factories.figures()["email", "accepted"] == 1


def test_nothing_starts_before_the_time_is_up() -> None:
    chain(DELIVERED)
    message = sent()
    steps.run()
    assert states(message) == {"push": State.SENT}


def test_a_delivery_that_was_reported_in_time_ends_the_chain() -> None:
    chain(DELIVERED)
    message = sent()
    report(message, Outcome.DELIVERED)
    assert message.deliveries.get().step_until is None
    steps.run()
    assert states(message) == {"push": State.DELIVERED}


def test_what_is_delivered_with_its_sending_is_not_followed() -> None:
    chain(DELIVERED)
    message = sent({**TO, "push_token": "simulated:delivered"})
    let_time_pass(message)
    assert states(message) == {"push": State.DELIVERED}


def test_a_bounce_starts_the_next_channel_at_once() -> None:
    chain(DELIVERED)
    message = sent()
    report(message, Outcome.UNDELIVERED)
    assert states(message) == {"push": State.UNDELIVERED, "email": State.PENDING}
    assert message.deliveries.get(channel="push").step_until is None


@pytest.mark.parametrize(("reads", "followed"), [(True, False), (False, True)])
def test_a_step_until_read_waits_for_the_person(*, reads: bool, followed: bool) -> None:
    chain({"push": {"until": "read", "within": 60}})
    message = sent({**TO, "push_token": "simulated:delivered"})
    if reads:
        interactions.record(message.deliveries.get(), "opened")
    else:
        let_time_pass(message)
    steps.run()
    assert (message.deliveries.count() == 2) is followed


def test_an_inbox_entry_that_was_read_ends_the_chain() -> None:
    chain({"inbox": {"until": "read", "within": 60}}, "inbox", "email")
    factories.recipient()
    message = sent({"recipient": "u-1001"})
    interactions.record_opened(Delivery.objects.filter(message=message), source="api")
    assert message.deliveries.get().step_until is None


def test_a_step_until_sent_gives_up_its_retries_when_its_time_is_up() -> None:
    chain({"push": {"until": "sent", "within": 30}})
    message = sent({**TO, "push_token": "simulated:down"})
    assert states(message) == {"push": State.PENDING}
    let_time_pass(message)
    push = message.deliveries.get(channel="push")
    assert (push.state, push.code) == (State.FAILED, "step_over")
    assert states(message)["email"] == State.PENDING
    assert factories.figures()["push", "failed"] == 1


def test_what_may_have_been_sent_is_in_doubt_when_its_time_is_up() -> None:
    chain({"push": {"until": "sent", "within": 30}})
    message = sent({**TO, "push_token": "simulated:down"})
    Delivery.objects.filter(channel="push").update(maybe_sent=True)
    let_time_pass(message)
    assert states(message) == {"push": State.IN_DOUBT, "email": State.PENDING}
    assert factories.figures()["push", "in_doubt"] == 1


def test_what_was_sent_is_enough_for_a_plain_step() -> None:
    chain({"push": {"until": "sent", "within": 30}})
    message = sent()
    let_time_pass(message)
    assert states(message) == {"push": State.SENT}


def test_the_time_in_the_queue_is_not_counted() -> None:
    chain(DELIVERED)
    message = factories.message(to=TO)
    assert message.deliveries.get().step_until is None


def test_a_channel_without_an_account_has_its_time_too() -> None:
    chain(DELIVERED)
    Account.objects.filter(channel="push").update(is_paused=True)
    message = sent()
    let_time_pass(message)
    assert states(message) == {"push": State.FAILED, "email": State.PENDING}


def test_the_last_channel_waits_for_nothing() -> None:
    chain({**DELIVERED, "email": {"until": "delivered", "within": 60}})
    message = sent({**TO, "email": "sent@simulator.example"})
    let_time_pass(message)
    dispatch.run("normal")
    email = message.deliveries.get(channel="email")
    assert (email.state, email.step_until) == (State.SENT, None)


def test_three_channels_each_in_their_turn() -> None:
    chain({**DELIVERED, "email": {"until": "delivered", "within": 60}}, "push", "email", "sms")
    message = sent({**TO, "email": "sent@simulator.example"})
    let_time_pass(message)
    dispatch.run("normal")
    let_time_pass(message, "email")
    dispatch.run("normal")
    assert states(message) == {"push": State.SENT, "email": State.SENT, "sms": State.DELIVERED}


def test_a_late_success_of_an_earlier_step_ends_the_chain_and_is_told() -> None:
    chain({**DELIVERED, "email": {"until": "delivered", "within": 60}}, "push", "email", "sms")
    message = sent({**TO, "email": "sent@simulator.example"})
    let_time_pass(message)
    dispatch.run("normal")
    report(message, Outcome.DELIVERED)
    let_time_pass(message, "email")
    assert states(message) == {"push": State.DELIVERED, "email": State.SENT}
    assert message.events.get(kind="late_success").data == {"after": "email"}


def test_a_late_success_takes_back_what_still_waits() -> None:
    chain(DELIVERED)
    message = sent()
    let_time_pass(message)
    report(message, Outcome.DELIVERED)
    report(message, Outcome.DELIVERED)
    email = message.deliveries.get(channel="email")
    assert (email.state, email.code) == (State.CANCELLED, "not_needed")
    assert message.events.get(kind="late_success").data == {"after": "email", "stopped": ["email"]}
    assert factories.figures()["email", "cancelled"] == 1


def test_a_cancelled_message_takes_no_further_channel() -> None:
    chain(DELIVERED)
    message = sent()
    operate.cancel_message(message, by="ann")
    let_time_pass(message)
    assert states(message) == {"push": State.SENT}
    assert message.deliveries.get().step_until is None


def test_a_message_without_time_takes_no_further_channel() -> None:
    chain(DELIVERED, time_to_live=1)
    message = sent()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE messaging_message DISABLE TRIGGER message_only_inserted")
    Message.objects.update(expires_at=timezone.now())
    let_time_pass(message)
    assert states(message) == {"push": State.SENT}


def test_a_paused_batch_is_given_its_time_again() -> None:
    chain(DELIVERED)
    items = {0: Item(to={**TO, "push_token": "simulated:down"}, params={"order_no": "1"})}
    request = Request(template="order-paid", to={}, params={})
    accepted = intake.accept_batch(
        request, items, caller=factories.caller(), rejected={}, skip_rejected=False
    )
    assert isinstance(accepted, intake.Batched)
    dispatch.run("normal")
    message = Message.objects.get()
    batches.pause(accepted.id, by="ann")
    let_time_pass(message)
    push = message.deliveries.get()
    assert push.state == State.PENDING
    assert push.step_until is not None
    assert push.step_until > timezone.now() + timedelta(seconds=50)


def test_a_lost_worker_starts_the_clock_too() -> None:
    chain(DELIVERED)
    message = factories.message(to=TO)
    claiming.claim(lease=0)
    sweep.run()
    let_time_pass(message)
    assert states(message) == {"push": State.IN_DOUBT, "email": State.PENDING}


def test_one_task_waits_for_many() -> None:
    chain(DELIVERED)
    for _ in range(3):
        sent()
    assert OrmQ.objects.filter(key=STEPS.key).count() == 1


def test_the_next_task_is_planned_when_one_has_run() -> None:
    chain(DELIVERED)
    sent()
    OrmQ.objects.all().delete()
    steps.run()
    assert OrmQ.objects.filter(key=STEPS.key).count() == 1


def test_without_anything_to_wait_for_no_task_waits() -> None:
    chain({})
    sent()
    steps.run()
    assert not OrmQ.objects.filter(key=STEPS.key).exists()


def test_the_trace_tells_what_is_waited_for_and_why_the_chain_went_on() -> None:
    chain(DELIVERED)
    message = sent()
    lines = {(each.kind, each.channel): each for each in timeline(message)}
    assert lines["routing", "push"].detail == "in route: until push is delivered, at most 1 minute"
    assert lines["routing", "email"].detail == "kept as fallback: until push is delivered, at most 1 minute"
    assert lines["step", "push"].detail == "unless it is delivered by then"
    let_time_pass(message)
    report(message, Outcome.DELIVERED)
    told = [each.title for each in timeline(message)]
    assert "Next channel of the route" in told
    assert "Succeeded when the next channel had started" in told
