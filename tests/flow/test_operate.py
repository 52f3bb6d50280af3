"""What an operator does by hand."""

import pytest
from django.utils import timezone

from pushcenter.messaging import dispatch, operate
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]


def a_message_to(address: str, **template: str) -> tuple[Message, Delivery]:
    factories.template(channels=["email"], doubt_policy=template.get("doubt_policy", "resend"))
    factories.account("email")
    message = factories.message(to={"email": address})
    return message, message.deliveries.get()


def test_what_waits_can_be_cancelled_and_is_then_not_sent() -> None:
    message, delivery = a_message_to("li@example.com")
    assert operate.cancel([delivery.pk], by="olga") == 1
    assert dispatch.run("normal") == 0
    delivery.refresh_from_db()
    assert delivery.state == State.CANCELLED
    assert timeline(message)[-1].title == "Cancelled"
    assert factories.figures() == {("email", "accepted"): 1, ("email", "cancelled"): 1}


def test_what_was_sent_cannot_be_cancelled() -> None:
    _, delivery = a_message_to("li@example.com")
    dispatch.run("normal")
    assert operate.cancel([delivery.pk], by="olga") == 0


def test_what_is_in_doubt_can_be_sent_again_with_a_mark() -> None:
    message, delivery = a_message_to("timeout@simulator.example", doubt_policy="hold")
    dispatch.run("normal")
    assert operate.send_again([delivery.pk], by="olga") == 1
    dispatch.run("normal")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate) == (State.DELIVERED, True)
    assert "An operator had it sent again" in [entry.title for entry in timeline(message)]
    assert factories.figures().get(("email", "in_doubt"), 0) == 0


def test_a_doubt_can_be_closed() -> None:
    _, delivery = a_message_to("timeout@simulator.example", doubt_policy="hold")
    dispatch.run("normal")
    assert operate.close_as_failed([delivery.pk], by="olga") == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.code) == (State.FAILED, "closed")


def test_what_failed_can_be_sent_again_without_a_mark() -> None:
    _, delivery = a_message_to("refused@simulator.example")
    dispatch.run("normal")
    assert operate.send_again([delivery.pk], by="olga") == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate) == (State.PENDING, False)


def test_what_has_expired_is_not_sent_again() -> None:
    _, delivery = a_message_to("refused@simulator.example")
    dispatch.run("normal")
    Delivery.objects.update(expires_at=timezone.now())
    assert operate.send_again([delivery.pk], by="olga") == 0


def test_a_channel_that_fails_again_starts_no_third_one_while_the_second_has_the_message() -> None:
    factories.template(channels=["push", "email", "sms"], route_mode="first")
    factories.accounts("push", "email", "sms")
    to = {"push_token": "simulated:refused", "email": "li@example.com", "phone": "+8613800138000"}
    message = factories.message(to=to)
    dispatch.run("normal")
    operate.send_again([message.deliveries.get(channel="push").pk], by="olga")
    dispatch.run("normal")
    states = dict(message.deliveries.values_list("channel", "state"))
    assert states == {"push": State.FAILED, "email": State.DELIVERED}
