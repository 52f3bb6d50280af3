"""Tokens out of a bucket that many processes share: what a process holds of them, as plain arithmetic.

A bucket is a row that is filled at a rate. A process leases a block of tokens from it with one statement and spends
them without asking; while the bucket is empty it remembers until when. Leased tokens are taken from the bucket at
once: whatever the number of processes, no more is spent than the rate gives, plus the burst.
"""

import threading
from dataclasses import dataclass
from math import ceil
from typing import Protocol

#: A lease is what the rate gives in this time, in seconds, or less where less was needed; and an empty bucket is asked
#: this often.
BLOCK = 0.05
#: Leases last so long, in seconds: a token that is not spent by then is handed back with the next lease.
LEASE = 1.0
#: A store that does not answer is left alone for so long, in seconds.
AWAY = 1.0


def refilled(row: str, *, rate: str, burst: str, back: str) -> str:
    """What is in the bucket of a row at the time of the statement, in SQL, with what is handed back to it.

    The database's clock alone counts, so that those of the machines need not agree.
    """
    since = f"greatest(0, extract(epoch FROM statement_timestamp() - {row}.at))"
    return f"least({burst}, {row}.tokens + {back} + {rate} * {since})"


class Lending(Protocol):
    """How a bucket lends: its largest lease, and how long to wait after one that was less than asked for."""

    @property
    def block(self) -> int: ...

    def wait(self, left: float) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Tokens per second, how many the bucket holds, and how often it is looked at."""

    rate: float
    burst: int
    every: float = BLOCK

    @classmethod
    def of(cls, *, rate: float, burst: int, every: float = BLOCK) -> "Limit":
        # A bucket that runs over between two looks at it could not give its rate.
        return cls(rate=rate, burst=max(burst, ceil(2 * every * rate)), every=every)

    @property
    def block(self) -> int:
        """The largest lease."""
        return max(1, int(self.rate * self.every))

    def wait(self, left: float) -> float:
        """Seconds after which to ask a bucket that could not give all that was asked for."""
        return max(self.every, (1 - left) / self.rate)


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


class Purse:
    """What one process holds of one bucket's tokens. Times are seconds of a clock that is handed in."""

    __slots__ = ("_asked", "_block", "_lease", "_leased", "_left", "_next", "_tokens", "is_away", "lock")

    def __init__(self, *, lease: float = LEASE) -> None:
        self.lock = threading.Lock()
        self.is_away = False
        self._lease = lease
        self._tokens = self._leased = self._block = 0
        self._left = 0.0
        self._asked = self._next = float("-inf")

    def spend(self, now: float) -> bool:
        """Take a token out of the lease, if there is one."""
        if self.held(now) < 1:
            return False
        self._tokens -= 1
        return True

    def owe(self, number: int) -> None:
        """Take so many tokens, be they there or not: what is lacking is paid with the next lease."""
        self._tokens -= number

    def held(self, now: float) -> int:
        """How many tokens can be spent without asking."""
        return max(0, self._tokens) if now - self._asked < self._lease else 0

    def unspent(self, now: float) -> bool:
        """Are there tokens from a lease that is over, or some owed?"""
        return self._tokens < 0 or (self._tokens > 0 and now - self._asked >= self._lease)

    def wait(self, now: float) -> float:
        """Seconds until the bucket is to be asked again."""
        return max(0.0, self._next - now)

    def wish(self, limit: Lending) -> Wish:
        """What to ask for: twice as much as in a lease that was spent, else what was needed of it."""
        grown = 2 * self._leased if self._tokens < 1 else self._leased - self._tokens
        take = min(grown, limit.block) if self._leased else limit.block
        return Wish(take=take, back=self._tokens)

    def leave(self) -> Wish:
        """Ask for nothing, and settle what is left or owed."""
        return Wish(take=0, back=self._tokens)

    def fill(self, wish: Wish, grant: Grant, limit: Lending, now: float) -> None:
        """Hold what was granted; less than was asked for means that the bucket is empty."""
        self._tokens = self._leased = grant.tokens
        self._left, self._asked, self.is_away = grant.left, now, False
        if grant.tokens < wish.take:
            self._next = now + limit.wait(grant.left)

    def forgo(self, now: float) -> None:
        """The store is away: it is not asked again for a while."""
        self._tokens, self.is_away, self._next = 0, True, now + AWAY

    def remaining(self, limit: Limit, now: float) -> int:
        """About how many tokens could be had at once, as far as this process knows."""
        in_bucket = min(limit.burst, self._left + limit.rate * (now - self._asked))
        return min(limit.burst, int(in_bucket) + self._tokens)
