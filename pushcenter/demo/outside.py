"""The outside world of a trial: a mail server and a receiver of webhooks, with pages that show what came.

Both listen on loopback only and keep what they received in the data folder.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP

from pushcenter.demo.kept import kept
from pushcenter.demo.stores import Receiver, Sink
from pushcenter.demo.views import application
from pushcenter.demo.webhooks import new_secret

LARGEST_MAIL = 2 * 1024 * 1024
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the outside world lives. ``origin`` is Push Center's own, whose images mails may show."""

    folder: Path
    smtp_port: int
    http_port: int
    origin: str

    def secret(self) -> str:
        return receiver_secret(self.folder)


def receiver_secret(folder: Path) -> str:
    """The secret that webhooks to the receiver are signed with; made at the first call."""
    return kept(folder / "webhook.secret", new_secret)


@asynccontextmanager
async def outside_world(place: Place) -> AsyncIterator[None]:
    """Both servers, for the block; raises ``OSError`` where a port cannot be listened on."""
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sink = Sink(place.folder / "mail")
    receiver = Receiver(place.folder / "webhooks", place.secret())
    runner = web.AppRunner(
        application(sink, receiver, origin=place.origin), access_log=None, shutdown_timeout=1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, place.http_port).start()
        smtp = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                sink,
                hostname="localhost",
                ident="Push Center demo",
                data_size_limit=LARGEST_MAIL,
                enable_SMTPUTF8=True,
            ),
            HOST,
            place.smtp_port,
        )
        try:
            yield
        finally:
            smtp.close()
    finally:
        await runner.cleanup()


async def serve(place: Place) -> None:
    """Runs until SIGTERM or SIGINT."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    async with outside_world(place):
        await end.wait()
