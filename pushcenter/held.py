"""Values that hardly ever change, held in memory by each process: keys, templates, accounts.

Triggers on their tables note each change under a *topic* (``pushcenter_revision``), in the transaction that makes
it. Once in ``CHECK_EVERY`` seconds a process asks whether a topic has a new number, and if so forgets what it held.
So a change takes effect everywhere about a second after its commit, and a request costs no query for it.

Inside a transaction nothing is held: what it sees may never be committed. Numbers come from a sequence, so that none
comes twice, not even after a rollback.
"""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections

#: How old the answer to "has it changed?" may be, in seconds.
CHECK_EVERY = 1.0

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Topic(StrEnum):
    """What changes together. The migration ``pushcenter.0001_initial`` says which tables belong to which."""

    KEYS = "keys"
    TEMPLATES = "templates"
    ACCOUNTS = "accounts"


class _Watch:
    """The numbers of all topics, as they were when this process last asked."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._numbers: Mapping[str, int] = {}
        self._asked = float("-inf")

    def number(self, topic: Topic) -> int:
        if time.monotonic() - self._asked >= CHECK_EVERY:
            self._ask()
        return self._numbers.get(topic, 0)

    def _ask(self) -> None:
        # One thread asks; the others go on with what they have, unless they have nothing yet.
        if not self._asking.acquire(blocking=self._asked == float("-inf")):
            return
        try:
            if time.monotonic() - self._asked < CHECK_EVERY:
                return
            with connection.cursor() as cursor:
                cursor.execute("SELECT topic, number FROM pushcenter_revision")
                self._numbers = dict(cursor.fetchall())
            self._asked = time.monotonic()
        finally:
            self._asking.release()


_watch = _Watch()


class Held(Generic[K, V]):
    """Values of one topic by key, each loaded when it is first asked for.

    ``load`` returns the value, or None where there is none; that is not held, so that made-up keys fill no memory.
    """

    def __init__(self, topic: Topic, load: Callable[[K], V | None], *, limit: int = 10_000) -> None:
        self._topic = topic
        self._load = load
        self._limit = limit
        self._number = -1
        self._values: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, at most about a second old; raises what ``load`` raises, and database errors."""
        # Not by the proxy that is usual, which looks for the connection anew at each attribute.
        if connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return self._load(key)
        number = _watch.number(self._topic)
        if number != self._number:
            self._values, self._number = {}, number
        values = self._values
        value = values.get(key)
        if value is None:
            value = self._load(key)
            if value is not None and len(values) < self._limit:
                values[key] = value
        return value
