"""Who stores what calls came to: the dispatcher itself where it is little, and else a thread beside it.

To store a group takes as long as to claim and to render the next one, and most of that is waiting for PostgreSQL. Side
by side, each on a connection of its own, they leave no time in which the event loop has nothing to send.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from django.db import connection, connections

from pushcenter import prepared
from pushcenter.messaging import outcomes
from pushcenter.messaging.verdicts import Ended

log = logging.getLogger(__name__)
#: So few at once are stored where they are: a thread, and a connection to open, would cost more.
FEW = 50


class Recorder:
    """Stores ended claims in groups; each of them stays in hand until it is stored.

    ``told`` is called, in whatever thread, when a group is done or cannot be stored.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._news = threading.Condition()
        self._in_hand: list[Ended] = []
        self._stored: list[Ended] = []
        self._failure: Exception | None = None
        self._is_over = False
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything is in hand, or has come to an end that nobody has asked for."""
        return bool(self._in_hand or self._stored or self._failure)

    def take(self, ended: Sequence[Ended]) -> None:
        """Store these and all that is in hand, now or soon; raises what :func:`outcomes.record` does."""
        with self._news:
            self._in_hand += ended
            if self._thread:
                self._news.notify()
                return
        # Within a transaction, which is a test's, another connection would not see what is to be changed.
        if len(self._in_hand) > FEW and not connection.in_atomic_block:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()
        elif self._in_hand:
            self._store()

    def stored(self) -> list[Ended]:
        """What was stored since this was asked last. Raises what the thread has failed with: it has ended then."""
        with self._news:
            failure, self._failure = self._failure, None
            if failure is None:
                stored, self._stored = self._stored, []
                return stored
        self._join()
        raise failure

    def close(self) -> None:
        """Wait until what is in hand is stored, or cannot be."""
        with self._news:
            self._is_over = True
            self._news.notify()
        self._join()
        if self._failure:
            log.error("outcomes are left to the sweep: %s", type(self._failure).__name__)

    def _join(self) -> None:
        if self._thread:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            while self._has_work():
                prepared.keep_plans_fresh()
                self._store()
        except Exception as error:
            self._failure = error
            self._told()
        finally:
            connections.close_all()

    def _has_work(self) -> bool:
        with self._news:
            self._news.wait_for(lambda: self._in_hand or self._is_over)
            return bool(self._in_hand)

    def _store(self) -> None:
        with self._news:
            group = [*self._in_hand]
        outcomes.record(group)
        with self._news:
            del self._in_hand[: len(group)]
            self._stored += group
        self._told()
