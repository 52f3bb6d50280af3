"""What is in doubt says so: leases that ran out, answers that came late, attempts without a known end."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pushcenter.messaging import dispatch, outcomes, sweep
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.models import AttemptOutcome, Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended
from tests import claiming, factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]


def claimed_and_lost(message: Message) -> Claimed:
    """The delivery of a message, claimed by a worker that is gone and whose lease is over."""
    [claimed] = claiming.claim(message.lane)
    Delivery.objects.filter(pk=claimed.id).update(lease_until=timezone.now() - timedelta(seconds=1))
    return claimed


def answered(claimed: Claimed) -> Ended:
    return claiming.ended(
        claimed, state=State.SENT, outcome=AttemptOutcome.SENT, due_at=None, provider_id="p-1"
    )


def an_email(**template: Any) -> Message:
    factories.template(channels=["email"], **template)
    factories.account("email")
    return factories.message(to={"email": "li@example.com"})


def test_a_lost_claim_is_sent_again_and_marked_as_a_possible_duplicate() -> None:
    message = an_email()
    delivery = claiming.row(claimed_and_lost(message))
    assert sweep.run().repeated == 1
    factories.make_due(delivery)
    dispatch.run("normal")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate, delivery.attempts) == (State.DELIVERED, True, 2)
    assert list(delivery.log.order_by("number").values_list("outcome", flat=True)) == ["lost", "sent"]


def test_what_may_have_been_sent_does_not_expire_as_if_it_had_not() -> None:
    message = an_email()
    delivery = claiming.row(claimed_and_lost(message))
    sweep.run()
    Delivery.objects.update(expires_at=timezone.now())
    swept = sweep.run()
    assert (swept.held, swept.expired) == (1, 0)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.code) == (State.IN_DOUBT, "expired")
    assert factories.figures() == {("email", "accepted"): 1, ("email", "in_doubt"): 1}


def test_an_attempt_without_a_known_end_is_remembered_however_its_provider_takes_repetitions() -> None:
    factories.template(channels=["email"])
    factories.account("email")
    delivery = factories.message(to={"email": "timeout@simulator.example"}).deliveries.get()
    dispatch.run("normal")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate, delivery.maybe_sent) == (State.PENDING, True, True)


def test_a_lost_claim_is_held_for_an_operator_where_the_template_says_so() -> None:
    message = an_email(doubt_policy="hold")
    delivery = claiming.row(claimed_and_lost(message))
    assert sweep.run().held == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (State.IN_DOUBT, 1)
    assert factories.figures()["email", "in_doubt"] == 1


def test_a_lost_claim_of_an_idempotent_channel_is_repeated_without_a_mark() -> None:
    factories.template(channels=["inbox"], doubt_policy="hold")
    factories.account("inbox", "inbox")
    factories.recipient()
    delivery = claiming.row(claimed_and_lost(factories.message()))
    sweep.run()
    factories.make_due(delivery)
    dispatch.run("normal")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate) == (State.DELIVERED, False)


def test_an_answer_that_comes_after_the_lease_ends_the_doubt() -> None:
    message = an_email(doubt_policy="hold")
    claimed = claimed_and_lost(message)
    sweep.run()
    outcomes.record([answered(claimed)])
    delivery = claiming.row(claimed)
    assert (delivery.state, delivery.provider_id) == (State.SENT, "p-1")
    assert factories.figures() == {("email", "accepted"): 1, ("email", "sent"): 1}
    assert set(message.events.values_list("kind", flat=True)) == {"lease_over", "late_answer"}


def test_an_answer_to_a_claim_that_another_worker_took_over_changes_nothing() -> None:
    message = an_email()
    first = claimed_and_lost(message)
    sweep.run()
    factories.make_due(claiming.row(first))
    [second] = claiming.claim()
    outcomes.record([answered(first)])
    assert claiming.row(second).state == State.SENDING
    outcomes.record([answered(second)])
    assert claiming.row(second).state == State.SENT


def test_a_lost_claim_without_time_left_is_held_and_not_called_expired() -> None:
    message = an_email()
    delivery = claiming.row(claimed_and_lost(message))
    Delivery.objects.filter(pk=delivery.pk).update(expires_at=timezone.now())
    assert sweep.run().held == 1
    delivery.refresh_from_db()
    assert delivery.state == State.IN_DOUBT


def test_a_call_without_a_known_end_is_repeated_and_marked() -> None:
    factories.template(channels=["email"])
    factories.account("email")
    message = factories.message(to={"email": "timeout@simulator.example"})
    dispatch.run("normal")
    delivery = message.deliveries.get()
    assert (delivery.state, delivery.maybe_duplicate) == (State.PENDING, True)
    factories.make_due(delivery)
    dispatch.run("normal")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.maybe_duplicate) == (State.DELIVERED, True)


def test_a_call_without_a_known_end_is_held_where_the_template_says_so() -> None:
    factories.template(channels=["email"], doubt_policy="hold")
    factories.account("email")
    message = factories.message(to={"email": "timeout@simulator.example"})
    dispatch.run("normal")
    assert message.deliveries.get().state == State.IN_DOUBT
