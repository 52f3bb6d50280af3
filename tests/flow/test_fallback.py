"""A route that takes the first channel that succeeds."""

import pytest
from django.db import transaction

from pushcenter.messaging import dispatch, receipts
from pushcenter.messaging.models import Message, Receipt
from pushcenter.messaging.states import State
from pushcenter.recipients.models import Suppression
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]


def states(message: Message) -> dict[str, str]:
    return dict(message.deliveries.values_list("channel", "state"))


def first_of(*channels: str) -> None:
    factories.template(channels=channels, route_mode="first")
    factories.accounts(*channels)


def test_the_second_channel_is_left_alone_while_the_first_succeeds() -> None:
    first_of("push", "email")
    message = factories.message(to={"push_token": "simulated:delivered", "email": "li@example.com"})
    dispatch.run("normal")
    assert states(message) == {"push": State.DELIVERED}


def test_the_second_channel_follows_when_the_first_fails() -> None:
    first_of("push", "email")
    message = factories.message(to={"push_token": "simulated:unreachable", "email": "li@example.com"})
    dispatch.run("normal")
    assert states(message) == {"push": State.FAILED, "email": State.DELIVERED}
    assert message.events.get().data == {"from": "push", "to": "email"}


def test_an_address_that_cannot_be_reached_is_not_tried_by_the_next_message() -> None:
    first_of("push", "email")
    to = {"push_token": "simulated:unreachable", "email": "li@example.com"}
    factories.message(to=to)
    dispatch.run("normal")
    assert Suppression.objects.get().value == "simulated:unreachable"
    second = factories.message(to=to)
    dispatch.run("normal")
    assert states(second) == {"push": State.SKIPPED, "email": State.DELIVERED}


def test_the_second_channel_follows_when_a_receipt_says_that_the_first_did_not_arrive() -> None:
    first_of("push", "email")
    message = factories.message(to={"push_token": "simulated:bounced", "email": "li@example.com"})
    dispatch.run("normal")
    dispatch.run("normal")
    assert states(message) == {"push": State.UNDELIVERED, "email": State.DELIVERED}


def test_no_channel_follows_the_last() -> None:
    first_of("push", "email")
    to = {"push_token": "simulated:refused", "email": "refused@simulator.example"}
    message = factories.message(to=to)
    dispatch.run("normal")
    assert states(message) == {"push": State.FAILED, "email": State.FAILED}
    assert factories.figures()["push", "failed"] == factories.figures()["email", "failed"] == 1


def test_a_late_receipt_does_not_undo_a_delivery() -> None:
    first_of("push", "email")
    message = factories.message(to={"push_token": "simulated:delivered", "email": "li@example.com"})
    dispatch.run("normal")
    delivery = message.deliveries.get()
    for outcome in ("sent", "undelivered"):
        receipt = Receipt.objects.create(
            delivery=delivery, provider_id=delivery.provider_id, outcome=outcome, at=message.accepted_at
        )
        with transaction.atomic():
            receipts.apply(receipt, delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == State.DELIVERED
    assert states(message) == {"push": State.DELIVERED}
