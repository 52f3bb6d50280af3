"""A provider on this machine that misbehaves on purpose, over real HTTP.

It answers well, as the adapter's specimen says, until the call comes that hands the message over: there it does what
the scenario asks for.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

#: What the provider asks us to wait, in seconds.
PAUSE_S = 70
REDIRECTED = "/elsewhere"
HTML = b"<!doctype html><title>Something went wrong</title>"

Act = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Provider:
    """One scenario: ``act`` takes the place of the good answer at ``path``."""

    answers: Mapping[str, Any]
    path: str = ""
    act: Act | None = None
    asked: list[str] = field(default_factory=list)
    #: The call has come that the scenario is about.
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        self.asked.append(request.path)
        if request.path == self.path:
            self.reached.set()
        if self.act is not None and request.path == self.path:
            with suppress(ConnectionError):  # an answer that somebody has heard enough of
                return await self.act(request)
        return answer(self._good(request.path))

    def _good(self, path: str) -> Any:
        return next((value for part, value in self.answers.items() if part in path), {})


def answer(value: Any, status: int = 200, **headers: str) -> web.Response:
    """JSON, or bytes as they are."""
    if isinstance(value, bytes):
        return web.Response(status=status, body=value, content_type="text/html", headers=headers)
    return web.Response(
        status=status, body=json.dumps(value).encode(), content_type="application/json", headers=headers
    )


@asynccontextmanager
async def serving(provider: Provider) -> AsyncIterator[Provider]:
    """The provider at a free port of this machine."""
    # What hangs, hangs until nobody listens any more or the scenario is over. (Nought would mean for ever.)
    server = web.Server(provider.handle, handler_cancellation=True)
    runner = web.ServerRunner(server, shutdown_timeout=0.05)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        provider.url = f"http://{host}:{port}"
        yield provider
    finally:
        await runner.cleanup()


def status(code: int, value: Any = None, **headers: str) -> Act:
    async def act(_request: web.BaseRequest) -> web.StreamResponse:
        return answer({} if value is None else value, code, **headers)

    return act


async def silence(_request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")


async def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Break off after the request was read: it may have been worked on."""
    assert request.transport is not None  # noqa: S101
    request.transport.abort()
    await asyncio.Event().wait()
    raise AssertionError("the connection is gone")


async def endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def slow_down_at_a_date(_request: web.BaseRequest) -> web.StreamResponse:
    moment = datetime.now(UTC) + timedelta(seconds=PAUSE_S)
    return answer({}, 429, **{"retry-after": format_datetime(moment, usegmt=True)})
