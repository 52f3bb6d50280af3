"""What a channel and an adapter are: the only page that the writer of an adapter has to know.

Dispatch calls :meth:`Adapter.send`. It returns :class:`Sent`, or raises one of these, each with one
consequence::

    ChannelError
    ├── Temporary       network or provider: again later, or through another account
    ├── Throttled       we are too fast: again after a pause
    ├── Unreachable     this address cannot be reached: suppress it, next channel
    ├── Refused         this content is not wanted: next channel, else failed
    └── Misconfigured   the account is broken: next account, alert

Anything else that escapes from an adapter counts as ``Temporary(maybe_sent=True)``: a bug must not lose
a message.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from django import forms
from django.utils.functional import Promise

StrOrPromise = str | Promise


class Outcome(StrEnum):
    """What a receipt can say of a delivery."""

    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    OPENED = "opened"
    CLICKED = "clicked"
    OPTED_OUT = "opted_out"
    COMPLAINED = "complained"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one channel reaches one person."""

    kind: str
    value: str
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One rendered delivery, ready for a provider. ``id`` is stable over all attempts."""

    id: str
    address: Address
    content: Mapping[str, Any]
    attempt: int = 1
    category: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The provider took it. ``final`` means that it is delivered and no receipt will follow.

    ``receipts`` are for a provider that foretells what others report later: one whose ``at`` lies ahead is
    applied at that time.
    """

    provider_id: str = ""
    final: bool = False
    note: str = ""
    receipts: Sequence["Receipt"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a provider says later. ``event_id``, where the provider has one, makes a repetition harmless."""

    provider_id: str
    outcome: Outcome
    at: datetime | None = None
    code: str = ""
    reason: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A provider's HTTP call to us. Header names are lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """What the provider wants to hear after its call."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class ChannelError(Exception):
    """An attempt that did not end in :class:`Sent`: the provider's code, and a detail fit to be stored."""

    def __init__(self, detail: str = "", *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


class Temporary(ChannelError):
    """Network or provider trouble. With ``maybe_sent`` the provider may have taken the message."""

    def __init__(self, detail: str = "", *, code: str = "", maybe_sent: bool = False) -> None:
        super().__init__(detail, code=code)
        self.maybe_sent = maybe_sent


class Scope(StrEnum):
    """How much of an account an error speaks of."""

    ACCOUNT = "account"
    ADDRESS = "address"
    SENDER = "sender"
    TEMPLATE = "template"


class Throttled(ChannelError):
    """Too fast. ``retry_after`` is in seconds."""

    def __init__(
        self, detail: str = "", *, code: str = "", retry_after: float = 1.0, scope: Scope = Scope.ACCOUNT
    ) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after
        self.scope = scope


class Unreachable(ChannelError):
    """This address is dead, or (``opted_out``) its owner does not want us."""

    def __init__(self, detail: str = "", *, code: str = "", opted_out: bool = False) -> None:
        super().__init__(detail, code=code)
        self.opted_out = opted_out


class Refused(ChannelError):
    """The provider will not take this content."""


class Misconfigured(ChannelError):
    """Credentials, permission or set-up of the account, or of one sender or template on it."""

    def __init__(self, detail: str = "", *, code: str = "", scope: Scope = Scope.ACCOUNT) -> None:
        super().__init__(detail, code=code)
        self.scope = scope


def settled(result: Sent | BaseException) -> Sent | ChannelError:
    """What a call came to, as a value: an exception that no adapter should raise leaves the end in doubt."""
    if isinstance(result, Sent | ChannelError):
        return result
    if isinstance(result, Exception):
        return Temporary(f"unexpected {type(result).__name__}", code="unexpected", maybe_sent=True)
    raise result


class ForgedCallback(Exception):
    """A callback whose signature does not hold."""


class SecretField(forms.CharField):
    """A credential: stored encrypted, never shown again, kept when left blank on edit."""

    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})


class TextSource(forms.CharField):
    """A content field that people write as a template; ``html`` turns automatic escaping on."""

    def __init__(self, *, html: bool = False, json: bool = False, rows: int = 1, **kwargs: Any) -> None:
        if rows > 1:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        super().__init__(**kwargs)
        self.html = html
        self.json = json


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to reach somebody. ``content`` declares the fields that a variant of this channel has.

    ``normalise`` turns what a caller wrote into the one stored form of an address, or raises ``ValueError``
    with a sentence for the caller. ``needs_recipient`` marks a channel whose address is the known recipient.
    """

    name: str
    label: StrOrPromise
    address_kind: str
    content: type[forms.Form]
    normalise: Callable[[str], str]
    needs_recipient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do; unsupported is the default.

    ``idempotent``: the same delivery id sent twice reaches the person once, so that an attempt with an
    unknown end is simply repeated. ``timeout`` bounds one call, in seconds, and ``concurrency`` the calls that
    one process has under way.
    """

    receipts: bool = False
    idempotent: bool = False
    lookup: bool = False
    recall: bool = False
    batch_size: int = 1
    timeout: float = 30.0
    concurrency: int = 100


class Adapter(ABC):
    """One provider's protocol for one channel. One instance serves one account in one process."""

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    #: The channel it serves; None where an account of it may serve any.
    channel: ClassVar[Channel | None]
    capabilities: ClassVar[Capabilities] = Capabilities()

    class Config(forms.Form):
        """The account's settings: the form in the admin is the schema."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        #: A place for each call that may be under way at once: a slow account fills its own and no other's.
        self.places = asyncio.Semaphore(self.concurrency)

    @property
    def concurrency(self) -> int:
        """How many calls one process may have under way through this account."""
        return self.capabilities.concurrency

    @abstractmethod
    async def send(self, message: Outgoing) -> Sent:
        """Hand one message to the provider; raises a :class:`ChannelError`."""

    async def send_many(self, messages: Sequence[Outgoing]) -> list[Sent | ChannelError]:
        """Hand over several, one result each in the same order; to override where there is a bulk call."""
        results = await asyncio.gather(*(self.send(each) for each in messages), return_exceptions=True)
        return [settled(each) for each in results]

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        """The receipts in a provider's call; raises :class:`ForgedCallback` where it cannot be verified."""
        raise ForgedCallback(f"{self.label} does not report receipts")

    def reply(self, callback: Callback) -> HttpReply:
        """What this provider wants to hear."""
        return HttpReply(body=b"ok")

    async def close(self) -> None:
        """Let go of connections; called when the account changed or the worker stops."""
        return
