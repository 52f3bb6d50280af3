"""A provider in a process of its own that takes every POST, as cheaply as Python can.

``/timed/…`` is remembered with the moment at which it came; ``GET /received`` tells. Started as
``python -m tests.bench.provider PORT LATENCY_MS``.
"""

import asyncio
import json
import sys
import time
import urllib.request
from typing import cast

import uvloop

TIMED = b"/timed/"
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


def received(url: str) -> dict[str, float]:
    """When each timed path was called first, in seconds since 1970."""
    with urllib.request.urlopen(f"{url}/received", timeout=30) as answer:
        moments: dict[str, float] = json.load(answer)
    return moments


class _Connection(asyncio.Protocol):
    def __init__(self, moments: dict[str, float], latency: float) -> None:
        self._moments = moments
        self._latency = latency
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end or len(rest) < (length := _length(head)):
            return
        self._buffer = rest[length:]
        method, path, _ = head.split(b" ", 2)
        if method == b"GET":
            self._transport.write(_told(self._moments))
            return
        if path.startswith(TIMED):
            self._moments.setdefault(path.decode(), time.time())
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, TAKEN)
        else:
            self._transport.write(TAKEN)


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.split(b"\r\n", 1)[0]) if after else 0


def _told(moments: dict[str, float]) -> bytes:
    body = json.dumps(moments).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def _serve(port: int, latency: float) -> None:
    moments: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(moments, latency), "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2]) / 1000))
