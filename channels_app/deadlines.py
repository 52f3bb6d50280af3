"""Time limits of calls, looked after by one timer for all of them.

A timer of the event loop for each call costs more than all else about its limit, and nearly every one is taken back
unused. So whoever has limits, one after the other, is looked at now and then.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from math import inf
from typing import Self
from weakref import WeakKeyDictionary

#: So late a limit may be noticed, in seconds; limits are some seconds long.
TICK = 0.05


class Limited(ABC):
    """``until`` is a moment of the monotonic clock; ``inf`` while nothing has a limit."""

    until: float = inf

    @abstractmethod
    def expire(self) -> None:
        """The moment is over; ``until`` is ``inf`` again."""


class Deadlines:
    """All that is limited on one event loop, which alone may use it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: set[Limited] = set()
        self._is_ticking = False

    def watch(self, each: Limited) -> None:
        """From now on its moment counts."""
        self._watched.add(each)
        if not self._is_ticking:
            self._is_ticking = True
            self._loop.call_later(TICK, self._tick)

    def forget(self, each: Limited) -> None:
        """It has no limits any more."""
        self._watched.discard(each)

    def _tick(self) -> None:
        now = time.monotonic()
        for each in [each for each in self._watched if each.until <= now]:
            each.until = inf
            each.expire()
        self._is_ticking = bool(self._watched)
        if self._is_ticking:
            self._loop.call_later(TICK, self._tick)


_of: "WeakKeyDictionary[asyncio.AbstractEventLoop, Deadlines]" = WeakKeyDictionary()


def of_running_loop() -> Deadlines:
    """Those of the loop on which this runs."""
    loop = asyncio.get_running_loop()
    found = _of.get(loop)
    if found is None:
        found = _of[loop] = Deadlines(loop)
    return found


class TimeLimit(Limited):
    """What ``asyncio.timeout`` does, for a task with many limits in turn: what it waits for is cancelled."""

    def __init__(self) -> None:
        self._task = asyncio.current_task()
        self._is_over = False

    def __enter__(self) -> Self:
        of_running_loop().watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        of_running_loop().forget(self)

    def begin(self, seconds: float) -> None:
        """The task may wait for so many seconds."""
        self.until = time.monotonic() + seconds

    def end(self) -> bool:
        """It waits no longer; returns whether that took too long, and is why it was cancelled."""
        self.until = inf
        is_over, self._is_over = self._is_over, False
        if is_over and self._task:
            self._task.uncancel()
        return is_over

    def expire(self) -> None:
        self._is_over = True
        if self._task:
            self._task.cancel()
