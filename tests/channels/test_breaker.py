"""The circuit breaker, by tables, with a clock and dice that are handed in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels_app.breaker import (
    CALM,
    FIRST_PAUSE,
    HEARD_AFTER,
    JITTER,
    LONGEST_PAUSE,
    WINDOW,
    Circuit,
    Report,
    Switch,
    claimed,
    closed,
    heard,
)

NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
SINCE = NOW - timedelta(seconds=HEARD_AFTER)


def report(calls: int = 0, failures: int = 0, *, age: float = 0.0, **fields: Any) -> Report:
    """So many calls, so long ago; unless told otherwise the failures came last."""
    given = {"streak": failures, "answered": calls > failures, **fields}
    return Report(who="a", slots=((age, calls, failures),) if calls else (), **given)


def after(*reports: Report, circuit: Circuit | None = None, dice: float = 0.0) -> Circuit:
    found = circuit or Circuit(trouble_since=SINCE)
    for each in reports:
        found = heard(found, each, now=NOW, dice=lambda: dice)
    return found


OPENS: list[tuple[str, tuple[Report, ...], bool]] = [
    ("nothing happened", (), False),
    ("all was answered", (report(100, 0),), False),
    ("four in a row", (report(4, 4),), False),
    ("five in a row", (report(5, 5),), True),
    ("five in a row, told by several", (report(2, 2), report(3, 3)), True),
    ("an answer in between, elsewhere", (report(3, 3), report(1, 0), report(3, 3)), False),
    ("an answer came last", (report(9, 5, streak=0),), False),
    ("half of twenty", (report(20, 10, streak=1),), True),
    ("half of twenty, told by several", (report(10, 10, streak=1, answered=True), report(10, 0)), True),
    ("less than half", (report(40, 19, streak=1),), False),
    ("half of nineteen", (report(19, 12, streak=1),), False),
    ("half of twenty, but long ago", (report(20, 20, age=WINDOW + 6, streak=0, answered=True),), False),
    ("half, but others fare well", (report(15, 15, streak=1, answered=True), report(100, 0)), False),
]


@pytest.mark.parametrize(("reports", "opens"), [row[1:] for row in OPENS], ids=[row[0] for row in OPENS])
def test_it_opens_when_too_much_fails(reports: tuple[Report, ...], opens: bool) -> None:
    assert (after(*reports).switch is Switch.OPEN) is opens


def test_it_does_not_open_before_all_workers_have_been_heard() -> None:
    first = after(report(50, 50), circuit=Circuit())
    assert first.switch is Switch.CLOSED
    assert first.trouble_since == NOW
    later = heard(first, report(1, 1), now=NOW + timedelta(seconds=HEARD_AFTER))
    assert later.switch is Switch.OPEN


def test_trouble_is_over_when_its_failures_are_long_ago() -> None:
    troubled = after(report(10, 3), circuit=Circuit())
    later = heard(troubled, report(10, 0), now=NOW + timedelta(seconds=WINDOW + 5))
    assert (troubled.trouble_since, later.trouble_since) == (NOW, None)


def opened(**fields: Any) -> Circuit:
    return Circuit(**{"switch": Switch.OPEN, "until": NOW, "pauses": 1, "changed_at": NOW, **fields})


def probing(**fields: Any) -> Circuit:
    until = NOW + timedelta(seconds=40)
    return opened(**{"switch": Switch.HALF_OPEN, "prober": "a", "until": until, **fields})


def test_calls_from_before_it_opened_change_nothing() -> None:
    for circuit in (opened(), probing()):
        assert after(report(50, 0), circuit=circuit) == circuit
        assert after(report(50, 50), circuit=circuit) == circuit


def test_one_worker_gets_the_probe_when_the_pause_is_over() -> None:
    early = opened(until=NOW + timedelta(seconds=1))
    assert claimed(early, who="a", now=NOW, seconds=40) == early
    ours = claimed(opened(), who="a", now=NOW, seconds=40)
    assert (ours.switch, ours.prober) == (Switch.HALF_OPEN, "a")
    assert claimed(ours, who="b", now=NOW + timedelta(seconds=39), seconds=40) == ours
    assert claimed(ours, who="b", now=NOW + timedelta(seconds=40), seconds=40).prober == "b"
    assert claimed(Circuit(), who="a", now=NOW, seconds=40) == Circuit()


def test_an_answered_probe_closes_it() -> None:
    circuit = after(report(probe=True), circuit=probing(pauses=3))
    assert circuit == Circuit(pauses=3, changed_at=NOW)


PAUSES = [(1, 10), (2, 20), (3, 40), (5, 160), (6, LONGEST_PAUSE), (20, LONGEST_PAUSE)]


@pytest.mark.parametrize(("pauses", "seconds"), PAUSES)
def test_a_failed_probe_makes_the_pause_longer(pauses: int, seconds: float) -> None:
    for dice in (0.0, 1.0):
        circuit = after(report(probe=False), circuit=probing(pauses=pauses), dice=dice)
        assert circuit.switch is Switch.OPEN
        assert circuit.until == NOW + timedelta(seconds=seconds * (1 + JITTER * dice))


def test_somebody_elses_late_probe_cannot_open_it_again() -> None:
    circuit = probing(prober="b")
    assert after(report(probe=False), circuit=circuit) == circuit
    assert after(report(probe=True), circuit=circuit).switch is Switch.CLOSED


@pytest.mark.parametrize(("calm", "seconds"), [(CALM - 10, 4 * FIRST_PAUSE), (CALM + 10, FIRST_PAUSE)])
def test_the_pause_is_short_again_after_a_calm(calm: float, seconds: float) -> None:
    was = closed(probing(pauses=2), now=NOW - timedelta(seconds=calm))
    troubled = after(report(6, 6), circuit=was)
    later = NOW + timedelta(seconds=HEARD_AFTER)
    circuit = heard(troubled, report(1, 1), now=later, dice=lambda: 0.0)
    assert circuit.until == later + timedelta(seconds=seconds)
