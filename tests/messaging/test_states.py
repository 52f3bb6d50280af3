"""One word for a message, from the states of its deliveries."""

from itertools import permutations

import pytest

from pushcenter.messaging.deliveries import CAN_ADVANCE_TO, CAN_BOUNCE
from pushcenter.messaging.states import IN_FLIGHT, REACHED, UNSUCCESSFUL, State, summary

TABLE = [
    ("", "skipped"),
    ("pending", "pending"),
    ("sending pending", "sending"),
    ("sent pending", "sent"),
    ("delivered sent pending failed", "delivered"),
    ("delivered in_doubt", "delivered"),
    ("pending failed", "pending"),
    ("pending in_doubt", "pending"),
    ("in_doubt failed", "in_doubt"),
    ("undelivered failed expired", "undelivered"),
    ("failed skipped", "failed"),
    ("failed expired", "failed"),
    ("expired cancelled", "expired"),
    ("cancelled skipped", "cancelled"),
    ("skipped skipped", "skipped"),
]


@pytest.mark.parametrize(("states", "word"), TABLE)
def test_the_best_that_was_reached_counts_whatever_the_order(states: str, word: str) -> None:
    for order in permutations(states.split()):
        assert summary([State(each) for each in order]) == word


@pytest.mark.parametrize("state", State)
def test_a_single_delivery_speaks_for_its_message(state: State) -> None:
    assert summary([state]) == state.value


def test_every_state_belongs_to_one_kind() -> None:
    kinds = [*IN_FLIGHT, *REACHED, *UNSUCCESSFUL, State.IN_DOUBT]
    assert sorted(kinds) == sorted(State)


def test_no_receipt_moves_a_delivery_back() -> None:
    assert State.DELIVERED not in CAN_ADVANCE_TO[State.SENT]
    assert State.SENT not in CAN_ADVANCE_TO[State.SENT]
    assert State.DELIVERED not in CAN_ADVANCE_TO[State.DELIVERED] | CAN_BOUNCE
    final = {State.SKIPPED, State.EXPIRED, State.CANCELLED, State.FAILED}
    assert not final & (CAN_ADVANCE_TO[State.SENT] | CAN_ADVANCE_TO[State.DELIVERED] | CAN_BOUNCE)
