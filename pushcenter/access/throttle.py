"""How many requests a system may make: a bucket of tokens, filled at its rate, that all web processes share.

The bucket is a row of an unlogged table. A process leases a block of tokens from it with one statement, and spends
them with plain arithmetic; while the bucket is empty it remembers until when, so that a flood of refused requests
costs no statement each. Leased tokens are taken from the bucket at once: whatever the number of processes, no more
is admitted than the rate, plus the burst.
"""

import logging
import os
import threading
import time
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error, connection, transaction

#: Leases last so long, in seconds: a token that is not spent by then is handed back with the next lease.
LEASE = 1.0
#: A lease is what the rate gives in this time, or less where less was needed; and an empty bucket is asked this often.
BLOCK = 0.05
#: A store that does not answer is left alone for so long, in seconds.
AWAY = 1.0
#: Milliseconds that a lease waits for another process, which holds the row for the time of one statement.
LOCK_TIMEOUT = "250ms"
log = logging.getLogger(__name__)

AVAILABLE = (
    "least(%(burst)s, b.tokens + %(back)s"
    " + %(rate)s * greatest(0, extract(epoch FROM statement_timestamp() - b.at)))"
)
GRANTED = f"least(%(take)s, floor({AVAILABLE}))"
# The database's clock alone counts, so that those of the machines need not agree. The time-out holds for this
# statement, which is a transaction of its own.
STATEMENT = f"""
INSERT INTO access_bucket AS b (system_id, tokens, granted, at)
SELECT %(system)s, %(burst)s - %(take)s, %(take)s, statement_timestamp()
 WHERE set_config('lock_timeout', '{LOCK_TIMEOUT}', true) IS NOT NULL
ON CONFLICT (system_id) DO UPDATE
   SET tokens = {AVAILABLE} - {GRANTED},
       granted = {GRANTED},
       at = greatest(b.at, statement_timestamp())
RETURNING granted, tokens
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Tokens per second, and how many the bucket holds."""

    rate: int
    burst: int

    @classmethod
    def of(cls, *, rate: int, burst: int) -> "Limit":
        # A bucket that runs over between two looks at it could not give its rate.
        return cls(rate=rate, burst=max(burst, ceil(2 * BLOCK * rate)))

    @property
    def block(self) -> int:
        """The largest lease."""
        return max(1, int(self.rate * BLOCK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a process asks of the bucket, and how many of its old tokens it hands back."""

    take: int
    back: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the bucket gave, and what stayed in it."""

    tokens: int
    left: float


class StoreAway(Exception):
    """The bucket cannot be asked, and the setting says that nothing is admitted then."""


class Purse:
    """What one process holds of one system's tokens. Times are seconds of a clock that is handed in."""

    __slots__ = ("_asked", "_block", "_leased", "_left", "_next", "_tokens", "is_away", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_away = False
        self._tokens = self._leased = self._block = 0
        self._left = 0.0
        self._asked = self._next = float("-inf")

    def spend(self, now: float) -> bool:
        """Take a token out of the lease, if there is one."""
        if self._tokens < 1 or now - self._asked >= LEASE:
            return False
        self._tokens -= 1
        return True

    def wait(self, now: float) -> float:
        """Seconds until the bucket is to be asked again."""
        return max(0.0, self._next - now)

    def wish(self, limit: Limit) -> Wish:
        """What to ask for: twice as much as in a lease that was spent, else what was needed of it."""
        grown = 2 * self._leased if self._tokens < 1 else self._leased - self._tokens
        take = min(grown, limit.block) if self._leased else limit.block
        return Wish(take=take, back=self._tokens)

    def fill(self, wish: Wish, grant: Grant, limit: Limit, now: float) -> None:
        """Hold what was granted; less than was asked for means that the bucket is empty."""
        self._tokens = self._leased = grant.tokens
        self._left, self._asked, self.is_away = grant.left, now, False
        if grant.tokens < wish.take:
            self._next = now + max(BLOCK, (1 - grant.left) / limit.rate)

    def forgo(self, now: float) -> None:
        """The store is away: it is not asked again for a while."""
        self._tokens, self.is_away, self._next = 0, True, now + AWAY

    def remaining(self, limit: Limit, now: float) -> int:
        """About how many requests may still come at once, as far as this process knows."""
        in_bucket = min(limit.burst, self._left + limit.rate * (now - self._asked))
        return min(limit.burst, int(in_bucket) + self._tokens)


_purses: dict[UUID, Purse] = {}
# A child of a fork has spent nothing of what its parent has leased.
os.register_at_fork(after_in_child=_purses.clear)


def spend(system_id: UUID, limit: Limit) -> float:
    """Take a token: 0 admits the request, else it is refused and may come again in so many seconds.

    Raises :class:`StoreAway` where ``THROTTLE_WHEN_AWAY`` is ``refuse``.
    """
    purse = _purse(system_id)
    now = time.monotonic()
    with purse.lock:
        if purse.spend(now):
            return 0.0
        if not purse.wait(now):
            _lease(purse, system_id, limit, now)
            if purse.spend(now):
                return 0.0
        if not purse.is_away:
            return purse.wait(now)
    if settings.THROTTLE_WHEN_AWAY == "refuse":
        raise StoreAway
    return 0.0


def headers(system_id: UUID, limit: Limit, *, is_refused: bool = False) -> dict[str, str]:
    """What the system may still do, by draft-ietf-httpapi-ratelimit-headers (revision 10)."""
    remaining = 0 if is_refused else _purse(system_id).remaining(limit, time.monotonic())
    until_full = max(1, ceil((limit.burst - remaining) / limit.rate))
    return {
        "RateLimit-Policy": f'"requests";q={limit.rate};w=1',
        "RateLimit": f'"requests";r={remaining};t={until_full}',
    }


def _purse(system_id: UUID) -> Purse:
    return _purses.get(system_id) or _purses.setdefault(system_id, Purse())


def _lease(purse: Purse, system_id: UUID, limit: Limit, now: float) -> None:
    wish = purse.wish(limit)
    try:
        purse.fill(wish, _ask(system_id, limit, wish), limit, now)
    except Error as error:
        log.warning("the store of the throttle is away: %s", type(error).__name__)
        purse.forgo(now)


def _ask(system_id: UUID, limit: Limit, wish: Wish) -> Grant:
    if connection.in_atomic_block:  # it goes on after an error
        with transaction.atomic():
            return _execute(system_id, limit, wish)
    return _execute(system_id, limit, wish)


def _execute(system_id: UUID, limit: Limit, wish: Wish) -> Grant:
    values: dict[str, Any] = {
        "system": system_id,
        "rate": limit.rate,
        "burst": limit.burst,
        "take": wish.take,
        "back": wish.back,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, values)
        tokens, left = cursor.fetchone()
    return Grant(tokens=tokens, left=left)
