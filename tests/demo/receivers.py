"""The bundled outside world on free ports, in a thread of the test's process."""

import asyncio
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from threading import Event, Thread

from pushcenter.demo.client import Client
from pushcenter.demo.outside import HOST, Place, outside_world
from tests.flow.world import free_port

ORIGIN = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    status: int
    headers: HTTPMessage
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    place: Place

    @property
    def api(self) -> Client:
        return Client(host=HOST, port=self.place.http_port)

    def page(
        self, path: str, *, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Page:
        connection = HTTPConnection(HOST, self.place.http_port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return Page(status=reply.status, headers=reply.headers, body=reply.read().decode())
        finally:
            connection.close()

    def deliver(self, mail: bytes, *, to: str = "li@example.com") -> None:
        with smtplib.SMTP(HOST, self.place.smtp_port, local_hostname="localhost") as link:
            link.sendmail("shop@example.com", [to], mail)


@contextmanager
def receivers(folder: Path) -> Iterator[Receivers]:
    place = Place(folder=folder, smtp_port=free_port(), http_port=free_port(), origin=ORIGIN)
    loop, started, end = asyncio.new_event_loop(), Event(), asyncio.Event()

    async def serve() -> None:
        async with outside_world(place):
            started.set()
            await end.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = Thread(target=run)
    thread.start()
    try:
        assert started.wait(10)
        yield Receivers(place=place)
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
