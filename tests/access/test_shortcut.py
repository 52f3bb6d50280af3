"""The short way to the calls that send: whatever comes, it answers as the long way does."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections
from django.test import RequestFactory

from pushcenter.access import refusals, shortcut
from pushcenter.access.models import Refusal
from pushcenter.access.shortcut import Environ, Shortcut
from pushcenter.messaging import intake
from pushcenter.messaging.models import Message
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, order, stored

BATCH = f"{MESSAGES}/batch"
BODY = json.dumps(order()).encode()
BATCH_BODY = json.dumps(
    {"template": "order-paid", "items": [{"to": {"recipient": "u-1001"}, "params": {"order_no": "SO-1"}}]}
).encode()
#: What no two answers have in common.
OWN = {"id", "accepted_at", "expires_at"}


class Answer:
    """What a WSGI server would have sent."""

    def __init__(self, application: Any, environ: Environ) -> None:
        parts = application(environ, self._start)
        self.body = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status = status
        self.headers = dict(headers)
        assert len(self.headers) == len(headers)

    def comparable(self) -> tuple[str, Mapping[str, str], Any]:
        is_json = self.headers["Content-Type"].endswith("json")
        content: Any = json.loads(self.body) if is_json else self.body
        if is_json:
            content = {name: value for name, value in content.items() if name not in OWN}
        own = {"Location", "Idempotent-Replayed"} if self.status.startswith("202") else set()
        own |= {"RateLimit", "Content-Length"}
        return self.status, {name: value for name, value in self.headers.items() if name not in own}, content


@pytest.fixture(autouse=True)
def _connections_stay_open() -> Iterator[None]:
    """As the test client has it: a request ends no transaction that a test is in."""
    watched = (request_started, request_finished)
    for signal in watched:
        signal.disconnect(close_old_connections)
    yield
    for signal in watched:
        signal.connect(close_old_connections)


@pytest.fixture
def secret(db: None) -> str:
    shortcut._is_ours.cache_clear()
    refusals._seen.clear()
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    return factories.key()[1]


def environ(secret: str, path: str = MESSAGES, body: bytes = BODY, **changes: Any) -> Environ:
    kind = changes.pop("CONTENT_TYPE", "application/json")
    method = changes.pop("REQUEST_METHOD", "POST")
    request = RequestFactory().generic(method, path, body, kind)
    found: Environ = dict(request.environ) | {"HTTP_HOST": "127.0.0.1", "HTTP_X_REQUEST_ID": "mine"}
    found |= {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if secret else {}
    return {name: value for name, value in (found | changes).items() if value is not None}


CASES: dict[str, tuple[str, Callable[[str], Environ]]] = {
    "a message": ("202", environ),
    "a batch": ("202", lambda secret: environ(secret, BATCH, BATCH_BODY)),
    "a call with a key of its own": ("202", lambda secret: environ(secret, HTTP_IDEMPOTENCY_KEY="a")),
    "a query": ("202", lambda secret: environ(secret, f"{MESSAGES}?a=b")),
    "over TLS": ("202", lambda secret: environ(secret) | {"wsgi.url_scheme": "https"}),
    "no key": ("401", lambda _: environ("")),
    "a bad key": ("401", lambda _: environ("pc_live_x")),
    "no body": ("422", lambda secret: environ(secret, body=b"")),
    "not JSON": ("400", lambda secret: environ(secret, body=b"{")),
    "faults": ("422", lambda secret: environ(secret, body=b'{"template": "nothing"}')),
    "a form": ("415", lambda secret: environ(secret, CONTENT_TYPE="text/plain")),
    "chunks": (
        "411",
        lambda secret: environ(secret, HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH=None),
    ),
    "a long body": ("413", lambda secret: environ(secret, CONTENT_LENGTH="2000000")),
    "a long header": ("431", lambda secret: environ(secret, HTTP_X_LONG="a" * 9_000)),
    "a long address": ("414", lambda secret: environ(secret, f"{MESSAGES}?{'a' * 9_000}")),
    "another host": ("400", lambda secret: environ(secret, HTTP_HOST="evil.example")),
    "a bad host": ("400", lambda secret: environ(secret, HTTP_HOST="a b")),
    "a slash too many": ("404", lambda secret: environ(secret, f"{MESSAGES}/")),
    "another method": ("405", lambda secret: environ(secret, REQUEST_METHOD="PUT")),
    "another call": ("405", lambda secret: environ(secret, "/api/v1/templates")),
}


def both(given: Callable[[], Environ]) -> tuple[Answer, Answer]:
    """The answer of the short way, and that of the long one."""
    long_way = WSGIHandler()
    return Answer(Shortcut(long_way), given()), Answer(long_way, given())


@pytest.mark.parametrize("name", CASES)
def test_both_ways_answer_alike(secret: str, name: str) -> None:
    status, given = CASES[name]
    short, long = both(lambda: given(secret))
    assert short.comparable() == long.comparable()
    assert short.status.startswith(status)
    assert short.headers["X-Request-Id"] == "mine"


def test_only_what_it_is_made_for_takes_the_short_way(secret: str) -> None:
    passed_on: list[Environ] = []

    def long_way(given: Environ, _start: Any) -> list[bytes]:
        passed_on.append(given)
        return []

    application = Shortcut(long_way)
    elsewhere = [
        environ(secret, REQUEST_METHOD="GET"),
        environ(secret, f"{MESSAGES}/"),
        environ(secret, "/api/v1/broadcasts"),
        environ(secret, HTTP_HOST="evil.example"),
        environ(secret, HTTP_HOST=None),
        environ(secret, SCRIPT_NAME="/push"),
    ]
    for each in elsewhere:
        application(each, lambda *_: None)
    assert passed_on == elsewhere
    assert stored() == NOTHING
    assert Answer(application, environ(secret)).status == "202 Accepted"
    assert passed_on == elsewhere
    assert Message.objects.get().request_id == "mine"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("a fault of ours"), "500"), (OperationalError("away"), "503")],
    ids=["a fault of ours", "no database"],
)
def test_a_fault_of_ours_is_told_alike(
    secret: str, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(intake, "accept", fail)
    short, long = both(lambda: environ(secret))
    assert short.comparable() == long.comparable()
    assert short.status.startswith(status)


def test_under_tls_both_ways_say_so_and_send_others_there(secret: str, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 3600
    short, long = both(lambda: environ(secret) | {"wsgi.url_scheme": "https"})
    assert short.comparable() == long.comparable()
    assert short.headers["Strict-Transport-Security"].startswith("max-age=3600")
    short, long = both(lambda: environ(secret))
    assert short.comparable() == long.comparable()
    assert short.status.startswith("301")


def test_what_it_refuses_stands_in_the_access_log(secret: str) -> None:
    Answer(Shortcut(WSGIHandler()), environ(secret, body=b"{"))
    refusals.write()
    assert Refusal.objects.get().call == "POST /messages"
