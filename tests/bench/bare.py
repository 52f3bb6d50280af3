"""A bare aiohttp loop: the requests of the webhook adapter, made beforehand, and nothing else.

What our worker does beyond that is ours. Started as ``python -m tests.bench.bare URL COUNT IN_FLIGHT``; prints what
:class:`Bare` holds, as JSON.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import aiohttp
import uvloop

Request = tuple[dict[str, str], bytes]
#: Calls before the clock starts, so that connections are open as those of a worker are.
WARM_UP = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """Calls per second, and processor seconds of the one process that made them."""

    per_s: float
    cpu_seconds: float


def run(url: str, count: int, *, in_flight: int) -> Bare:
    """Call so often, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bare", url, str(count), str(in_flight)]
    printed = subprocess.run(command, check=True, capture_output=True, env=os.environ.copy()).stdout
    return Bare(**json.loads(printed))


def _requests(count: int) -> Iterator[Request]:
    from channels_app.adapters.http import HttpAdapter, payload
    from channels_app.contract import Address, Outgoing
    from pushcenter.ids import uuid7

    adapter = HttpAdapter({"secret": HttpAdapter.specimen.config["secret"]})
    now = datetime.now(UTC)
    for number in range(count):
        outgoing = Outgoing(
            id=str(uuid7()),
            address=Address(kind="url", value=""),
            content={"event": "order.paid", "data": {"order_no": f"SO-{number}"}},
            attempt=1,
            category="orders",
            expires_at=None,
        )
        body = payload(outgoing, now)
        yield adapter._headers(outgoing.id, int(now.timestamp()), body), body


async def _call(url: str, requests: list[Request], in_flight: int) -> Bare:
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector, headers={"User-Agent": "Push-Center"}) as session:
        await _send(session, url, requests[:WARM_UP], in_flight)
        begun, cpu = time.perf_counter(), time.process_time()
        await _send(session, url, requests[WARM_UP:], in_flight)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Bare(per_s=(len(requests) - WARM_UP) / seconds, cpu_seconds=cpu)


async def _send(session: aiohttp.ClientSession, url: str, requests: list[Request], in_flight: int) -> None:
    left = iter(requests)

    async def one_after_another() -> None:
        for headers, body in left:
            async with session.post(url, headers=headers, data=body) as response:
                await response.read()
                assert response.status == 200

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))


def _main(url: str, count: int, in_flight: int) -> None:
    import django

    django.setup()
    requests = list(_requests(count + WARM_UP))
    print(json.dumps(asdict(uvloop.run(_call(url, requests, in_flight)))))  # noqa: T201  (it is what it is for)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
