"""Signed webhooks, and the shared HTTP client, against a real server."""

import asyncio
import base64
import json
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from channels_app import http
from channels_app.adapters.http import HttpAdapter, secret_bytes
from channels_app.contract import (
    Address,
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from tests.judges import ask

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PREVIOUS = "whsec_" + base64.b64encode(bytes(range(64))).decode()
STRANGE = "whsec_" + base64.b64encode(bytes(24)).decode()
DELIVERY = "0191e2a0-0000-7000-8000-000000000001"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def answer(**kwargs: Any) -> Handler:
    async def handler(_request: web.Request) -> web.StreamResponse:
        return web.Response(**kwargs)

    return handler


async def hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def reset(request: web.Request) -> web.StreamResponse:
    await request.read()
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-length": "100"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.abort()
    return response


def outgoing(url: str, data: Any = None) -> Outgoing:
    address = Address(kind="url", value=url)
    return Outgoing(id=DELIVERY, address=address, content={"event": "order.paid", "data": data})


class Receiver:
    """Keeps what it gets, and answers as ``handler`` does."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.peers: set[Any] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, await request.read()))
        assert request.transport is not None
        self.peers.add(request.transport.get_extra_info("peername"))
        return await self.handler(request)


async def deliver(receiver: Receiver, config: dict[str, Any], datas: list[Any]) -> list[Sent | ChannelError]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.handle)
    adapter = HttpAdapter({"secret": SECRET} | config)
    results: list[Sent | ChannelError] = []
    async with TestServer(app, shutdown_timeout=0.01) as server:
        try:
            for data in datas:
                results += await adapter.send_many([outgoing(str(server.make_url("/hook?x=1")), data)])
        finally:
            await adapter.close()
            await http.close()
    return results


def send(handler: Handler, *, data: Any = None, **config: Any) -> Sent | ChannelError:
    [result] = asyncio.run(deliver(Receiver(handler), config, [data]))
    return result


def call(method: str, url: str, **kwargs: Any) -> http.Reply:
    async def scenario() -> http.Reply:
        try:
            return await http.call(method, url, **kwargs)
        finally:
            await http.close()

    return asyncio.run(scenario())


# --- Webhooks ---------------------------------------------------------------------------------------------


def test_a_receiver_can_verify_what_it_gets() -> None:
    receiver = Receiver(answer(status=204))
    data = {"order": "订单-42", "sum": 1.5, "lines": [None, True]}
    [sent] = asyncio.run(deliver(receiver, {}, [data]))
    [(headers, body)] = receiver.requests
    payload = Webhook(SECRET).verify(body, headers)
    assert sent == Sent(provider_id=DELIVERY, final=True, note="HTTP status 204")
    assert headers["webhook-id"] == DELIVERY
    assert headers["content-type"] == "application/json"
    assert payload == json.loads(body)
    assert payload["type"] == "order.paid"
    assert payload["data"] == data
    moment = datetime.fromisoformat(payload["timestamp"])
    assert abs(moment - datetime.now(UTC)) < timedelta(seconds=10)
    assert int(headers["webhook-timestamp"]) == int(moment.timestamp())
    assert b", " not in body


def test_a_changed_body_does_not_verify() -> None:
    receiver = Receiver(answer())
    asyncio.run(deliver(receiver, {}, [{"sum": 1}]))
    [(headers, body)] = receiver.requests
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"1", b"2"), headers)


def test_every_attempt_has_the_same_id_and_a_signature_of_its_own() -> None:
    receiver = Receiver(answer())
    asyncio.run(deliver(receiver, {}, [1, 1]))
    ids = {headers["webhook-id"] for headers, _body in receiver.requests}
    assert ids == {DELIVERY}
    for headers, body in receiver.requests:
        Webhook(SECRET).verify(body, headers)


def test_while_secrets_change_either_one_verifies() -> None:
    receiver = Receiver(answer())
    asyncio.run(deliver(receiver, {"previous_secret": PREVIOUS}, [None]))
    [(headers, body)] = receiver.requests
    for secret in (SECRET, PREVIOUS):
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(STRANGE).verify(body, headers)


@pytest.mark.node
def test_the_verifier_for_node_agrees() -> None:
    receiver = Receiver(answer())
    asyncio.run(deliver(receiver, {"previous_secret": PREVIOUS}, [{"order": "订单-42"}, None]))
    calls: list[dict[str, Any]] = [
        {"headers": headers, "body": body.decode()} for headers, body in receiver.requests
    ]
    stale = str(int(calls[0]["headers"]["webhook-timestamp"]) - 301)
    calls.append({**calls[0], "headers": {**calls[0]["headers"], "webhook-timestamp": stale}})
    genuine, other, late = ask("standard_webhooks", {"secrets": [SECRET, PREVIOUS, STRANGE], "calls": calls})
    assert genuine == other == [True, True, "No matching signature found"]
    assert late == ["Message timestamp too old"] * 3


STATUSES: list[tuple[int, type[ChannelError]]] = [
    (302, Temporary),
    (400, Refused),
    (401, Temporary),
    (403, Temporary),
    (404, Temporary),
    (408, Temporary),
    (410, Unreachable),
    (413, Refused),
    (422, Refused),
    (429, Throttled),
    (500, Temporary),
    (503, Temporary),
    (599, Temporary),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_status_has_one_meaning(status: int, kind: type[ChannelError]) -> None:
    error = send(answer(status=status))
    assert type(error) is kind
    assert error.code == str(status)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_a_receiver_sets_the_pause_for_itself_alone(status: int, as_date: bool) -> None:
    later = datetime.now(UTC) + timedelta(seconds=120)
    value = format_datetime(later, usegmt=True) if as_date else "120"
    error = send(answer(status=status, headers={"retry-after": value}))
    assert isinstance(error, Throttled)
    assert 110 < error.retry_after <= 120
    assert error.scope is Scope.ADDRESS


def test_a_redirect_is_not_followed() -> None:
    receiver = Receiver(answer(status=307, headers={"location": "/elsewhere"}))
    [error] = asyncio.run(deliver(receiver, {}, [None]))
    assert isinstance(error, Temporary)
    assert len(receiver.requests) == 1


def test_a_receiver_that_does_not_answer_in_time_may_have_it() -> None:
    error = send(hang, timeout_s=1)
    assert isinstance(error, Temporary)
    assert (error.code, error.maybe_sent) == ("timeout", True)


@pytest.mark.parametrize("handler", [reset, break_off])
def test_a_connection_lost_after_the_request_leaves_doubt(handler: Handler) -> None:
    error = send(handler)
    assert isinstance(error, Temporary)
    assert (error.code, error.maybe_sent) == ("connection_lost", True)


@pytest.mark.parametrize("data", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_hold_is_refused(data: Any) -> None:
    assert isinstance(send(answer(), data=data), Refused)


def test_connections_are_kept() -> None:
    receiver = Receiver(answer())
    asyncio.run(deliver(receiver, {}, [None] * 5))
    assert len(receiver.requests) == 5
    assert len(receiver.peers) == 1


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS, STRANGE])
def test_a_signing_secret_is_taken(secret: str) -> None:
    assert 24 <= len(secret_bytes(secret)) <= 64
    form = HttpAdapter.Config({"secret": secret, "timeout_s": 15})
    assert form.is_valid(), form.errors


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_%%%",
        SECRET.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        SECRET[:-1],
        "whsec_密码",
    ],
)
def test_what_is_no_signing_secret_is_named(secret: str) -> None:
    assert list(HttpAdapter.Config({"secret": secret, "timeout_s": 15}).errors) == ["secret"]


# --- The shared client ------------------------------------------------------------------------------------


async def answered(handler: Handler, **kwargs: Any) -> http.Reply:
    app = web.Application()
    app.router.add_get("/", handler)
    async with TestServer(app) as server:
        try:
            return await http.call("GET", str(server.make_url("/")), **kwargs)
        finally:
            await http.close()


def test_a_reply_has_lower_case_headers() -> None:
    reply = asyncio.run(answered(answer(status=201, text="ok", headers={"X-Request-ID": "7"})))
    assert (reply.status, reply.body, reply.retry_after) == (201, b"ok", None)
    assert reply.headers["x-request-id"] == "7"


@pytest.mark.parametrize("headers", [{}, {"content-encoding": "deflate"}])
def test_a_huge_body_is_cut(headers: dict[str, str]) -> None:
    async def huge(request: web.Request) -> web.StreamResponse:
        response = web.Response(body=b"x" * 900_000)
        if headers:
            response.enable_compression(web.ContentCoding.deflate)
        response.set_cookie("a", "b")
        return response

    reply = asyncio.run(answered(huge))
    assert reply.body == b"x" * http.MAX_BODY


def test_cookies_are_not_kept() -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("cookie"))
        response = web.Response()
        response.set_cookie("a", "b")
        return response

    async def scenario() -> None:
        app = web.Application()
        app.router.add_get("/", handler)
        async with TestServer(app, host="localhost") as server:
            for _turn in range(2):
                await http.call("GET", f"http://localhost:{server.port}/", guard=False)
        await http.close()

    asyncio.run(scenario())
    assert seen == [None, None]


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    assert asyncio.run(answered(answer(text="direct"))).body == b"direct"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_nothing_was_sent_where_nobody_listens() -> None:
    with pytest.raises(Temporary) as caught:
        call("POST", f"http://127.0.0.1:{closed_port()}/")
    assert (caught.value.code, caught.value.maybe_sent) == ("connect", False)


def test_nothing_was_sent_where_a_name_leads_nowhere() -> None:
    with pytest.raises(Temporary) as caught:
        call("POST", "https://nowhere.invalid/")
    assert (caught.value.code, caught.value.maybe_sent) == ("dns", False)


def test_nothing_was_sent_where_no_connection_came_about() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        with pytest.raises(Temporary) as caught:
            call("POST", f"http://127.0.0.1:{full.getsockname()[1]}/", timeout=0.6)
    assert (caught.value.code, caught.value.maybe_sent) == ("connect_timeout", False)


def test_nothing_was_sent_where_tls_did_not_come_about() -> None:
    async def scenario() -> None:
        async with TestServer(web.Application()) as server:
            try:
                await http.call("POST", f"https://127.0.0.1:{server.port}/")
            finally:
                await http.close()

    with pytest.raises(Temporary) as caught:
        asyncio.run(scenario())
    assert (caught.value.code, caught.value.maybe_sent) == ("tls", False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("Mon, 99 Foo 2026", None),
        ("0", 1.0),
        ("17", 17.0),
        ("2.5", 2.5),
        (" 17 ", 17.0),
        ("86400", 3600.0),
        ("9" * 5000, 3600.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 1.0),
        (format_datetime(NOW + timedelta(days=1), usegmt=True), 3600.0),
        ("Sunday, 01-Mar-26 12:01:30 GMT", 90.0),
        ("Sun Mar  1 12:01:30 2026", 90.0),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    assert http.parse_retry_after(value, now=NOW) == seconds


GENERAL: list[tuple[int, type[ChannelError]]] = [
    (301, Misconfigured),
    (400, Refused),
    (401, Misconfigured),
    (403, Misconfigured),
    (404, Unreachable),
    (408, Temporary),
    (410, Unreachable),
    (425, Temporary),
    (429, Throttled),
    (451, Refused),
    (500, Temporary),
    (600, Temporary),
]


def reply(status: int, *, retry_after: float | None = None) -> http.Reply:
    return http.Reply(status=status, headers={}, body=b"", retry_after=retry_after)


@pytest.mark.parametrize(("status", "kind"), GENERAL)
def test_a_status_has_a_general_meaning(status: int, kind: type[ChannelError]) -> None:
    with pytest.raises(ChannelError) as caught:
        http.raise_for_status(reply(status))
    assert type(caught.value) is kind
    assert caught.value.code == str(status)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_success_raises_nothing(status: int) -> None:
    http.raise_for_status(reply(status))


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_was_asked_for_is_kept(status: int) -> None:
    with pytest.raises(Throttled) as caught:
        http.raise_for_status(reply(status, retry_after=42.0))
    assert caught.value.retry_after == 42.0


@pytest.mark.parametrize(("status", "maybe_sent"), [(500, False), (502, True), (503, False), (504, True)])
def test_a_gateway_that_lost_its_server_leaves_doubt(status: int, maybe_sent: bool) -> None:
    with pytest.raises(Temporary) as caught:
        http.raise_for_status(reply(status))
    assert caught.value.maybe_sent is maybe_sent


def test_an_adapter_decides_for_itself() -> None:
    with pytest.raises(Refused) as caught:
        http.raise_for_status(reply(404), {404: Refused}, code="E7", detail="no such template")
    assert (caught.value.code, caught.value.detail) == ("E7", "no such template")
