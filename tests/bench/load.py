"""A closed loop of callers: each sends its next request when the last one was answered.

The client speaks HTTP/1.1 by itself, because it shares the processor with what is measured: a tenth of what a
library costs.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Answered requests, seconds that they took in all, and the time of each in milliseconds, sorted."""

    answered: int
    seconds: float
    milliseconds: Sequence[float]

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        return self.milliseconds[min(len(self.milliseconds) - 1, int(share * len(self.milliseconds)))]


def post(url: str, secret: str, bodies: Sequence[bytes], *, callers: int) -> Load:
    """POST each of these bodies; raises where one is not accepted."""
    host, port, requests = _requests(url, secret, bodies)
    return uvloop.run(_run(host, port, requests, callers))


def paced(url: str, secret: str, bodies: Sequence[bytes], *, callers: int, per_second: float) -> Load:
    """POST so many of these bodies a second; each caller waits for its turn, and for its last answer."""
    host, port, requests = _requests(url, secret, bodies)
    return uvloop.run(_run(host, port, requests, callers, step=1 / per_second))


def _requests(url: str, secret: str, bodies: Sequence[bytes]) -> tuple[str, int, list[bytes]]:
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    requests = [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in bodies]
    return parts.hostname or "", parts.port or 80, requests


async def _run(host: str, port: int, requests: Sequence[bytes], callers: int, *, step: float = 0.0) -> Load:
    callers = min(callers, len(requests))
    run = _Run(iter(requests), every=callers * step)
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    for _ in range(callers):
        await loop.create_connection(lambda: _Caller(run), host, port)
        await asyncio.sleep(step)
    await asyncio.gather(*run.ends)
    seconds = time.perf_counter() - begun
    return Load(answered=len(run.took), seconds=seconds, milliseconds=sorted(run.took))


@dataclass(slots=True)
class _Run:
    """What the callers share: what is still to be sent, how often each sends one, and how long each took."""

    requests: Iterator[bytes]
    every: float = 0.0
    took: list[float] = field(default_factory=list)
    ends: list["asyncio.Future[None]"] = field(default_factory=list)


class _Caller(asyncio.Protocol):
    """One connection that is kept, with one request at a time."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        run.ends.append(self._end)
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        request = next(self._run.requests, None)
        if request is None:
            self._end.set_result(None)
            self._transport.close()
            return
        self._answer = b""
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._is_whole():
            return
        if not self._answer.startswith(b"HTTP/1.1 202"):
            self._fail(RuntimeError(self._answer[:2000].decode(errors="replace")))
            return
        took = time.perf_counter() - self._begun
        self._run.took.append(took * 1000)
        if self._run.every > took:
            asyncio.get_running_loop().call_later(self._run.every - took, self._next)
        else:
            self._next()

    def _is_whole(self) -> bool:
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end:
            return False
        _, _, after = head.lower().partition(b"content-length:")
        return len(body) >= int(after.split(b"\r\n", 1)[0])

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("the server closed the connection"))

    def _fail(self, error: Exception) -> None:
        if not self._end.done():
            self._end.set_exception(error)
            self._transport.close()
