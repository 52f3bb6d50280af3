"""Taking a connection over from the web server, so that a stream that lasts for minutes occupies no thread of it.

gunicorn gives the application the socket of each request. Behind its back the file descriptor is exchanged for one
whose other end is closed: whatever the server does with it from then on, such as closing it, reaches nobody, and its
thread is free for the next request.
"""

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection that is ours, in the middle of the body of an answer."""

    socket: socket.socket
    is_chunked: bool

    def framed(self, text: bytes) -> bytes:
        """A piece of the body as it goes over the line."""
        return b"%x\r\n%b\r\n" % (len(text), text) if self.is_chunked else text

    @property
    def end(self) -> bytes:
        """What ends the body, before the connection is closed."""
        return b"0\r\n\r\n" if self.is_chunked else b""


class TakenOver(OSError):
    """To be raised to the server: its client is gone. It says no more and does not use the connection again."""

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "the connection was taken over")


def can_be_taken(environ: Mapping[str, Any]) -> bool:
    """Is there a connection of its own to this request, in plain HTTP/1? TLS ends at a proxy."""
    line = environ.get("gunicorn.socket")
    return (
        isinstance(line, socket.socket)
        and not isinstance(line, ssl.SSLSocket)
        and environ.get("SERVER_PROTOCOL") in {"HTTP/1.0", "HTTP/1.1"}
        and environ.get("HTTP_VERSION") != "2"
    )


def take(environ: Mapping[str, Any]) -> Line:
    """The connection, after the server has sent the head; the caller then raises :class:`TakenOver`."""
    theirs: socket.socket = environ["gunicorn.socket"]
    ours = theirs.dup()
    near, far = socket.socketpair()
    with near, far:
        os.dup2(near.fileno(), theirs.fileno(), inheritable=False)
    ours.settimeout(0)
    # gunicorn sends a body without a length in chunks where the client knows them.
    return Line(socket=ours, is_chunked=environ["SERVER_PROTOCOL"] == "HTTP/1.1")
