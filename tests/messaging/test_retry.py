"""What follows from an attempt: tables over a pure function, with fixed dice and clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest

from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from pushcenter.lanes import Lane
from pushcenter.messaging.retry import LONGEST_PAUSE, SCHEDULE, SHORTEST_WAIT, Situation, backoff, decide
from pushcenter.messaging.verdicts import Verdict

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
END = len(SCHEDULE[Lane.NORMAL])
SURE, MAYBE = Temporary("no route"), Temporary("no answer", maybe_sent=True)


def verdict(
    result: Sent | ChannelError, *, dice: Callable[[], float] = lambda: 1.0, **changes: Any
) -> Verdict:
    given: dict[str, Any] = {
        "lane": Lane.NORMAL,
        "attempt": 1,
        "expires_at": NOW + timedelta(days=1),
        "idempotent": False,
        "hold_when_in_doubt": False,
        **changes,
    }
    return decide(result, Situation(**given), now=NOW, dice=dice)


def short(found: Verdict) -> tuple[str, float | None]:
    """The state, and after how many seconds it is tried again."""
    return found.state.value, (found.due_at - NOW).total_seconds() if found.due_at else None


@pytest.mark.parametrize(("final", "state"), [(True, "delivered"), (False, "sent")])
def test_a_sent_message_is_sent_or_delivered(final: bool, state: str) -> None:
    found = verdict(Sent(provider_id="p-1", final=final, note="250 ok"))
    assert short(found) == (state, None)
    assert (found.provider_id, found.reason, found.outcome) == ("p-1", "250 ok", "sent")


IN_TIME: dict[str, Any] = {}
LATE = {"expires_at": NOW + timedelta(seconds=5)}
OVER = {"attempt": END + 1}
#: An earlier attempt may have reached the provider.
AFTER = {"maybe_sent": True}
IDEMPOTENT, HOLD = {"idempotent": True}, {"hold_when_in_doubt": True}

TABLE: list[tuple[str, ChannelError, dict[str, Any], tuple[str, float | None], dict[str, Any]]] = [
    ("fault, in time", SURE, IN_TIME, ("pending", 5), {"outcome": "temporary", "code": "temporary"}),
    ("fault, second time", SURE, {"attempt": 2}, ("pending", 30), {}),
    ("fault, late", SURE, LATE, ("expired", None), {"code": "expired", "fall_back": False}),
    ("fault, schedule over", SURE, OVER, ("failed", None), {"fall_back": True}),
    ("fault, hold", SURE, HOLD, ("pending", 5), {"maybe_duplicate": False}),
    ("fault, another account", SURE, {"accounts": 2}, ("pending", SHORTEST_WAIT), {"outcome": "temporary"}),
    ("fault, no account is left", SURE, {"accounts": 2, "attempt": 2}, ("pending", 30), {}),
    ("doubt, another account", MAYBE, {"accounts": 2}, ("pending", 5), {"maybe_duplicate": True}),
    (
        "doubt, idempotent, another account",
        MAYBE,
        {"accounts": 2, "idempotent": True},
        ("pending", 5),
        {"maybe_duplicate": True},
    ),
    ("doubt, in time", MAYBE, IN_TIME, ("pending", 5), {"maybe_duplicate": True}),
    ("doubt, idempotent", MAYBE, IDEMPOTENT, ("pending", 5), {"maybe_duplicate": False}),
    ("doubt, hold", MAYBE, HOLD, ("in_doubt", None), {"fall_back": False}),
    ("doubt, hold, idempotent", MAYBE, HOLD | IDEMPOTENT, ("pending", 5), {"maybe_duplicate": False}),
    (
        "doubt, hold, idempotent, another account",
        MAYBE,
        HOLD | IDEMPOTENT | {"accounts": 2},
        ("in_doubt", None),
        {},
    ),
    ("doubt, late", MAYBE, LATE, ("in_doubt", None), {"fall_back": False}),
    ("doubt, schedule over", MAYBE, OVER, ("in_doubt", None), {"fall_back": False}),
    ("doubt, idempotent, schedule over", MAYBE, OVER | IDEMPOTENT, ("in_doubt", None), {}),
    ("doubt is remembered", MAYBE, IN_TIME, ("pending", 5), {"maybe_sent": True}),
    ("doubt is remembered, idempotent", MAYBE, IDEMPOTENT, ("pending", 5), {"maybe_sent": True}),
    ("fault after doubt", SURE, AFTER, ("pending", 5), {"maybe_sent": False, "maybe_duplicate": False}),
    ("fault after doubt, late", SURE, AFTER | LATE, ("in_doubt", None), {"fall_back": False}),
    ("fault after doubt, schedule over", SURE, AFTER | OVER, ("in_doubt", None), {"fall_back": False}),
    ("throttled after doubt, late", Throttled(retry_after=60), AFTER | LATE, ("in_doubt", None), {}),
    ("refused after doubt", Refused("spam"), AFTER, ("failed", None), {"fall_back": True}),
    ("throttled", Throttled(retry_after=2), IN_TIME, ("pending", 2.2), {"outcome": "throttled"}),
    ("throttled, late", Throttled(retry_after=60), LATE, ("expired", None), {}),
    ("throttled, often", Throttled(retry_after=2), {"attempt": 99}, ("pending", 2.2), {}),
    ("throttled, no wait", Throttled(retry_after=-7), IN_TIME, ("pending", 0.22), {}),
    ("unreachable", Unreachable(), IN_TIME, ("failed", None), {"suppress": "unreachable", "fall_back": True}),
    ("opted out", Unreachable(opted_out=True), IN_TIME, ("failed", None), {"suppress": "opted_out"}),
    ("refused", Refused("spam", code="550"), IN_TIME, ("failed", None), {"fall_back": True, "code": "550"}),
    ("unknown kind", ChannelError("?"), IN_TIME, ("failed", None), {"fall_back": True}),
    ("misconfigured", Misconfigured(), IN_TIME, ("pending", SHORTEST_WAIT), {"pause_account": True}),
    ("misconfigured, again", Misconfigured(), {"attempt": 2}, ("pending", 5), {"pause_account": True}),
    (
        "misconfigured, late",
        Misconfigured(),
        {"expires_at": NOW},
        ("expired", None),
        {"pause_account": True},
    ),
    (
        "one sender misconfigured",
        Misconfigured(scope=Scope.SENDER),
        IN_TIME,
        ("failed", None),
        {"fall_back": True, "pause_account": False},
    ),
    (
        "one template misconfigured",
        Misconfigured(scope=Scope.TEMPLATE),
        IN_TIME,
        ("failed", None),
        {"fall_back": True, "pause_account": False},
    ),
]


@pytest.mark.parametrize(
    ("error", "situation", "expected", "more"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_each_error_has_its_consequence(
    error: ChannelError, situation: dict[str, Any], expected: tuple[str, float | None], more: dict[str, Any]
) -> None:
    found = verdict(error, **situation)
    assert short(found) == expected
    assert {name: getattr(found, name) for name in more} == more


@pytest.mark.parametrize("lane", Lane.values)
def test_a_wait_is_drawn_from_all_of_its_step_and_the_schedule_ends(lane: str) -> None:
    waits = SCHEDULE[lane]
    for attempt, longest in enumerate(waits, start=1):
        assert backoff(lane, attempt, dice=lambda: 1.0) == timedelta(seconds=longest)
        assert backoff(lane, attempt, dice=lambda: 0.5) == timedelta(seconds=longest / 2)
        assert backoff(lane, attempt, dice=lambda: 0.0) == timedelta(seconds=SHORTEST_WAIT)
    assert backoff(lane, len(waits) + 1, dice=lambda: 1.0) is None
    assert list(waits) == sorted(waits)


def test_every_lane_has_a_schedule_and_the_urgent_ones_begin_sooner() -> None:
    firsts = [SCHEDULE[lane][0] for lane in Lane]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("retry_after", [inf, 1e300, 10**12, nan], ids=str)
def test_an_absurd_pause_is_not_believed(retry_after: float) -> None:
    late = NOW + timedelta(days=365)
    found = verdict(Throttled(retry_after=retry_after), expires_at=late, dice=lambda: 0.0)
    assert short(found) == ("pending", LONGEST_PAUSE)


def test_pauses_of_many_do_not_end_at_once() -> None:
    rolls = iter([number / 10 for number in range(10)])
    found = {verdict(Throttled(retry_after=10), dice=lambda: next(rolls)).due_at for _ in range(10)}
    assert len(found) == 10


SAID = [
    Temporary("x" * 600, code="c" * 90),
    Temporary("null \0 character"),
    Refused("half \ud800 a pair", code="\0"),
    Sent(provider_id="p" * 400, note="n" * 600),
]


@pytest.mark.parametrize("said", SAID, ids=range(len(SAID)))
def test_whatever_a_provider_says_can_be_stored(said: Sent | ChannelError) -> None:
    found = verdict(said)
    assert (len(found.provider_id) <= 300, len(found.code) <= 80, len(found.reason) <= 500) == (True,) * 3
    for text in (found.provider_id, found.code, found.reason):
        assert "\0" not in text
        text.encode()
