"""The circuit breaker of an account: pure functions of what all workers report, the clock and the dice.

::

    closed ──too many failures──▶ open ──its pause is over, one worker claims the probe──▶ half open
      ▲                             ▲                                                        │    │
      └────the probe was answered───┼────────────────────────────────────────────────────────┘    │
                                    └──the probe failed: a longer pause───────────────────────────┘

A failure is a call that the provider did not answer, or answered with a fault of its own. A "no" to one message is an
answer. The table of constants is the whole policy; times are in seconds.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

#: Calls that are looked at: those of the last ``WINDOW``, counted by slots of ``SLOT``.
WINDOW, SLOT = 30, 5
#: It opens where so large a share of at least so many calls failed …
SHARE, LEAST_CALLS = 0.5, 20
#: … or so many in a row, nowhere one answered in between …
STREAK = 5
#: … and trouble began so long ago that all workers have been heard: one of them may be cut off from the provider.
HEARD_AFTER = 1.0
#: The first pause, doubled with each that follows, up to the longest; the dice add up to so large a part of it, so that
#: accounts of one provider are not probed in one moment.
FIRST_PAUSE, LONGEST_PAUSE, JITTER = 5.0, 300.0, 0.2
#: After so long without opening again, the next pause is a first one.
CALM = 300.0


class Switch(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The breaker of one account, as all workers share it.

    ``until`` is the end of the pause, or of the claim on the probe by ``prober``. ``pauses`` counts those in a row.
    ``window`` has calls and failures by slot; ``streak`` counts failures since the last answer, and ``trouble_since``
    is when the first of the failures known now was reported.
    """

    switch: Switch = Switch.CLOSED
    until: datetime | None = None
    prober: str = ""
    pauses: int = 0
    changed_at: datetime | None = None
    streak: int = 0
    trouble_since: datetime | None = None
    window: Mapping[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one worker has seen since its last report.

    ``slots`` are age in seconds, calls and failures; ``streak`` counts the failures since the last answer, of which
    there was one where ``answered``. ``probe`` is what the probe came to, where this worker has made one.
    """

    who: str
    slots: tuple[tuple[float, int, int], ...] = ()
    streak: int = 0
    answered: bool = False
    probe: bool | None = None


def heard(
    circuit: Circuit, report: Report, *, now: datetime, dice: Callable[[], float] = random.random
) -> Circuit:
    """The circuit after a report."""
    if circuit.switch is not Switch.CLOSED:
        if report.probe is None:  # calls that began before it opened
            return circuit
        if report.probe:
            return closed(circuit, now=now)
        return _opened(circuit, now=now, dice=dice) if circuit.prober == report.who else circuit
    counted = _counted(circuit, report, now)
    return _opened(counted, now=now, dice=dice) if _is_failing(counted, now) else counted


def claimed(circuit: Circuit, *, who: str, now: datetime, seconds: float) -> Circuit:
    """The circuit with the probe in the hands of one worker, where it is to be had; the same circuit where not.

    A claim holds for ``seconds``: longer than the call takes. Whoever died with it loses it then.
    """
    if circuit.switch is Switch.CLOSED or (circuit.until is not None and now < circuit.until):
        return circuit
    return replace(circuit, switch=Switch.HALF_OPEN, prober=who, until=now + timedelta(seconds=seconds))


def closed(circuit: Circuit, *, now: datetime) -> Circuit:
    """Calls go through again, and what failed before is forgotten."""
    return Circuit(pauses=circuit.pauses, changed_at=now)


def _opened(circuit: Circuit, *, now: datetime, dice: Callable[[], float]) -> Circuit:
    is_calm = circuit.changed_at is None or (now - circuit.changed_at).total_seconds() > CALM
    pauses = 0 if circuit.switch is Switch.CLOSED and is_calm else circuit.pauses
    seconds = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(pauses, 20)) * (1 + JITTER * dice())
    return Circuit(
        switch=Switch.OPEN,
        until=now + timedelta(seconds=seconds),
        pauses=min(pauses + 1, 20),
        changed_at=circuit.changed_at if circuit.switch is not Switch.CLOSED else now,
        streak=circuit.streak,
        trouble_since=circuit.trouble_since,
    )


def _counted(circuit: Circuit, report: Report, now: datetime) -> Circuit:
    first = int(now.timestamp() - WINDOW) // SLOT + 1
    window = {slot: counts for slot, counts in circuit.window.items() if slot >= first}
    for age, calls, failures in report.slots:
        slot = int(now.timestamp() - age) // SLOT
        if slot >= first:
            before = window.get(slot, (0, 0))
            window[slot] = (before[0] + calls, before[1] + failures)
    streak = report.streak + (0 if report.answered else circuit.streak)
    is_trouble = streak > 0 or any(failures for _, failures in window.values())
    return replace(
        circuit,
        window=window,
        streak=streak,
        trouble_since=(circuit.trouble_since or now) if is_trouble else None,
    )


def _is_failing(circuit: Circuit, now: datetime) -> bool:
    since = circuit.trouble_since
    if since is None or (now - since).total_seconds() < HEARD_AFTER:
        return False
    calls = sum(each for each, _ in circuit.window.values())
    failures = sum(each for _, each in circuit.window.values())
    return circuit.streak >= STREAK or (calls >= LEAST_CALLS and failures >= SHARE * calls)
