"""HTTP/1.1 on one connection that is kept: a request goes out as bytes, and llhttp reads the answer.

What aiohttp does for each call (a task to write, streams, timers, cookies, copies of the URL) takes five times as
long, and longer than all that the rest of a worker does for a message. It makes the connections, see
:mod:`channels_app.wires`.
"""

import asyncio
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import httptools
from aiohttp import encode_basic_auth
from aiohttp.connector import Connection
from yarl import URL

#: Of an answer no more than this is read, in bytes: of its body, of what comes before it, and of what comes between.
MAX_BODY = MAX_HEAD = 64 * 1024
MAX_BETWEEN = 8 * MAX_BODY
#: What each request says unless its headers say otherwise. A body that is not packed needs no unpacking.
DEFAULTS = ("User-Agent: Push-Center", "Accept: */*", "Accept-Encoding: identity")
#: These say how many bytes follow even where there are none.
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Answer(NamedTuple):
    """Header names are in lower case; the body is cut at ``MAX_BODY``."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lost(Exception):
    """The connection ended before the answer did, or what came was no HTTP. ``heard`` tells whether anything came."""

    def __init__(self, reason: str, *, heard: bool = False) -> None:
        super().__init__(reason)
        self.heard = heard


def request(method: str, target: URL, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """A request as it goes over the wire; raises ``ValueError`` where a header would end its own line."""
    given = {name.lower() for name in headers}
    said = [line for name, line in _defaults(target) if name not in given]
    said += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None and "content-type" not in given:
        said.append("Content-Type: application/octet-stream")
    if body is not None or method in WITH_BODY:
        said.append(f"Content-Length: {len(body or b'')}")
    lines = "\n".join(said)
    if lines.count("\n") >= len(said) or "\r" in lines or "\0" in lines:
        raise ValueError("a header has a line break in it")
    head = f"{_first_line(method, target)}\n{lines}\n\n".replace("\n", "\r\n")
    return head.encode() + (body or b"")


@lru_cache(maxsize=4096)
def _first_line(method: str, target: URL) -> str:
    if not (method.isascii() and method.isalpha()):
        raise ValueError("this is no HTTP method")
    return f"{method} {target.raw_path_qs} HTTP/1.1"


@lru_cache(maxsize=4096)
def _defaults(target: URL) -> list[tuple[str, str]]:
    """Lines of a head by the header's name; the URL names the host, and may have credentials in it."""
    lines = [f"Host: {target.host_port_subcomponent}", *DEFAULTS]
    if target.user or target.password:
        lines.append(f"Authorization: {encode_basic_auth(target.user or '', target.password or '')}")
    return [(line.partition(":")[0].lower(), line) for line in lines]


class Wire(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, connection: Connection) -> None:
        transport = connection.transport
        if transport is None:
            connection.close()
            raise Lost("the connection was closed at once")
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._transport = transport
        self._answer: asyncio.Future[Answer] | None = None
        self._is_spoiled = False
        # As forgiving as aiohttp is: this connection is nobody else's, so that nothing can be smuggled past anybody.
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        transport.set_protocol(self)

    async def ask(self, request: bytes, *, seconds: float, has_body: bool = True) -> Answer:
        """Send a request and wait for its answer, which has no body after HEAD.

        Raises :class:`Lost`, or ``TimeoutError`` after so many seconds.
        """
        self._begin()
        self._has_body = has_body
        self._answer = answer = self._loop.create_future()
        expiry = self._loop.call_later(seconds, self._fail, TimeoutError())
        try:
            self._transport.write(request)
            return await answer
        except BaseException:
            self.close()
            raise
        finally:
            expiry.cancel()
            self._answer = None

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow: the last one was answered, and to the end."""
        return not (self._is_spoiled or self._transport.is_closing())

    def close(self) -> None:
        """End the connection at once."""
        self._is_spoiled = True
        self._transport.abort()
        self._connection.close()

    def _begin(self) -> None:
        self._status = self._heard = self._size = 0
        self._is_measured = False
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    # --- What the transport tells --------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody has asked
            self.close()
            return
        self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._is_spoiled = True
            self._fail(Lost(f"what came is no HTTP: {error}", heard=True))
        if self._heard - self._size > (MAX_BETWEEN if self._status else MAX_HEAD):
            self._is_spoiled = True
            self._fail(Lost("its headers have no end", heard=True))

    def eof_received(self) -> None:
        self._is_spoiled = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_spoiled = True
        self._connection.close()
        if exc is None and self._answer is not None and self._status and not self._is_measured:
            self._finish()  # its end is the end of the body
        self._fail(Lost("the connection was closed" if exc is None else str(exc), heard=bool(self._heard)))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    # --- What the parser tells -----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._answer is None or self._answer.done():
            self._is_spoiled = True  # an answer to nothing

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:  # a trailer
            return
        title, text = name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape")
        self._headers[title] = text
        if title == "content-length" or (title == "transfer-encoding" and text.lower().endswith("chunked")):
            self._is_measured = True

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if not self._has_body and self._status >= 200:
            self._is_spoiled = True  # the parser would wait for what HEAD leaves out
            self._finish()

    def on_body(self, part: bytes) -> None:
        self._body.append(part)
        self._size += len(part)
        if self._size >= MAX_BODY:
            self._is_spoiled = True
            self._finish()

    def on_message_complete(self) -> None:
        if self._status < 200 and self._status != 101:
            self._begin()  # the real answer follows
            return
        # An answer that came before all of the question was heard ends the talk, too.
        if not self._parser.should_keep_alive() or self._transport.get_write_buffer_size():
            self._is_spoiled = True
        self._finish()

    def _finish(self) -> None:
        if self._answer is None or self._answer.done():
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if coding := self._headers.get("content-encoding"):
            body = _unpacked(body, coding)
        self._answer.set_result(Answer(self._status, self._headers, body[:MAX_BODY]))


def _unpacked(body: bytes, coding: str) -> bytes:
    """A body that was packed although nobody asked for it; as it is, where we do not know how."""
    windows = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(coding.strip().lower(), ())
    for window in windows:
        with suppress(zlib.error):
            return zlib.decompressobj(window).decompress(body, MAX_BODY)
    return body
