"""What is stopped, as a worker knows it while its calls wait for a place: no call starts for it any more.

A claim asks the database itself. What was claimed before may wait long for a place of its account, so whoever serves
a lane keeps this knowledge fresh, and a call that finds it too old waits until it is not.
"""

import asyncio
import time
from collections.abc import Iterable
from uuid import UUID

from pushcenter import prepared
from pushcenter.messaging import stops
from pushcenter.messaging.claims import Claimed

STOPPED = "SELECT id FROM messaging_batch WHERE is_stopped"
#: Seconds for which the answer of the database holds.
ASK_EVERY = 0.5
#: No call relies on an older one.
TOO_OLD = 1.5
POLL = 0.05


class Control:
    """The batches that are stopped, and with :mod:`pushcenter.messaging.stops` all else that is."""

    def __init__(self) -> None:
        self._stopped: frozenset[UUID] = frozenset()
        self._asked = float("-inf")

    def refresh(self) -> None:
        """Ask again, if the last answer is no longer new."""
        now = time.monotonic()
        if now - self._asked >= ASK_EVERY:
            self._stopped = frozenset(UUID(pk) for (pk,) in prepared.rows(STOPPED))
            stops.current()
            self._asked = now

    def claimed(self, batches: Iterable[UUID]) -> None:
        """These were not stopped when their deliveries were claimed, just now."""
        self._stopped -= frozenset(batches)

    def stops(self, claimed: Claimed) -> bool:
        """Whether a call for it that waits for its place must not start."""
        known = stops.seen()
        if claimed.lane in known.lanes or known.holds_claimed(claimed):
            return True
        return (
            bool(self._stopped) and claimed.batch_id is not None and UUID(claimed.batch_id) in self._stopped
        )

    @property
    def is_clear(self) -> bool:
        """Whether nothing at all is stopped."""
        known = stops.seen()
        return not (self._stopped or known.lanes or known.ids)

    @property
    def is_fresh(self) -> bool:
        """Whether a call may rely on the knowledge."""
        return time.monotonic() - self._asked <= TOO_OLD

    async def fresh(self) -> None:
        """Wait until the knowledge is not too old."""
        while not self.is_fresh:  # noqa: ASYNC110  (another thread refreshes it)
            await asyncio.sleep(POLL)


control = Control()
