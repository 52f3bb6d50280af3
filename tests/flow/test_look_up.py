"""Doubt that is resolved by asking the provider."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone
from django_q.models import OrmQ

from channels_app import registry
from channels_app.channels import SMS
from channels_app.contract import (
    Adapter,
    Capabilities,
    ChannelError,
    Outcome,
    Outgoing,
    Receipt,
    Sent,
    Temporary,
)
from channels_app.models import Account
from pushcenter.messaging import dispatch, doubt, operate, outcomes, receipts, retry, sweep
from pushcenter.messaging.appointment import DOUBT
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from tests import claiming, factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]
TO = {"phone": "+8613800138000"}


class BooksAdapter(Adapter):
    """Breaks off every call, and keeps books that can be asked."""

    name = "books"
    label = "Books"
    channel = SMS
    capabilities = Capabilities(lookup=True, timeout=1)
    said: Sent | ChannelError | float | None = None
    asked: list[Outgoing] = []

    async def send(self, message: Outgoing) -> Sent:
        raise Temporary("broken off", code="reset", maybe_sent=True)

    async def lookup(self, message: Outgoing) -> Sent | None:
        self.asked.append(message)
        if isinstance(self.said, float):
            await asyncio.sleep(self.said)
            return None
        if isinstance(self.said, ChannelError):
            raise self.said
        return self.said


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch) -> Account:
    known = {**registry.adapters(), BooksAdapter.name: BooksAdapter}
    monkeypatch.setattr(registry, "adapters", lambda: known)
    monkeypatch.setattr(BooksAdapter, "asked", [])
    return factories.account("sms", "books")


def says(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr(BooksAdapter, "said", answer)


def in_doubt(**template: Any) -> Message:
    """A message whose attempt has no known end."""
    factories.template(channels=["sms"], **template)
    message = factories.message(to=TO)
    dispatch.run("normal")
    return message


def ask(*, after: float = 10) -> int:
    """So many seconds after the doubt began, a worker asks."""
    now = timezone.now()
    Delivery.objects.filter(look_up_at__isnull=False).update(
        look_up_at=now, ended_at=now - timedelta(seconds=after)
    )
    return doubt.run()


def delivery() -> Delivery:
    return Delivery.objects.get()


@pytest.mark.usefixtures("books")
def test_an_attempt_without_a_known_end_waits_until_its_provider_is_asked() -> None:
    in_doubt()
    row = delivery()
    assert row.state == State.IN_DOUBT
    assert row.look_up_at is not None
    assert timedelta(seconds=8) < row.look_up_at - timezone.now() < timedelta(seconds=11)
    assert OrmQ.objects.filter(key=DOUBT.key).count() == 1
    assert doubt.run() == 0


@pytest.mark.usefixtures("books")
def test_what_is_found_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    message = in_doubt()
    says(monkeypatch, Sent(provider_id="b-1"))
    assert ask() == 1
    row = delivery()
    assert (row.state, row.provider_id, row.maybe_duplicate, row.attempts) == (State.SENT, "b-1", False, 1)
    assert factories.figures() == {("sms", "accepted"): 1, ("sms", "sent"): 1}
    assert "Found at the provider: it was sent" in [each.title for each in timeline(message)]
    (asked,) = BooksAdapter.asked
    assert (asked.id, asked.address.value) == (str(row.pk), TO["phone"])
    assert isinstance(asked.tried_at, datetime)


@pytest.mark.usefixtures("books")
def test_what_the_provider_tells_with_it_is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    in_doubt()
    says(monkeypatch, Sent(receipts=[Receipt(outcome=Outcome.DELIVERED, at=timezone.now())]))
    ask()
    assert delivery().state == State.DELIVERED


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_what_was_not_taken_is_sent_again_without_a_mark(policy: str) -> None:
    message = in_doubt(doubt_policy=policy)
    ask()
    row = delivery()
    assert (row.state, row.maybe_duplicate, row.look_up_at) == (State.PENDING, False, None)
    assert factories.figures() == {("sms", "accepted"): 1}
    assert message.events.filter(kind="not_taken").exists()


@pytest.mark.usefixtures("books")
def test_what_was_not_taken_and_has_no_retry_left_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    in_doubt()
    monkeypatch.setitem(retry.SCHEDULE, "normal", ())
    ask()
    assert (delivery().state, delivery().code) == (State.FAILED, "not_taken")


@pytest.mark.usefixtures("books")
def test_what_was_not_taken_of_a_cancelled_message_is_cancelled() -> None:
    message = in_doubt()
    operate.cancel_message(message, by="ann")
    ask()
    assert delivery().state == State.CANCELLED


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("answer", [Temporary("books closed"), ValueError("a bug"), 5.0])
def test_a_provider_that_cannot_tell_is_asked_later(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    in_doubt()
    monkeypatch.setattr(BooksAdapter, "capabilities", Capabilities(lookup=True, timeout=0.05))
    if isinstance(answer, ValueError):

        async def broken(_self: BooksAdapter, _message: Outgoing) -> Sent:
            raise answer

        monkeypatch.setattr(BooksAdapter, "lookup", broken)
    says(monkeypatch, answer)
    ask()
    row = delivery()
    assert row.state == State.IN_DOUBT
    assert row.look_up_at is not None
    assert timedelta(seconds=15) < row.look_up_at - timezone.now() < timedelta(seconds=21)


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("policy", "state", "marked"), [("resend", State.PENDING, True), ("hold", State.IN_DOUBT, False)]
)
def test_one_that_never_can_tell_leaves_it_to_the_policy(
    monkeypatch: pytest.MonkeyPatch, policy: str, state: State, *, marked: bool
) -> None:
    in_doubt(doubt_policy=policy)
    says(monkeypatch, Temporary("books lost"))
    ask(after=3601)
    row = delivery()
    assert (row.state, row.maybe_duplicate, row.look_up_at) == (state, marked, None)


@pytest.mark.usefixtures("books")
def test_a_receipt_that_comes_first_ends_the_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    in_doubt()
    rows = doubt._take(timezone.now() + timedelta(minutes=1))
    assert len(rows) == 1
    receipts.advance(Delivery.objects.locked(rows[0].pk), State.DELIVERED, timezone.now())
    doubt._settle(rows[0].pk, None)
    assert delivery().state == State.DELIVERED


def test_a_lost_worker_is_answered_for_by_the_provider(
    books: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.template(channels=["sms"])
    message = factories.message(to=TO)
    claiming.claim(lease=0)
    Delivery.objects.update(account=books)
    swept = sweep.run()
    assert (swept.held, swept.asked, swept.repeated) == (1, 1, 0)
    assert message.deliveries.get().log.get().account == books
    says(monkeypatch, Sent(provider_id="b-1"))
    ask()
    assert (delivery().state, delivery().maybe_duplicate) == (State.SENT, False)


@pytest.mark.usefixtures("books")
def test_without_a_known_account_the_policy_decides() -> None:
    factories.template(channels=["sms"])
    factories.message(to=TO)
    claiming.claim(lease=0)
    swept = sweep.run()
    assert (swept.asked, swept.repeated) == (0, 1)
    assert delivery().maybe_duplicate


@pytest.mark.usefixtures("books")
def test_many_are_asked_about_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.template(channels=["sms"])
    for _ in range(16):
        factories.message(to=TO)
    dispatch.run("normal")
    says(monkeypatch, 0.5)
    began = timezone.now()
    assert ask() == 16
    assert timezone.now() - began < timedelta(seconds=6)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"pending"}


@pytest.mark.parametrize(
    ("answer", "state"), [(Sent(provider_id="b-1"), State.SENT), (None, State.CANCELLED)]
)
def test_what_was_cancelled_after_an_attempt_without_a_known_end_is_asked_about(
    books: Account, monkeypatch: pytest.MonkeyPatch, answer: Sent | None, state: State
) -> None:
    factories.template(channels=["sms"])
    message = factories.message(to=TO)
    [claimed] = claiming.claim()
    outcomes.record(
        [msgspec.structs.replace(claiming.ended(claimed, maybe_sent=True), account_id=str(books.pk))]
    )
    operate.cancel_message(message, by="shop")
    says(monkeypatch, answer)
    assert ask() == 1
    assert delivery().state == state
