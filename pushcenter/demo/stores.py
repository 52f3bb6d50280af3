"""What keeps the mails and the calls. Summaries stay in memory, so that a list need not read hundreds of files."""

import time
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from pushcenter.demo.mails import Mail, read_mail
from pushcenter.demo.shelf import KEPT, Shelf
from pushcenter.demo.webhooks import Call, fault_of


class Missing(LookupError):
    """Nothing is kept under this number."""


class Sink:
    """Takes every mail, as the handler of the SMTP server."""

    def __init__(self, folder: Path) -> None:
        self._shelf = Shelf(folder, ".eml")
        self._summaries: OrderedDict[int, dict[str, Any]] = OrderedDict()
        for number in sorted(self._shelf.newest_first()):
            self._remember(number, self._shelf.get(number) or b"")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        delivered_to = "".join(f"Delivered-To: {address}\r\n" for address in envelope.rcpt_tos)
        raw = delivered_to.encode(errors="replace") + raw
        number = self._shelf.add(raw)
        self._remember(number, raw)
        return f"250 2.0.0 kept as mail {number}"

    def newest(self) -> list[dict[str, Any]]:
        return list(reversed(self._summaries.values()))

    def raw(self, number: int) -> bytes:
        return present(self._shelf.get(number))

    def mail(self, number: int) -> Mail:
        return read_mail(number, self.raw(number))

    def _remember(self, number: int, raw: bytes) -> None:
        self._summaries[number] = read_mail(number, raw).summary()
        while len(self._summaries) > KEPT:
            self._summaries.popitem(last=False)


class Receiver:
    """Takes webhooks, believes only those whose signature holds, and keeps both kinds with the verdict."""

    def __init__(self, folder: Path, secret: str) -> None:
        self._shelf = Shelf(folder, ".json")
        self._secret = secret
        self._summaries: OrderedDict[int, dict[str, Any]] = OrderedDict()
        for number in sorted(self._shelf.newest_first()):
            self._remember(number, self.call(number))

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        call = self._judged(request, body)
        self._remember(self._shelf.add(call.dump()), call)
        if call.is_verified:
            return web.Response(status=204)
        return web.Response(status=401, text=call.fault)

    def newest(self) -> list[dict[str, Any]]:
        return list(reversed(self._summaries.values()))

    def call(self, number: int) -> Call:
        return Call.load(present(self._shelf.get(number)))

    def _judged(self, request: web.Request, body: bytes) -> Call:
        headers = {name.lower(): value for name, value in request.headers.items()}
        fault = fault_of(secret=self._secret, headers=headers, body=body, now=time.time())
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Call(at=at, headers=headers, body=body.decode(errors="replace"), fault=fault)

    def _remember(self, number: int, call: Call) -> None:
        self._summaries[number] = call.summary(number)
        while len(self._summaries) > KEPT:
            self._summaries.popitem(last=False)


def present(content: bytes | None) -> bytes:
    if content is None:
        raise Missing
    return content
