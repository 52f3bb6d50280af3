"""Group commit: what several threads want to store at the same moment is stored by one of them, in one transaction.

The first to come leads: it takes everything that waits, writes it, and hands each its result. Who comes meanwhile
waits and is in the next group. A lone caller is as fast as without this. Under load a leader waits a moment for those
who have just been served and come again: else callers would for ever be two groups that take turns, of half the size.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
R = TypeVar("R")

#: So many at most are written together.
LARGEST = 500
#: What a leader waits for company after a group of several: this share of the time that it took, and seconds at most.
SHARE, LONGEST = 1 / 3, 0.001


class _Place(Generic[T, R]):
    """One who waits: for the result, or for being told to lead."""

    __slots__ = ("gate", "item", "leads", "result")

    def __init__(self, item: T) -> None:
        self.item = item
        self.leads = False
        self.result: R | BaseException | None = None
        self.gate = threading.Lock()
        self.gate.acquire()


class Group(Generic[T, R]):
    """``work`` stores several items in one transaction and returns a result, or an exception, for each."""

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R | Exception]]) -> None:
        self._work = work
        self._mutex = threading.Lock()
        self._waiting: list[_Place[T, R]] = []
        self._busy = False
        self._linger = 0.0

    def join(self, item: T) -> R:
        """Store one item, together with what others store at this moment; raises what became of it otherwise.

        A caller that is in a transaction of its own gets its item stored in that one.
        """
        if connection.in_atomic_block:
            return _unwrapped(self._work([item])[0])
        place = _Place[T, R](item)
        with self._mutex:
            self._waiting.append(place)
            place.leads, self._busy = not self._busy, True
        if not place.leads:
            place.gate.acquire()
        if place.leads:
            self._lead()
        assert place.result is not None  # noqa: S101  (for the type checker: whoever led has set it)
        return _unwrapped(place.result)

    def _lead(self) -> None:
        if self._linger:
            time.sleep(self._linger)
        with self._mutex:
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
        begun = time.monotonic()
        try:
            results = self._results([place.item for place in group])
            served: list[tuple[_Place[T, R], R | BaseException]] = list(zip(group, results, strict=True))
        except BaseException as error:
            served = [(place, error) for place in group]  # each of them has to hear of it
        self._linger = min(LONGEST, SHARE * (time.monotonic() - begun)) if len(group) > 1 else 0.0
        with self._mutex:
            self._busy = bool(self._waiting)
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].gate.release()
        for place, result in served:
            place.result = result
            if not place.leads:
                place.gate.release()

    def _results(self, items: Sequence[T]) -> Sequence[R | BaseException]:
        try:
            return self._work(items)
        except (OperationalError, InterfaceError):  # the database is away, for all of them
            raise
        except Exception as error:
            if len(items) == 1:
                return [error]
            # One of them is to blame: each alone, so that the others do not suffer.
            return [result for item in items for result in self._results([item])]


def _unwrapped(result: R | BaseException) -> R:
    if isinstance(result, BaseException):
        raise result
    return result
