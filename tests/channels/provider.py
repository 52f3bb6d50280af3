"""A provider on this machine: it answers as the test says, and keeps what it was asked."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.test_utils import TestServer

from channels_app import http, registry
from channels_app.contract import Adapter, Address, ChannelError, Outgoing, Sent

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the provider was asked. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it says: ``body`` as JSON, or as it is where it is bytes."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> web.Response:
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        kind = "text/html" if isinstance(self.body, bytes) else "application/json"
        return web.Response(status=self.status, body=raw, headers={"content-type": kind, **self.headers})


#: By a part of the path; of several answers each is given once, the last for ever.
Script = Mapping[str, Answer | Sequence[Answer]]


@dataclass(slots=True)
class Provider:
    script: Script
    requests: list[Request] = field(default_factory=list)
    _given: dict[str, int] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(
            Request(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await request.read(),
            )
        )
        return self._answer(request.path).response()

    def _answer(self, path: str) -> Answer:
        for part, answers in self.script.items():
            if part in path:
                if isinstance(answers, Answer):
                    return answers
                turn = self._given.get(part, 0)
                self._given[part] = turn + 1
                return answers[min(turn, len(answers) - 1)]
        return Answer(status=404, body={"error": "the script does not know this path"})


def play(script: Script, work: Callable[[str], Awaitable[T]]) -> tuple[T, list[Request]]:
    """Do ``work`` with the provider's URL; its result, and what the provider was asked."""

    async def scene() -> tuple[T, list[Request]]:
        provider = Provider(script)
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", provider.handle)
        async with TestServer(app) as server:
            try:
                return await work(str(server.make_url("")).rstrip("/")), provider.requests
            finally:
                await http.close()

    return asyncio.run(scene())


def adapter(name: str, config: Mapping[str, Any], base_url: str = "") -> Adapter:
    """The adapter with settings as its form cleans them; what is left out has its default."""
    kind = registry.adapter(name)
    fields = kind.Config.base_fields
    data = {key: each.initial for key, each in fields.items() if each.initial is not None}
    if base_url and "base_url" in fields:
        data["base_url"] = base_url
    form = kind.Config({**data, **config})
    assert form.is_valid(), form.errors
    return kind(form.cleaned_data)


def send(
    name: str,
    config: Mapping[str, Any],
    message: Outgoing,
    script: Script,
) -> tuple[Sent | ChannelError, list[Request]]:
    """What comes of one message, and what the provider was asked."""

    async def work(base_url: str) -> Sent | ChannelError:
        try:
            return await adapter(name, config, base_url).send(message)
        except ChannelError as error:
            return error

    return play(script, work)


def outgoing(kind: str, value: str, content: Mapping[str, Any], **fields: Any) -> Outgoing:
    return Outgoing(**{"id": "d-1", "address": Address(kind=kind, value=value), "content": content, **fields})


@contextmanager
def serving(script: Script) -> Iterator[tuple[str, Provider]]:
    """The provider in a thread of its own, for code that has an event loop of its own: its URL, and itself."""
    provider = Provider(script)
    ready, stop = Event(), Event()
    url: list[str] = []

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", provider.handle)
        async with TestServer(app) as server:
            url.append(str(server.make_url("")).rstrip("/"))
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield url[0], provider
    finally:
        stop.set()
        thread.join()
