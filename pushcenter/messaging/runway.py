"""Where the flights of one account wait for their turn: lined up by the dispatcher, taken by the event loop.

A dispatcher looks after an account some thirty times a second. So that places which become free in between do not
stay empty until then, it may line up as many flights as landed since its last look: a fast provider finds the next
ones waiting, and behind one that hangs nothing gathers. The most urgent goes first, whenever it came.
"""

from collections import deque
from functools import lru_cache
from typing import Generic, TypeVar

from pushcenter.lanes import Lane

F = TypeVar("F")
#: The share of an account's places that a lane may fill.
SHARE: dict[str, float] = {Lane.CRITICAL: 1.0, Lane.HIGH: 0.95, Lane.NORMAL: 0.9, Lane.LOW: 0.8}
#: So long, in seconds, flights may wait for a place at the pace at which others land; the pace is that of such a time.
AHEAD, LOOK_EVERY = 0.1, 0.02


class Runway(Generic[F]):
    """``places`` is how many may be in the air at once; ``now`` is when it opens, by the clock of :meth:`ahead`."""

    def __init__(self, places: int, now: float = float("-inf")) -> None:
        self.places = places
        self._landed = 0
        self._looked = now
        self._pace = 0.0
        self._in_air = 0
        self._waiting: dict[str, deque[F]] = {lane: deque() for lane in Lane.values}

    def free(self, lane: str) -> int:
        """How many flights of this lane could begin at once; below nought where some of it have to wait already."""
        before = self._in_air
        for each, waiting in self._waiting.items():
            before += len(waiting)
            if each == lane:
                break
        return self._share(lane) - before

    def line_up(self, lane: str, flight: F) -> None:
        """Wait for a turn; called by the dispatcher."""
        self._waiting[lane].append(flight)

    def take(self) -> F | None:
        """The next one, where it has a place; called on the event loop, as is :meth:`land`."""
        for lane, waiting in self._waiting.items():
            if waiting:
                if self._in_air >= self._share(lane):
                    return None
                self._in_air += 1
                return waiting.popleft()
        return None

    def land(self) -> None:
        """One has come back, and leaves its place."""
        self._in_air -= 1
        self._landed += 1

    def ahead(self, now: float) -> int:
        """How many are likely to land in the time for which flights line up; to be asked by the dispatcher alone."""
        passed = now - self._looked
        if passed >= LOOK_EVERY:
            landed, self._landed = self._landed, 0
            self._pace, self._looked = landed / passed, now
        return int(self._pace * AHEAD)

    def _share(self, lane: str) -> int:
        return _share(self.places, lane)


@lru_cache(maxsize=1024)
def _share(places: int, lane: str) -> int:
    return max(1, int(places * SHARE[lane]))
