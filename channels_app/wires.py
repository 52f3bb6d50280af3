"""The connections of one event loop: made by aiohttp, kept for a while, and used again.

aiohttp looks names up and caches them, asks the resolver that checks addresses, tries the addresses in turn, and
speaks TLS; from then on the connection is a :class:`channels_app.wire.Wire`.
"""

import asyncio
from collections import deque
from time import monotonic

import aiohttp
from yarl import URL

from channels_app.wire import Answer, Lost, Wire

#: Connections that are open at once, for all destinations together.
MOST = 1000
#: Asking these twice does no harm.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
Place = tuple[str, str, int]


class Wires:
    """Connections by where they lead; ``keep`` is for how many seconds one is kept that nobody uses."""

    def __init__(self, resolver: aiohttp.abc.AbstractResolver | None, *, keep: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._connector = aiohttp.TCPConnector(limit=MOST, ttl_dns_cache=60, resolver=resolver)
        self._keep = keep
        self._open: set[Wire] = set()
        self._idle: dict[Wire, float] = {}  # in the order in which they fell idle
        self._at: dict[Place, deque[Wire]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def ask(
        self, method: str, target: URL, request: bytes, *, seconds: float, connect_seconds: float
    ) -> Answer:
        """The answer to a request. Raises aiohttp's errors where no connection comes about, then those of a wire."""
        place = (target.scheme, target.raw_host or "", target.port or 0)
        end = monotonic() + seconds
        wire = self._kept(place)
        is_new = wire is None
        if wire is None:
            wire = await self._dial(target, connect_seconds)
            seconds = end - monotonic()
        try:
            answer = await wire.ask(request, seconds=seconds, has_body=method != "HEAD")
        except Lost as lost:
            self._end(wire)
            if is_new or lost.heard or method not in REPEATABLE:
                raise
        except BaseException:
            self._end(wire)
            raise
        else:
            if wire.is_reusable:
                self._put(place, wire)
            else:
                self._end(wire)
            return answer
        self._forget(place)
        left = max(0.0, end - monotonic())
        connect_seconds = min(connect_seconds, left)
        return await self.ask(method, target, request, seconds=left, connect_seconds=connect_seconds)

    async def close(self) -> None:
        """End all connections."""
        if self._sweep:
            self._sweep.cancel()
        for wire in [*self._open]:
            self._end(wire)
        await self._connector.close()

    async def _dial(self, target: URL, seconds: float) -> Wire:
        if len(self._open) >= MOST and self._idle:
            self._end(next(iter(self._idle)))
        whom = aiohttp.ClientRequest("GET", target.with_user(None), loop=self._loop)
        try:
            connection = await self._connector.connect(
                whom, traces=[], timeout=aiohttp.ClientTimeout(connect=seconds)
            )
        except TimeoutError:
            raise aiohttp.ConnectionTimeoutError from None
        wire = Wire(connection)
        self._open.add(wire)
        return wire

    def _kept(self, place: Place) -> Wire | None:
        """The one that was used last: the others may grow old and be closed."""
        wires = self._at.get(place)
        while wires:
            wire = wires.pop()
            if self._idle.pop(wire, None) is not None:
                if wire.is_reusable:
                    return wire
                self._end(wire)
        return None

    def _put(self, place: Place, wire: Wire) -> None:
        self._idle[wire] = monotonic()
        wires = self._at.get(place)
        if wires is None:
            wires = self._at[place] = deque()
        wires.append(wire)
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._keep, self._clean)

    def _forget(self, place: Place) -> None:
        """One of them had been closed, and so may the others be: the next call makes a connection."""
        for wire in self._at.pop(place, ()):
            self._end(wire)

    def _clean(self) -> None:
        """Close what has been idle for too long, and whatever the other side has closed meanwhile."""
        now = monotonic()
        for wire, since in [*self._idle.items()]:
            if now - since >= self._keep or not wire.is_reusable:
                self._end(wire)
        for place, wires in [*self._at.items()]:
            alive = [wire for wire in wires if wire in self._idle]
            if alive:
                self._at[place] = deque(alive)
            else:
                del self._at[place]
        oldest = next(iter(self._idle.values()), None)
        self._sweep = (
            None if oldest is None else self._loop.call_later(oldest + self._keep - now, self._clean)
        )

    def _end(self, wire: Wire) -> None:
        self._idle.pop(wire, None)
        self._open.discard(wire)
        wire.close()
