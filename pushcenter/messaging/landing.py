"""Where flights land: filled by the event loop, emptied by the dispatcher, which is woken once and not for each."""

import threading
from collections import deque

from pushcenter.messaging.flight import Flight

NOBODY_WAITS = 1 << 31


class Landing:
    """The ends of flights, in the order in which they came."""

    def __init__(self) -> None:
        self._landed: deque[Flight] = deque()
        self._enough = threading.Event()
        self._wanted = NOBODY_WAITS

    def land(self, flight: Flight) -> None:
        """A flight has come to its end; called on the event loop."""
        self._landed.append(flight)
        if len(self._landed) >= self._wanted:
            self._enough.set()

    def wake(self) -> None:
        """There is other news; called in any thread. Nobody who waits for flights is disturbed by it."""
        if not self._wanted:
            self._enough.set()

    def wait(self, flights: int, seconds: float) -> list[Flight]:
        """What has landed: when so many flights have, or after so many seconds. With 0, when there is other news."""
        self._wanted = flights
        self._enough.clear()
        if len(self._landed) < max(1, flights):
            self._enough.wait(seconds)
        self._wanted = NOBODY_WAITS
        return [self._landed.popleft() for _ in range(len(self._landed))]
