"""What one worker has seen of an account since its last report. The calls of all workers are judged together."""

from channels_app.breaker import SLOT, WINDOW, Report

#: Slots that are kept: those that a report can still use.
KEPT = WINDOW // SLOT + 2


class Watch:
    """Calls and failures by time; times are seconds of a clock that is handed in."""

    __slots__ = ("_answered", "_now", "_slots", "_streak", "_until", "failures")

    def __init__(self) -> None:
        self._slots: dict[int, list[int]] = {}
        self.clear()

    def clear(self) -> None:
        self._slots.clear()
        self._now, self._until = [0, 0], float("-inf")
        self._streak = self.failures = 0
        self._answered = False

    def answered(self, now: float) -> None:
        self._slot(now)[0] += 1
        self._streak, self._answered = 0, True

    def failed(self, now: float) -> None:
        slot = self._slot(now)
        slot[0] += 1
        slot[1] += 1
        self._streak += 1
        self.failures += 1

    def __bool__(self) -> bool:
        return bool(self._slots)

    def report(self, who: str, now: float, *, probe: bool | None = None) -> Report:
        """All of it; the watch begins anew."""
        slots = tuple(
            (max(0.0, now - (slot + 1) * SLOT), calls, failures)
            for slot, (calls, failures) in self._slots.items()
        )
        report = Report(who=who, slots=slots, streak=self._streak, answered=self._answered, probe=probe)
        self.clear()
        return report

    def _slot(self, now: float) -> list[int]:
        if now < self._until:
            return self._now
        number = int(now // SLOT)
        self._now, self._until = self._slots.setdefault(number, [0, 0]), (number + 1) * SLOT
        if len(self._slots) > KEPT:
            del self._slots[min(self._slots)]
        return self._now
