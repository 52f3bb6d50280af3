"""Tokens that a provider gives for credentials: fetched once, shared, and fetched anew when called stale.

An adapter asks for one by name and says how to fetch it. In a worker the tokens live in the database, so that
all processes share them; :class:`MemoryTokens` serves an adapter that was made by hand.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

#: A token is renewed this long before its end, in seconds, or at four fifths of its life where that is sooner.
RENEW_BEFORE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a provider gave: the token, and the ``seconds`` for which it holds from now."""

    value: str
    seconds: float

    @property
    def renew_after(self) -> float:
        """Seconds from now after which somebody should fetch the next one."""
        return max(self.seconds - RENEW_BEFORE_S, self.seconds * 0.8)


Fetch = Callable[[], Awaitable[Token]]


class Tokens(Protocol):
    """The tokens of one account."""

    async def get(self, name: str, fetch: Fetch, *, refused: str = "") -> str:
        """The token of this name, fetched where there is none that holds.

        ``refused`` is the value that the provider has just called stale: it is fetched anew, unless somebody
        else has already done so. What ``fetch`` raises comes through.
        """
        ...


class MemoryTokens:
    """Tokens of one adapter in one process; those who wait for the same token wait for one call."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, name: str, fetch: Fetch, *, refused: str = "") -> str:
        async with self._locks.setdefault(name, asyncio.Lock()):
            value, until = self._held.get(name, ("", 0.0))
            if value and value != refused and self._clock() < until:
                return value
            token = await fetch()
            self._held[name] = (token.value, self._clock() + token.renew_after)
            return token.value
