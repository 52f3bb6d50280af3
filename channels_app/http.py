"""The HTTP client that all adapters share, and what a network fault or a status means.

There is one set of connections per event loop: a worker has one long-lived loop, so they are kept alive from
one delivery to the next. No cookies, no redirects, no proxies from the environment.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import NamedTuple

import aiohttp
from aiohttp.abc import ResolveResult
from django.core.signals import setting_changed
from django.dispatch import receiver
from yarl import URL

from channels_app import tape
from channels_app.contract import ChannelError, Misconfigured, Refused, Temporary, Throttled, Unreachable
from channels_app.outbound import is_permitted
from channels_app.wire import MAX_BODY, Answer, Lost, request
from channels_app.wires import Wires

__all__ = ["MAX_BODY"]

#: Shorter than the five seconds after which many servers close an idle connection, because a request that
#: meets the closing has an unknown end.
KEEP_ALIVE_S = 4.0
#: Getting a connection may take this long, or half of the whole time where that is less.
MAX_CONNECT_S = 5.0
#: What a provider may ask us to wait, in seconds.
MIN_RETRY_AFTER, MAX_RETRY_AFTER = 1.0, 3600.0

#: Makes the error from its detail and code.
Meaning = Callable[..., ChannelError]
#: A status and the error that it stands for; an adapter overrides single ones.
STATUS_MEANINGS: Mapping[int, Meaning] = {
    401: Misconfigured,  # the credentials are not taken
    403: Misconfigured,  # they do not give this right
    404: Unreachable,  # most providers name the addressee in the path
    408: Temporary,  # it waited too long for our request
    410: Unreachable,  # gone for good
    425: Temporary,  # too early (RFC 8470)
    429: Throttled,
}
#: For all others: the first digit.
CLASS_MEANINGS: Mapping[int, Meaning] = {
    3: Misconfigured,  # an API that redirects is called at the wrong URL
    4: Refused,
    5: Temporary,
}
#: A gateway lost the server behind it, which may have done its work.
GATEWAY_FAULTS = frozenset({502, 504})


class Reply(NamedTuple):
    """An HTTP answer: header names in lower case, body cut at ``MAX_BODY``, ``retry_after`` in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after: float | None = None


class Reach(StrEnum):
    """Where a session may connect to; each has its own connections and its own DNS cache."""

    ANYWHERE = "anywhere"  # the operator chose the URL
    SECURE = "secure"  # a user did: public addresses and allowed networks
    PLAIN = "plain"  # a user did, without TLS: allowed networks alone

    __hash__ = str.__hash__  # that of an enumeration is a function of Python


class CheckedResolver(aiohttp.ThreadedResolver):
    """Gives only permitted addresses, so that the connection is made to an address that was checked."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        secure = self._reach is Reach.SECURE
        permitted = [each for each in found if is_permitted(each["host"], secure=secure)]
        if not permitted:
            raise _denied()
        return permitted


_wires: dict[asyncio.AbstractEventLoop, dict[Reach, Wires]] = {}


def wires(reach: Reach = Reach.ANYWHERE) -> Wires:
    """The running loop's connections, opened on first use; :func:`close` ends them."""
    loop = asyncio.get_running_loop()
    mine = _wires.get(loop)
    if mine is None:
        mine = _wires[loop] = {}
    found = mine.get(reach)
    if found is None:
        resolver = None if reach is Reach.ANYWHERE else CheckedResolver(reach)
        found = mine[reach] = Wires(resolver, keep=KEEP_ALIVE_S)
    return found


async def close() -> None:
    """Close the running loop's connections; the last thing that a loop does."""
    for each in _wires.pop(asyncio.get_running_loop(), {}).values():
        await each.close()


async def call(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 15.0,  # noqa: ASYNC109 - it is divided between the phases of the call
    guard: bool = True,
) -> Reply:
    """One request; ``timeout`` is in seconds and covers all of it. Every status comes back as a reply.

    With ``guard`` the URL may lead only to public addresses over https, and to the networks in
    ``OUTBOUND_ALLOWED_NETWORKS``; else, and where it is no URL, :class:`Refused` is raised. A fault of the
    network is :class:`Temporary`, with ``maybe_sent`` from the moment at which there was a connection.
    """
    target, reach = _destination(url, guard=guard)
    method = method.upper()
    try:
        answer = await wires(reach).ask(
            method,
            target,
            request(method, target, headers or {}, body),
            seconds=timeout,
            connect_seconds=min(MAX_CONNECT_S, timeout / 2),
        )
    except UnicodeError:  # a host name that DNS cannot carry
        raise _invalid() from None
    except (aiohttp.ClientError, TimeoutError, Lost) as fault:
        error = _meaning_of(fault)
        tape.note(tape.Exchange(method=method, url=url, fault=error.detail))
        raise error from fault
    if tape.is_running():
        tape.note(
            tape.Exchange(
                method=method, url=url, status=answer.status, headers=answer.headers, body=answer.body
            )
        )
    return _reply(answer)


async def check_destination(url: str) -> None:
    """The guard of :func:`call` for a library that makes the connection itself; raises a ``ChannelError``.

    The library resolves the name once more: that it changes in between is not caught.
    """
    target, reach = _destination(url, guard=True)
    try:
        await CheckedResolver(reach).resolve(target.raw_host or "", target.port or 0)
    except OSError:
        raise Temporary("the host name was not resolved", code="dns") from None
    except UnicodeError:
        raise _invalid() from None


@lru_cache(maxsize=4096)
def _destination(url: str, *, guard: bool) -> tuple[URL, Reach]:
    target = _target(url)
    if not guard:
        return target, Reach.ANYWHERE
    reach = Reach.SECURE if target.scheme == "https" else Reach.PLAIN
    _check_literal(target.raw_host or "", reach)
    return target, reach


@receiver(setting_changed)
def _forget_destinations(**_others: object) -> None:
    """Which networks are allowed is a setting, and tests change it."""
    _destination.cache_clear()


def _target(url: str) -> URL:
    try:
        target = URL(url)
    except ValueError:
        raise _invalid() from None
    if target.scheme not in {"http", "https"} or not target.raw_host:
        raise _invalid()
    return target


def _check_literal(host: str, reach: Reach) -> None:
    """aiohttp asks no resolver about a host that is an IP address already."""
    permitted = is_permitted(host, secure=reach is Reach.SECURE) if _is_literal(host) else ":" not in host
    if not permitted:  # a name is for the resolver to see
        raise _denied()


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _denied() -> Refused:
    return Refused("this destination is not permitted", code="destination_denied")


def _invalid() -> Refused:
    return Refused("this is not an HTTP URL", code="invalid_url")


def _meaning_of(fault: aiohttp.ClientError | TimeoutError | Lost) -> ChannelError:
    """The order counts: the special kinds of aiohttp's exceptions inherit from the general ones."""
    match fault:
        case aiohttp.InvalidURL():
            return _invalid()
        case aiohttp.ConnectionTimeoutError():
            return Temporary("no connection in time", code="connect_timeout")
        case aiohttp.ClientConnectorDNSError():
            return Temporary("the host name was not resolved", code="dns")
        case aiohttp.ClientSSLError():
            return Temporary("TLS could not be established", code="tls")
        case aiohttp.ClientConnectorError():
            return Temporary("no connection", code="connect")
        case TimeoutError():
            return Temporary("no answer in time", code="timeout", maybe_sent=True)
    return Temporary(f"the call broke off: {fault}", code="connection_lost", maybe_sent=True)


def _reply(answer: Answer) -> Reply:
    pause = answer.headers.get("retry-after")
    return Reply(*answer, parse_retry_after(pause, now=datetime.now(UTC)) if pause else None)


def parse_retry_after(value: str, *, now: datetime) -> float | None:
    """Seconds to wait, from either form of Retry-After (RFC 9110, 10.2.3); None where it is neither."""
    value = value.strip()
    if not value:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        seconds = float(value)
    else:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, MIN_RETRY_AFTER), MAX_RETRY_AFTER)


def raise_for_status(
    reply: Reply,
    meanings: Mapping[int, Meaning] = MappingProxyType({}),
    *,
    detail: str = "",
    code: str = "",
) -> None:
    """Raise what a status outside 2xx stands for; ``meanings`` goes before ``STATUS_MEANINGS``.

    ``code`` and ``detail`` are the provider's own, where its body had any.
    """
    if 200 <= reply.status < 300:
        return
    error = _meaning(reply, meanings)(detail or f"HTTP status {reply.status}", code=code or str(reply.status))
    if isinstance(error, Throttled) and reply.retry_after is not None:
        error.retry_after = reply.retry_after
    if isinstance(error, Temporary):
        error.maybe_sent = reply.status in GATEWAY_FAULTS
    raise error


def _meaning(reply: Reply, meanings: Mapping[int, Meaning]) -> Meaning:
    if reply.status in meanings:
        return meanings[reply.status]
    if reply.status == 503 and reply.retry_after is not None:
        return Throttled
    return STATUS_MEANINGS.get(reply.status) or CLASS_MEANINGS.get(reply.status // 100, Temporary)
