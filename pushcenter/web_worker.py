"""Gunicorn's worker with threads, in two things changed: what it refuses by itself, before the application sees it,
looks like our own refusals; and a thread stays a moment with a connection that is likely to bring the next request.
"""

import json
import select
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

#: What the parser says, as a status, a code and a sentence; whatever else it says is 400.
ANSWERS: dict[type[Exception], tuple[int, str, str]] = {
    errors.LimitRequestLine: (414, "address_too_long", "The address is longer than this gateway takes."),
    errors.LimitRequestHeaders: (
        431,
        "header_too_large",
        "A header is longer than this gateway takes, or there are too many.",
    ),
    errors.ExpectationFailed: (
        417,
        "expectation_failed",
        "The header Expect asks for what is not done here.",
    ),
    errors.UnsupportedTransferCoding: (501, "not_implemented", "This Transfer-Encoding is not taken."),
}
OTHERWISE = (400, "bad_request", "The request cannot be understood.")
#: Milliseconds that a thread waits for the next request of its connection, while no other connection waits for a
#: thread. Callers who send one message after another need not pass through the thread that watches all connections.
STAYS = 5


class ProblemWorker(ThreadWorker):
    def handle(self, conn: Any) -> Any:
        goes_on = super().handle(conn)
        while goes_on is True and self.alive and self._brings_more(conn):
            goes_on = super().handle(conn)
        return goes_on

    def _brings_more(self, conn: Any) -> bool:
        """Whether the next request comes at once; what was read of it already, gunicorn itself looks for."""
        readable = select.poll()
        readable.register(conn.sock, select.POLLIN)
        is_wanted = self.tpool._work_queue.qsize() > 0  # noqa: SLF001 - the pool has no other way to tell
        return bool(readable.poll(0 if is_wanted else STAYS))

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        if not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.debug("not a request: %s", exc)
        try:
            util.write_nonblock(client, answer_to(exc))
        except OSError:
            self.log.debug("the caller of a bad request has gone")


def answer_to(fault: Exception) -> bytes:
    """The whole HTTP answer to bytes that are no request."""
    from pushcenter.access import problems  # gunicorn's main process reads this module before Django is there

    status, code, detail = ANSWERS.get(type(fault), OTHERWISE)
    content = json.dumps(problems.body(status, code, detail)).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        f"Content-Type: {problems.CONTENT_TYPE}",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
