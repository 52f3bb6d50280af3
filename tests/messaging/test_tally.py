"""What is counted: each change once, in the hour of acceptance, and never a test."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from pushcenter.messaging import intake, interactions, tally
from pushcenter.messaging.models import Delivery, Message, Tally
from pushcenter.messaging.states import State
from tests import factories

HALF_PAST = datetime(2030, 1, 31, 9, 30, tzinfo=UTC)


@pytest.fixture
def message(db: None) -> Message:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    accepted = factories.message()
    Tally.objects.all().delete()
    return accepted


def figures() -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in Tally.objects.all():
        found[each.measure] += each.amount
    return {name: amount for name, amount in found.items() if amount}


PATHS: dict[str, tuple[str, dict[str, int]]] = {
    "an end is counted": ("pending failed", {"failed": 1}),
    "on the way nothing is": ("pending sending pending sending sent delivered", {}),
    "a skipped one": ("skipped", {"skipped": 1}),
    "an end that was none is taken back": ("sending in_doubt sent", {}),
    "one end follows another": ("sending in_doubt undelivered", {"undelivered": 1}),
    "a bounce that was none": ("sent undelivered delivered", {}),
    "cancelled": ("pending cancelled", {"cancelled": 1}),
    "expired": ("pending expired", {"expired": 1}),
    "nothing moved": ("failed failed", {"failed": 1}),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_a_delivery_counts_where_it_ended(message: Message, path: str, expected: dict[str, int]) -> None:
    steps: list[State | None] = [None, *map(State, path.split())]
    for before, after in pairwise(steps):
        assert after is not None
        tally.write(tally.moved(message, "email", before=before, after=after))
    assert figures() == expected


def test_acceptance_counts_each_delivery_and_what_was_skipped(message: Message) -> None:
    deliveries = list(message.deliveries.all())
    deliveries[0].state = State.SKIPPED
    tally.write(tally.accepted(message, deliveries))
    assert figures() == {"accepted": 2, "skipped": 1}
    assert {each.channel for each in Tally.objects.all()} == {"inbox", "email"}


def test_equal_changes_become_one_row_and_opposite_ones_none(message: Message) -> None:
    up = tally.Change(message=message, channel="email", measure="sent")
    down = tally.Change(message=message, channel="email", measure="sent", amount=-1)
    tally.write([up, up, up])
    assert Tally.objects.get().amount == 3
    tally.write([up, down])
    assert Tally.objects.count() == 1


def test_the_hour_is_that_of_acceptance(message: Message) -> None:
    message.accepted_at = HALF_PAST
    tally.write([tally.Change(message=message, channel="email", measure="sent")])
    row = Tally.objects.get()
    assert row.hour == HALF_PAST.replace(minute=0)
    assert (row.system_id, row.template_id) == (message.system_id, message.template_id)


def accept_test(system: intake.Caller) -> None:
    factories.message(caller=system)


def write_test(system: intake.Caller) -> None:
    message = factories.message(caller=system)
    tally.write([tally.Change(message=message, channel="email", measure="sent")])


@pytest.mark.parametrize("act", [accept_test, write_test])
def test_a_test_is_never_counted(message: Message, act: Callable[[intake.Caller], None]) -> None:
    act(intake.Caller(system_id=message.system_id, is_test=True))
    assert figures() == {}


def test_an_interaction_counts_the_first_time(message: Message) -> None:
    delivery = message.deliveries.get(channel="inbox")
    for kind in ("opened", "opened", "clicked", "replied"):
        interactions.record(delivery, kind)
    assert figures() == {"opened": 1, "clicked": 1}
    assert delivery.interactions.count() == 4


def test_openings_written_down_at_once_count_like_single_ones(message: Message) -> None:
    interactions.record(message.deliveries.get(channel="email"), "opened")
    unread = Delivery.objects.filter(message=message, opened_at=None)
    assert interactions.record_opened(unread, source="inbox") == 1
    assert interactions.record_opened(unread.all(), source="inbox") == 0
    assert figures() == {"opened": 2}
    assert Delivery.objects.filter(opened_at=None).count() == 0
