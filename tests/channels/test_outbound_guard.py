"""Where a URL that users can set may lead to."""

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pytest_django import Settings

from channels_app import http
from channels_app.contract import Refused, Temporary
from channels_app.outbound import is_permitted

DENIED_ADDRESSES = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "224.0.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC_ADDRESSES = [
    "1.1.1.1",
    "8.8.8.8",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2606:4700:4700::1111",
    "2400:3200::1",
]
DENIED_URLS = [
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/x",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[fe80::1%25lo]/",
    "https://[fd00:ec2::254]/",
    "https://127。0。0。1/",
    "https://①②⑦.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST:8443/",
    "https://user@127.0.0.1/",
    "http://127.0.0.1/",
    "http://localhost/",
    "http://1.1.1.1/",
    "http://[2606:4700:4700::1111]/",
]
#: Spellings that a resolver may or may not take for 127.0.0.1.
ODD_URLS = [
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://localhost./",
]
NO_URLS = [
    "",
    "example.com",
    "//example.com/",
    "https://",
    "https:///path",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "https://[::1/",
    "https://example.com:99999/",
    f"https://{'a' * 64}.example/",
]


@pytest.fixture(autouse=True)
def _nothing_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []


def call(url: str, **kwargs: Any) -> http.Reply:
    async def scenario() -> http.Reply:
        try:
            return await http.call("POST", url, timeout=4, **kwargs)
        finally:
            await http.close()

    return asyncio.run(scenario())


@pytest.mark.parametrize("address", DENIED_ADDRESSES)
def test_an_address_that_is_not_public_is_denied(address: str) -> None:
    assert not is_permitted(address, secure=True)
    assert not is_permitted(address, secure=False)


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_a_public_address_is_reached_over_tls_alone(address: str) -> None:
    assert is_permitted(address, secure=True)
    assert not is_permitted(address, secure=False)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::5"])
@pytest.mark.parametrize("secure", [True, False])
def test_an_allowed_network_is_reached_either_way(address: str, secure: bool, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.1.0.0/16", "fd00::/64"]
    assert is_permitted(address, secure=secure)
    assert not is_permitted("10.2.0.1", secure=secure)


@pytest.mark.parametrize("url", DENIED_URLS)
def test_a_url_that_leads_inside_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        call(url)
    assert caught.value.code == "destination_denied"


@pytest.mark.parametrize("url", ODD_URLS)
def test_no_odd_spelling_leads_inside(url: str) -> None:
    with pytest.raises((Refused, Temporary)) as caught:
        call(url)
    assert caught.value.code in {"destination_denied", "invalid_url", "dns"}


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        call(url)
    assert caught.value.code == "invalid_url"


async def tell_address(request: web.Request) -> web.Response:
    assert request.transport is not None
    return web.Response(text=request.transport.get_extra_info("sockname")[0])


async def visit(host: str, guards: tuple[bool, ...]) -> list[str]:
    """Call a server on the whole of 127.0.0.0/8 by this name; the addresses at which it was reached."""
    app = web.Application()
    app.router.add_post("/", tell_address)
    async with TestServer(app, host="0.0.0.0") as server:
        url = f"http://{host}:{server.port}/"
        try:
            return [(await http.call("POST", url, guard=guard)).body.decode() for guard in guards]
        finally:
            await http.close()


def reached(host: str, *guards: bool) -> list[str]:
    return asyncio.run(visit(host, guards))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_an_allowed_network_lets_a_call_through(host: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    assert reached(host, True) == ["127.0.0.1"]


def test_a_url_that_the_operator_chose_is_not_guarded() -> None:
    assert reached("127.0.0.1", False) == ["127.0.0.1"]


def test_an_unguarded_call_opens_no_way_for_a_guarded_one() -> None:
    with pytest.raises(Refused):
        reached("localhost", False, True)


def test_of_a_name_only_the_permitted_addresses_are_used(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """It is looked up once, so that no second answer can change the first."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    asked = resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    assert reached("two-faced.example", True) == ["127.0.0.1"]
    assert asked.count("two-faced.example") == 1


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "10.255.255.1", "169.254.169.254")
    with pytest.raises(Refused) as caught:
        call("https://innocent.example/")
    assert caught.value.code == "destination_denied"


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Answer for DNS, of which there is none here; gives the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_args: object, **_kwargs: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked
