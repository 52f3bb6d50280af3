"""The API under its real server: what only shows where bytes come over a line."""

import json
import socket
import time
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from pushcenter.access.models import ApiKey, Refusal
from pushcenter.access.problems import CONTENT_TYPE
from pushcenter.web_worker import STAYS
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, order, stored
from tests.access.server import PATIENCE_S, serving

MEGABYTE = b" " * 1_000_000


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    with serving() as port:
        yield port


def call(port: int, body: Any, headers: dict[str, str], *, chunked: bool = False) -> tuple[int, str, bytes]:
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    line.request("POST", MESSAGES, body, headers, encode_chunked=chunked)
    with line.getresponse() as response:
        answer = response.status, response.headers["Content-Type"], response.read()
    line.close()
    return answer


def send(port: int, parts: Iterable[bytes]) -> tuple[int, str, bytes, int]:
    """Bytes as they are, as far as the server takes them; its answer, and how many parts it took."""
    taken = 0
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        try:
            for part in parts:
                line.sendall(part)
                taken += 1
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough; its answer was on the way before
        response = HTTPResponse(line)
        response.begin()
        return response.status, response.headers["Content-Type"], response.read(), taken


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "Host: 127.0.0.1", "", ""]).encode("latin-1")


POST = f"POST {MESSAGES} HTTP/1.1"
#: What is no request that the application would see: whole, its status and code.
UNREADABLE = {
    "a header of 100 kB": (head(POST, "X-Long: " + "a" * 100_000), 431, "header_too_large"),
    "a key of 10 kB": (head(POST, "Authorization: Bearer " + "a" * 10_000), 431, "header_too_large"),
    "a thousand headers": (head(POST, *(f"X-{n}: 1" for n in range(1000))), 431, "header_too_large"),
    "an address of 100 kB": (
        head(f"GET {MESSAGES}?{'a' * 100_000} HTTP/1.1"),
        414,
        "address_too_long",
    ),
    "an address of 8,050 bytes": (
        head(f"GET {MESSAGES}?{'a' * 8_030} HTTP/1.1"),
        414,
        "address_too_long",
    ),
    "no HTTP": (b"hello\r\n\r\n", 400, "bad_request"),
    "a header without a name": (head(POST, ": x"), 400, "bad_request"),
    "another encoding": (head(POST, "Transfer-Encoding: rot13"), 501, "not_implemented"),
    "an expectation": (head(POST, "Expect: miracles"), 417, "expectation_failed"),
    "a length that is none": (head(POST, "Content-Length: -1"), 400, "bad_request"),
}


def test_calls_over_a_real_line_are_taken_or_refused(port: int) -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    headers = {"Authorization": f"Bearer {factories.key()[1]}", "Content-Type": "application/json"}
    body = json.dumps(order()).encode()

    refused = {
        "chunked": (call(port, iter([body]), {**headers, "Transfer-Encoding": "chunked"}, chunked=True), 411),
        "not JSON": (call(port, b"\xff\xfe", headers), 400),
        "no key": (call(port, body, {"Content-Type": "application/json"}), 401),
    }
    for name, ((status, kind, content), expected) in refused.items():
        assert (status, kind) == (expected, CONTENT_TYPE), name
        assert json.loads(content)["status"] == expected, name

    for name, (text, expected, code) in UNREADABLE.items():
        status, kind, content, _taken = send(port, [text])
        assert (status, kind) == (expected, CONTENT_TYPE), name
        assert json.loads(content)["code"] == code, name

    # Fifty megabytes are not read to their end.
    lines = [f"{name}: {value}" for name, value in headers.items()]
    start = head(POST, "Content-Length: 50000000", *lines)
    status, kind, content, taken = send(port, [start, *[MEGABYTE] * 50])
    assert (status, kind, json.loads(content)["code"]) == (413, CONTENT_TYPE, "body_too_large")
    assert taken < 25
    assert stored() == NOTHING

    assert call(port, body, headers)[0] == 202
    assert stored()["messages"] == 1

    # One after another on one line: at once, after a moment in which a thread stays with it, and after a longer one.
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    for pause in (0.0, 0.0, STAYS / 4000, STAYS / 100):
        time.sleep(pause)
        line.request("POST", MESSAGES, body, headers)
        with line.getresponse() as response:
            assert (response.status, json.loads(response.read())["status"]) == (202, "pending")
    line.close()
    assert stored()["messages"] == 5


@pytest.mark.django_db(transaction=True)
def test_what_another_process_changes_holds_within_seconds_and_what_it_refused_is_written() -> None:
    """The server is a process of its own; this one revokes, as the console would in a third."""
    row, secret = factories.key()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def await_status(wanted: int) -> float:
        began = time.monotonic()
        while call(at, b"{}", headers)[0] != wanted and time.monotonic() - began < PATIENCE_S:
            time.sleep(0.05)
        return time.monotonic() - began

    with serving() as at:
        assert call(at, b"{}", headers)[0] == 422
        ApiKey.objects.filter(pk=row.pk).update(scopes=["read"])
        assert await_status(403) < 5
        row.system.is_active = False
        row.system.save()
        assert await_status(401) < 5
        row.system.is_active = True
        row.system.save()
        assert await_status(403) < 5
        ApiKey.objects.filter(pk=row.pk).revoke()
        assert await_status(401) < 5
    found = set(Refusal.objects.values_list("status", "code", "call", "prefix"))
    assert {(401, "invalid_key", "POST /messages", row.prefix)} <= found
    assert {(403, "missing_scope", "POST /messages", row.prefix)} <= found
