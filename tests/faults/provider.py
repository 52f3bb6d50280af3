"""A provider that misbehaves on purpose, and writes down every call: ``python -m tests.faults.provider LOG SEED``.

It takes webhooks (``webhook-id``) and text messages (``id`` in the body). Its port is the one line that it prints;
SIGUSR1 has it cut every connection. Each call is a line of the log before it is answered, so the log is never behind
what a caller knows.
"""

import asyncio
import json
import os
import random
import signal
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: How large a share of the calls meets with each misbehaviour; all others are answered at once.
SHARES = {
    "unavailable": 0.04,  # 503
    "error": 0.01,  # 500
    "throttle": 0.04,  # 429 with Retry-After
    "gateway": 0.01,  # takes the message and answers 504, like a proxy that lost its server
    "reset": 0.02,  # takes the message and resets the connection
    "hang": 0.01,  # takes the message and never answers
    "slow": 0.05,  # takes the message and needs its time to answer
}
FINE = "fine"
#: With these the provider has the message, whatever the caller heard.
TAKEN = frozenset({FINE, "slow", "hang", "reset", "gateway"})
STATUS = {FINE: 200, "slow": 200, "unavailable": 503, "error": 500, "throttle": 429, "gateway": 504}
#: So many calls of one message meet with misbehaviour; then it is left alone, so that most arrive in the end.
TROUBLE = 2
LONGEST_HANG_S = 60.0
#: Zero seconds of lingering make the kernel reset a connection instead of closing it.
AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Provider:
    log: int
    dice: random.Random
    calls: Counter[str] = field(default_factory=Counter)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, call after call."""
        self.open.add(writer)
        try:
            while True:
                await self._take(await read_id(reader), writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.open.discard(writer)
            writer.close()

    async def _take(self, name: str, writer: asyncio.StreamWriter) -> None:
        kind = self._mood(name)
        line = json.dumps({"at": time.time(), "id": name, "did": kind})
        os.write(self.log, f"{line}\n".encode())
        if kind == "reset":
            reset(writer)
            return
        if kind == "hang":
            await asyncio.sleep(LONGEST_HANG_S)
        if kind == "slow":
            await asyncio.sleep(self.dice.uniform(0.2, 0.9))
        writer.write(answer(STATUS.get(kind, 200), name, retry_after=self.dice.choice((1, 2))))
        await writer.drain()

    def _mood(self, name: str) -> str:
        self.calls[name] += 1
        if self.calls[name] > TROUBLE:
            return FINE
        kinds = [*SHARES, FINE]
        return self.dice.choices(kinds, [*SHARES.values(), 1 - sum(SHARES.values())])[0]

    def cut_all(self) -> None:
        for writer in list(self.open):
            reset(writer)


async def read_id(reader: asyncio.StreamReader) -> str:
    """Read one request to its end; what it calls the message."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
    body = await reader.readexactly(int(headers["content-length"]))
    return headers.get("webhook-id") or str(json.loads(body)["id"])


def reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # the caller may have closed it meanwhile
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    writer.transport.abort()


def answer(status: int, name: str, *, retry_after: int) -> bytes:
    body = json.dumps({"id": name}).encode()
    extra: Mapping[str, str] = {"Retry-After": str(retry_after)} if status == 429 else {}
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **extra}
    lines = [f"HTTP/1.1 {status} As-It-Likes", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def run(log: Path, seed: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    provider = Provider(log=descriptor, dice=random.Random(f"provider {seed}"))
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, provider.cut_all)
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2]))
