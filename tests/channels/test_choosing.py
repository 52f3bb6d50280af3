"""Which account is chosen, by tables."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from channels_app.choosing import Candidate, choose

A, B, C, D = (UUID(int=number) for number in range(1, 5))
NAMES = {A: "a", B: "b", C: "c", D: "d", None: ""}


def candidates(**changes: dict[str, Any]) -> list[Candidate]:
    """Two of the first rank, one of the second and one of the third, with what is said of each."""
    ranks = {"a": (A, 1), "b": (B, 1), "c": (C, 2), "d": (D, 3)}
    return [
        Candidate(id=account, priority=rank, weight=1, **changes.get(name, {}))
        for name, (account, rank) in ranks.items()
    ]


ILL: dict[str, Any] = {"is_healthy": False, "room": 0}
FULL: dict[str, Any] = {"room": 0}
TABLE: list[tuple[str, dict[str, dict[str, Any]], float, str]] = [
    ("all are well: the first rank", {}, 0.0, "a"),
    ("all are well: the first rank shares", {}, 0.99, "b"),
    ("one is ill: its equal", {"a": ILL}, 0.0, "b"),
    ("one is full: its equal", {"a": FULL}, 0.0, "b"),
    ("a rank that is ill is passed over", {"a": ILL, "b": ILL}, 0.0, "c"),
    ("two ranks that are ill are passed over", {"a": ILL, "b": ILL, "c": ILL}, 0.0, "d"),
    ("a rank that is full is waited for", {"a": FULL, "b": FULL}, 0.0, ""),
    ("a rank of which one is ill and one full is waited for", {"a": ILL, "b": FULL}, 0.0, ""),
    ("a second rank that is full is waited for", {"a": ILL, "b": ILL, "c": FULL}, 0.0, ""),
    ("all are ill: wait", {"a": ILL, "b": ILL, "c": ILL, "d": ILL}, 0.0, ""),
]


@pytest.mark.parametrize(
    ("changes", "dice", "chosen"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_first_rank_that_is_well(changes: dict[str, dict[str, Any]], dice: float, chosen: str) -> None:
    found = choose(candidates(**changes), dice=lambda: dice)
    assert NAMES[found.id if found else None] == chosen


AFTER: list[tuple[str, UUID, dict[str, dict[str, Any]], str]] = [
    ("its equal first", A, {}, "b"),
    ("then the next rank", B, {}, "c"),
    ("after the last the first", D, {}, "a"),
    ("not one that is ill", A, {"b": ILL, "c": ILL}, "d"),
    ("one with room", A, {"b": FULL}, "c"),
    ("wait for the others", A, {"b": FULL, "c": FULL, "d": FULL}, ""),
    ("the same where there is no other", A, {"b": ILL, "c": ILL, "d": ILL}, "a"),
    ("one that is gone: as if none had failed", UUID(int=9), {}, "a"),
]


@pytest.mark.parametrize(
    ("failed", "changes", "chosen"), [row[1:] for row in AFTER], ids=[row[0] for row in AFTER]
)
def test_after_a_failure_the_next_one(failed: UUID, changes: dict[str, dict[str, Any]], chosen: str) -> None:
    found = choose(candidates(**changes), failed=failed, dice=lambda: 0.0)
    assert NAMES[found.id if found else None] == chosen


def test_a_rank_shares_by_weight() -> None:
    heavy, light = (Candidate(id=each, priority=1, weight=weight) for each, weight in ((A, 3), (B, 1)))
    counted: Counter[UUID] = Counter()
    for step in range(100):
        found = choose([heavy, light], dice=lambda step=step: step / 100)  # type: ignore[misc]
        assert found is not None
        counted[found.id] += 1
    assert counted == {A: 75, B: 25}


def test_without_candidates_there_is_nothing_to_choose() -> None:
    assert choose([]) is None
