"""Trying an account out from the console: its credentials, or one message. Nothing of it is counted or stored."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from channels_app import http, secrets, tape
from channels_app.contract import (
    Adapter,
    Address,
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    Sent,
    Temporary,
    TextSource,
    Throttled,
    Unreachable,
    settled,
)
from channels_app.models import Account, AccountToken
from channels_app.redaction import Redaction
from channels_app.shared_tokens import SharedTokens
from pushcenter.ids import uuid7

#: What an end is called, from the most special kind on.
WORDS: tuple[tuple[type[ChannelError], str], ...] = (
    (Misconfigured, "misconfigured"),
    (Unreachable, "unreachable"),
    (Throttled, "throttled"),
    (Refused, "refused"),
    (Temporary, "temporary"),
)
Work = Callable[[Adapter], Awaitable[Sent | str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One call to the provider and its answer, without secrets."""

    call: str
    status: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it: ``outcome`` is ``sent``, ``fine`` or the name of an error."""

    outcome: str
    code: str = ""
    detail: str = ""
    provider_id: str = ""
    said: tuple[Said, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.outcome in {"sent", "fine"}


def check(account: Account) -> Trial:
    """Try the credentials."""
    return _try(account, lambda adapter: adapter.check())


def send(account: Account, address: Address, content: Mapping[str, Any]) -> Trial:
    """Send one message, past the queue and its records."""
    message = Outgoing(id=str(uuid7()), address=address, content=content, callback_url=account.callback_url)
    return _try(account, lambda adapter: adapter.send(message))


def content_from(fields: Mapping[str, Any], cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """What people wrote into a channel's form, word for word, as an adapter takes it.

    Raises ``ValueError`` where a text is too long or no JSON.
    """
    content: dict[str, Any] = {}
    for name, value in cleaned.items():
        field = fields[name]
        if value and isinstance(field, TextSource):
            text = field.fit(value)
            content[name] = json.loads(text) if field.json else text
        elif value:
            content[name] = value
    return content


def _try(account: Account, work: Work) -> Trial:
    adapter = account.connect()
    adapter.tokens = SharedTokens(account)
    with tape.recording() as exchanges:
        result = asyncio.run(_run(adapter, work))
    hidden = Redaction(account.secret_values(), *_tokens(account))
    said = tuple(_said(each, hidden) for each in exchanges)
    if isinstance(result, ChannelError):
        word = next((word for kind, word in WORDS if isinstance(result, kind)), "refused")
        return Trial(outcome=word, code=result.code, detail=hidden.text(result.detail), said=said)
    if isinstance(result, Sent):
        note = hidden.text(result.note)
        return Trial(outcome="sent", provider_id=result.provider_id, detail=note, said=said)
    return Trial(outcome="fine", detail=hidden.text(result), said=said)


async def _run(adapter: Adapter, work: Work) -> Sent | str | ChannelError:
    try:
        return await asyncio.wait_for(work(adapter), adapter.capabilities.timeout)
    except TimeoutError:
        return Temporary("no answer in time", code="timeout", maybe_sent=True)
    except Exception as error:
        return settled(error)
    finally:
        await adapter.close()
        await http.close()


def _tokens(account: Account) -> list[str]:
    rows = AccountToken.objects.filter(account=account).exclude(encrypted="")
    return [secrets.decrypt(each.encrypted) for each in rows]


def _said(exchange: tape.Exchange, hidden: Redaction) -> Said:
    return Said(
        call=f"{exchange.method} {hidden.url(exchange.url)}",
        status=exchange.fault or str(exchange.status),
        body=hidden.text(exchange.body.decode("utf-8", "replace")),
    )
