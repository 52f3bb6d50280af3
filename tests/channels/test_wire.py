"""HTTP/1.1 as providers really speak it, byte by byte, over connections that are kept."""

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings
from yarl import URL

from channels_app import http, wires
from channels_app.contract import Temporary
from channels_app.wire import MAX_BODY, request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#: The server closes the connection.
END = b"<end>"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


class Script:
    """A server that answers the n-th request with the n-th text, whatever was asked; the last one again and again."""

    def __init__(self, *answers: Sequence[bytes]) -> None:
        self.answers = [*answers]
        self.heads: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                for part in self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]:
                    if part == END:
                        return
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.002)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", ssl=tls)
        try:
            scheme = "https" if tls else "http"
            yield f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}/"
        finally:
            await http.close()
            server.close()


Use = Callable[[str], Awaitable[http.Reply]]


def play(script: Script, *uses: Use) -> list[http.Reply]:
    async def scenario() -> list[http.Reply]:
        async with script.listening() as url:
            return [await use(url) for use in uses]

    return asyncio.run(scenario())


def get(url: str) -> Awaitable[http.Reply]:
    return http.call("GET", url, timeout=3)


def head(url: str) -> Awaitable[http.Reply]:
    return http.call("HEAD", url, timeout=3)


def post(url: str) -> Awaitable[http.Reply]:
    return http.call("POST", url, timeout=3)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of this machine, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(pem)
    )
    return path


async def rest(_url: str) -> http.Reply:
    """Time for the other side to close, or for a connection to grow too old."""
    await asyncio.sleep(0.05)
    return http.Reply(status=0, headers={}, body=b"")


@pytest.mark.parametrize(
    "parts",
    [
        [OK],
        [OK[:10], OK[10:30], OK[30:-1], OK[-1:]],
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n",
            b"1\r\nk\r\n0\r\nX-After: 1\r\n\r\n",
        ],
        [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK],
        [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    ],
    ids=["whole", "in pieces", "chunked", "continue", "hints", "bare line feeds"],
)
def test_a_measured_answer_is_read_and_its_connection_kept(parts: list[bytes]) -> None:
    script = Script(parts)
    replies = play(script, get, get)
    assert [(each.status, each.body) for each in replies] == [(200, b"ok")] * 2
    assert script.connections == 1
    assert "x-after" not in replies[0].headers
    assert "link" not in replies[0].headers


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\n\r\no", b"k", END],
        [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
        [OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"],
        [OK + b"rubbish"],
        [OK, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"],
    ],
    ids=[
        "until the end",
        "HTTP/1.0",
        "close",
        "two at once",
        "rubbish behind it",
        "one that nobody asked for",
    ],
)
def test_where_more_could_follow_the_connection_is_not_used_again(parts: list[bytes]) -> None:
    script = Script(parts, [OK])
    first, _pause, second = play(script, get, rest, get)
    assert first.body == second.body == b"ok"
    assert script.connections == 2


@pytest.mark.parametrize(
    "parts",
    [
        [END],
        [b"HTTP/1.1 200 OK\r\nContent-Le", END],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", END],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", END],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
        [b"<html>"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 600_000],
    ],
    ids=[
        "nothing",
        "half a head",
        "half a body",
        "half a chunk",
        "two lengths",
        "no HTTP",
        "endless head",
        "trailer",
    ],
)
def test_an_answer_that_is_none_leaves_doubt(parts: list[bytes]) -> None:
    script = Script(parts)
    with pytest.raises(Temporary) as caught:
        play(script, post)
    assert (caught.value.code, caught.value.maybe_sent) == ("connection_lost", True)
    assert len(script.heads) == 1


def test_what_has_no_body_needs_no_length() -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
    replies = play(Script([long], [b"HTTP/1.1 204 No Content\r\n\r\n"], [OK]), head, get, get)
    assert [(each.status, each.body) for each in replies] == [(200, b""), (204, b""), (200, b"ok")]


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"ok", mtime=0)),
        ("deflate", zlib.compress(b"ok")),
        ("deflate", zlib.compress(b"ok", wbits=-15)),
        ("gzip", gzip.compress(b"x" * 5_000_000)),
        ("br", b"who knows"),
        ("gzip", b"no gzip"),
    ],
)
def test_a_packed_body_is_unpacked_up_to_the_limit(coding: str, packed: bytes) -> None:
    said = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    [reply] = play(Script([said + packed]), get)
    assert reply.body in {b"ok", b"x" * MAX_BODY, b"who knows", b"no gzip"}
    assert reply.body != packed or coding == "br" or packed == b"no gzip"


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    script = Script([OK, END], [OK])
    assert [each.body for each in play(script, post, rest, post)] == [b"ok", b"", b"ok"]


@pytest.mark.parametrize(("use", "repeats"), [(get, True), (post, False)])
def test_only_what_does_no_harm_is_asked_again(use: Use, repeats: bool) -> None:
    """The other side closes while the second request is on its way: nobody knows whether it was read."""
    script = Script([OK], [END], [OK])
    if repeats:
        assert [each.body for each in play(script, use, use)] == [b"ok", b"ok"]
    else:
        with pytest.raises(Temporary) as caught:
            play(script, use, use)
        assert caught.value.maybe_sent
    assert len(script.heads) == (3 if repeats else 2)


def test_a_connection_that_nobody_uses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.02)
    script = Script([OK])
    play(script, get, rest, get)
    assert script.connections == 2


def test_there_is_an_end_to_how_many_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MOST", 2)

    async def scenario() -> set[int]:
        open_at = set()
        async with script.listening() as one, script.listening() as two, script.listening() as three:
            for url in (one, two, three, one):
                await get(url)
                open_at.add(len(http.wires(http.Reach.PLAIN)._open))
        return open_at

    script = Script([OK])
    assert asyncio.run(scenario()) == {1, 2}
    assert script.connections == 4


def test_a_call_that_is_given_up_ends_its_connection() -> None:
    async def scenario() -> None:
        async with script.listening() as url:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await get(url)
            assert not http.wires(http.Reach.PLAIN)._open
            assert (await get(url)).body == b"ok"

    script = Script([], [OK])
    asyncio.run(scenario())
    assert script.connections == 2


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_connection_over_tls_is_kept_too(
    run: Callable[..., Any], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    ours = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ours)

    async def scenario() -> list[bytes]:
        async with script.listening(theirs) as url:
            return [(await use(url)).body for use in (post, get, get, get)]

    script = Script([OK], [OK[:-1], OK[-1:]], [b"HTTP/1.1 200 OK\r\n\r\nuntil the end", END], [OK])
    assert run(scenario()) == [b"ok", b"ok", b"until the end", b"ok"]
    assert script.connections == 2


def test_a_request_says_what_has_to_be_said() -> None:
    target = URL("http://user:p%20w@example.com:8080/a%20b?c=%26#d")
    sent = request("POST", target, {"accept": "text/plain", "X-Name": "订单"}, b"{}").decode()
    assert sent.split("\r\n") == [
        "POST /a%20b?c=%26 HTTP/1.1",
        "Host: example.com:8080",
        "User-Agent: Push-Center",
        "Accept-Encoding: identity",
        "Authorization: Basic dXNlcjpwIHc=",
        "Content-Type: application/octet-stream",
        "accept: text/plain",
        "X-Name: 订单",
        "Content-Length: 2",
        "",
        "{}",
    ]
    assert b"Content-Length: 0\r\n" in request("POST", target, {}, None)
    assert b"Content-Length" not in request("GET", target, {}, None)
    assert b"\r\nHost: [::1]\r\n" in request("GET", URL("http://[::1]/"), {}, None)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb: c", "a\rb", "a\0b"])
def test_no_value_begins_a_header_of_its_own(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        request("GET", URL("http://example.com/"), {"x": value}, None)


def test_no_method_begins_a_line_of_its_own() -> None:
    with pytest.raises(ValueError, match="method"):
        request("GET / HTTP/1.1\r\nx: y\r\n", URL("http://example.com/"), {}, None)


def test_the_time_covers_a_repetition_too() -> None:
    """A kept connection is closed late, and the question is asked again over a new one: not with all the time anew."""

    class Late(Script):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            first = self.connections == 1
            await reader.readuntil(b"\r\n\r\n")
            if first:
                writer.write(OK)
                await reader.readuntil(b"\r\n\r\n")
            try:
                await asyncio.sleep(0.2 if first else 1)
            finally:
                writer.close()

    async def scenario() -> float:
        async with script.listening() as url:
            await http.call("GET", url, timeout=5)
            began = asyncio.get_running_loop().time()
            with pytest.raises(Temporary, match="no answer in time"):
                await http.call("GET", url, timeout=0.3)
            return asyncio.get_running_loop().time() - began

    script = Late([OK])
    assert asyncio.run(scenario()) < 0.45
    assert script.connections == 2


def test_who_still_waits_when_all_connections_are_closed_is_told() -> None:
    async def scenario() -> None:
        async with script.listening() as url:
            waiting = asyncio.create_task(http.call("GET", url, timeout=5))
            await asyncio.sleep(0.1)
            await http.close()
            error = await asyncio.wait_for(asyncio.gather(waiting, return_exceptions=True), 1)
            assert isinstance(error[0], Temporary)
            assert error[0].maybe_sent
            await asyncio.sleep(0.05)  # the server notices

    script = Script([])
    asyncio.run(scenario())
    assert script.heads


def test_another_protocol_is_not_spoken(caplog: pytest.LogCaptureFixture) -> None:
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n\x00raw"
    script = Script([upgrade], [OK])
    assert [each.status for each in play(script, post, post)] == [101, 200]
    assert script.connections == 2
    assert "data_received" not in caplog.text
