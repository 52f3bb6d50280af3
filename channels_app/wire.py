"""HTTP/1.1 on one connection that is kept: a request goes out as bytes, and llhttp reads the answer.

What aiohttp does for each call (a task to write, streams, timers, cookies, copies of the URL) takes five times as
long, and longer than all that the rest of a worker does for a message. It makes the connections, see
:mod:`channels_app.wires`.
"""

import asyncio
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from math import inf
from typing import NamedTuple

import httptools
from aiohttp import encode_basic_auth
from aiohttp.connector import Connection
from yarl import URL

from channels_app import deadlines

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
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not lines.count("\n") == lines.count("\r") == len(headers) or "\0" in lines:
        raise ValueError("a header has a line break in it")
    opening = _opening(method, target, tuple(headers), has_body=body is not None)
    if body is not None or method in WITH_BODY:
        lines += f"Content-Length: {len(body or b'')}\r\n"
    return f"{opening}{lines}\r\n".encode() + (body or b"")


@lru_cache(maxsize=4096)
def _opening(method: str, target: URL, given: tuple[str, ...], *, has_body: bool) -> str:
    """What goes before the headers that are given: the URL names the host, and may have credentials in it."""
    if not (method.isascii() and method.isalpha()):
        raise ValueError("this is no HTTP method")
    lines = [f"Host: {target.host_port_subcomponent}", *DEFAULTS]
    if target.user or target.password:
        lines.append(f"Authorization: {encode_basic_auth(target.user or '', target.password or '')}")
    if has_body:
        lines.append("Content-Type: application/octet-stream")
    names = {name.lower() for name in given}
    ours = [line for line in lines if line.partition(":")[0].lower() not in names]
    return "\r\n".join([f"{method} {target.raw_path_qs} HTTP/1.1", *ours, ""])


class Wire(asyncio.Protocol, deadlines.Limited):
    """One connection, with one request at a time."""

    def __init__(self, connection: Connection) -> None:
        transport = connection.transport
        if transport is None:
            connection.close()
            raise Lost("the connection was closed at once")
        self._loop = asyncio.get_running_loop()
        self._deadlines = deadlines.of_running_loop()
        self._connection = connection
        self._transport = transport
        self._answer: asyncio.Future[Answer] | None = None
        self._is_spoiled = False
        self._heard = 0
        # As forgiving as aiohttp is: this connection is nobody else's, so that nothing can be smuggled past anybody.
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        transport.set_protocol(self)
        self._deadlines.watch(self)

    def ask(self, request: bytes, *, seconds: float, has_body: bool = True) -> "asyncio.Future[Answer]":
        """Send a request; its answer comes through the future, and has no body after HEAD.

        Else it is :class:`Lost`, or ``TimeoutError`` after so many seconds. Whoever waits no longer closes the wire.
        """
        self._begin()
        self._has_body = has_body
        self._answer = answer = self._loop.create_future()
        self.until = time.monotonic() + seconds
        self._transport.write(request)
        return answer

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow: the last one was answered, and to the end."""
        return not (self._is_spoiled or self._transport.is_closing())

    def close(self) -> None:
        """End the connection at once, and whatever somebody still waits for."""
        self._is_spoiled = True
        self._fail(Lost("the connection was closed", heard=bool(self._heard)))
        self._transport.abort()
        self._connection.close()
        self._deadlines.forget(self)

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
        except httptools.HttpParserUpgrade:  # nobody asked for another protocol: the answer is all there is
            self._is_spoiled = True
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
        self._deadlines.forget(self)
        if exc is None and self._answer is not None and self._status and not self._is_measured:
            self._finish()  # its end is the end of the body
        self._fail(Lost("the connection was closed" if exc is None else str(exc), heard=bool(self._heard)))

    def expire(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if (answer := self._rest()) is not None:
            answer.set_exception(error)

    def _rest(self) -> "asyncio.Future[Answer] | None":
        """Wait for nothing any more; what somebody still waits for is settled by the caller."""
        answer, self._answer = self._answer, None
        self.until = inf
        return None if answer is None or answer.done() else answer

    # --- What the parser tells -----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._answer is None:
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
        answer = self._rest()
        if answer is None:
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        if coding := self._headers.get("content-encoding"):
            body = _unpacked(body, coding)
        answer.set_result(Answer(self._status, self._headers, body[:MAX_BODY]))


def _unpacked(body: bytes, coding: str) -> bytes:
    """A body that was packed although nobody asked for it; as it is, where we do not know how."""
    windows = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}.get(coding.strip().lower(), ())
    for window in windows:
        with suppress(zlib.error):
            return zlib.decompressobj(window).decompress(body, MAX_BODY)
    return body
