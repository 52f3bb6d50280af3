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
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_app.limits import Limit, TooLong
from channels_app.tokens import MemoryTokens, Tokens

StrOrPromise = str | Promise


class Outcome(StrEnum):
    """What a receipt can say of a delivery. The last four are about its address, and stand beside one of the others.

    ``UNREACHABLE`` is said of an address that is dead, as of a mailbox that does not exist: nobody writes to it again.
    """

    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    OPENED = "opened"
    CLICKED = "clicked"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    COMPLAINED = "complained"


class Address(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where one channel reaches one person."""

    kind: str
    value: str
    locale: str = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One rendered delivery, ready for a provider. ``id`` is stable over all attempts.

    ``callback_url`` is where the account takes receipts, for providers that want to be told with each message;
    ``tried_at`` is when the first attempt began that is asked about, in :meth:`Adapter.lookup` alone;
    ``unsubscribe_url`` takes an RFC 8058 request, empty where the category cannot be left, and on channels that do not
    carry it (:class:`Channel`) where the template does not show it either; ``metadata`` is what the calling system
    attached for itself; ``is_tracked`` says whether a provider that can report opens and clicks is to do so.
    """

    id: str
    address: Address
    content: Mapping[str, Any]
    attempt: int = 1
    category: str = ""
    expires_at: datetime | None = None
    unsubscribe_url: str = ""
    callback_url: str = ""
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
    tried_at: datetime | None = None
    is_tracked: bool = True


class Sent(msgspec.Struct, frozen=True, kw_only=True):
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
    """What a provider says later. ``event_id``, where the provider has one, makes a repetition harmless.

    Which delivery it is about: the one with our own ``delivery_id``, where the provider gives it back, else the
    one with its ``provider_id``; with ``address`` too where one provider id stands for several people. With an
    ``address`` alone it is about that address: somebody wrote STOP (``OPTED_OUT``) or START (``OPTED_IN``).
    """

    provider_id: str = ""
    outcome: Outcome
    at: datetime | None = None
    code: str = ""
    reason: str = ""
    event_id: str = ""
    delivery_id: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A provider's HTTP call to us. Header names are lower case, ``url`` is the one that the provider called.

    Some providers try the address out with a GET before they use it: ``receipts`` verifies that too, and has
    nothing to give; ``reply`` answers the challenge.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    url: str
    method: str = "POST"


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


class Unsupported(Exception):
    """An optional step that this adapter does not have."""


class SecretField(forms.CharField):
    """A credential: stored encrypted, never shown again, kept when left blank on edit."""

    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})


class BaseURLField(forms.URLField):
    """Where the provider is. ``production`` is its own URL, the one to which the SSRF guard is not applied."""

    def __init__(self, production: str, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Base URL"))
        kwargs.setdefault(
            "help_text",
            _("Change it only for a proxy, a region or a test server of yours. Networks of your own have to be "
              "among OUTBOUND_ALLOWED_NETWORKS."),
        )  # fmt: skip
        super().__init__(initial=production, required=False, assume_scheme="https", **kwargs)
        self.production = production
        # Hosts of a network of one's own have short names.
        self.validators = [each for each in self.validators if not isinstance(each, URLValidator)]

    def clean(self, value: Any) -> str:
        cleaned = str(super().clean(value) or self.production)
        if not re.match(r"https?://[^\s/?#@]+(/[^\s?#]*)?$", cleaned):
            raise ValidationError(_("Give an absolute URL, such as https://api.example.com."), code="invalid")
        return cleaned.rstrip("/")


#: A source with none of these is the same for everybody.
MARKUP = ("{{", "{%", "{#")


def has_markup(source: str) -> bool:
    """Whether the engine has anything to do with it."""
    return any(mark in source for mark in MARKUP)


class TextSource(forms.CharField):
    """A content field that people write as a template; ``html`` turns automatic escaping on.

    ``link`` says that it is a URL: one that a browser opens (``web``), or one that an app opens, which can have a
    scheme of its own (``app``). What parameters bring into it is escaped, and none makes it run a script.

    ``max_length`` bounds the source, and ``max_bytes``, ``max_chars`` and ``max_segments`` what is rendered from
    it: a longer text is cut with an ellipsis, or not sent at all, as ``too_long`` says. A source without variables
    is measured when it is written.
    """

    def __init__(
        self,
        *,
        html: bool = False,
        json: bool = False,
        link: Literal["", "web", "app"] = "",
        rows: int = 1,
        max_bytes: int = 0,
        max_chars: int = 0,
        max_segments: int = 0,
        too_long: TooLong = "fail",
        **kwargs: Any,
    ) -> None:
        if too_long == "cut" and (html or json):
            raise TypeError("a cut would break HTML and JSON")
        if rows > 1:
            kwargs.setdefault("widget", forms.Textarea(attrs={"rows": rows}))
        super().__init__(**kwargs)
        self.html = html
        self.json = json
        self.link = link
        self.limit = Limit(max_bytes=max_bytes, max_chars=max_chars, max_segments=max_segments)
        self.too_long = too_long

    def validate(self, value: str) -> None:
        super().validate(value)
        if not has_markup(value) and (excess := self.limit.excess(value)):
            raise ValidationError(excess, code="too_long")

    def fit(self, text: str) -> str:
        """A rendered text as the provider takes it; raises ``ValueError`` where it is too long to be sent."""
        if self.too_long == "cut":
            return self.limit.cut(text)
        if excess := self.limit.excess(text):
            raise ValueError(excess)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way to reach somebody. ``content`` declares the fields that a variant of this channel has.

    ``normalise`` turns what a caller wrote into the one stored form of an address, or raises ``ValueError``
    with a sentence for the caller. ``needs_recipient`` marks a channel whose address is the known recipient, and
    ``carries_way_out`` one whose messages carry ``unsubscribe_url`` beside what they say, for programs to use.
    """

    name: str
    label: StrOrPromise
    address_kind: str
    content: type[forms.Form]
    normalise: Callable[[str], str]
    needs_recipient: bool = False
    carries_way_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """An adapter's sample of itself, with which ``manage.py certify`` plays the provider towards it.

    ``config``, ``address`` and ``content`` are invented and complete; ``{base_url}`` in a text of ``config`` becomes
    the URL of the local provider, and a ``base_url`` is set to it where the adapter has that field. ``answers``
    are what the provider says when all is well, as JSON values or bytes, by a part of the path: the first that
    the path contains, so the empty one goes last. ``refusal`` is a no in a success status, for providers
    that say it so. ``receipt`` makes a genuine call about a ``provider_id``, signed as the provider would; ``signed``
    is False where the provider signs nothing, and only the secret path protects. ``concessions`` names the rules that
    the adapter cannot hold, each with the reason, which stands in the certificate.
    """

    config: Mapping[str, Any]
    address: str
    content: Mapping[str, Any]
    answers: Mapping[str, Any] = field(default_factory=dict)
    refusal: Any = None
    receipt: Callable[[Mapping[str, Any], str], Callback] | None = None
    signed: bool = True
    concessions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do; unsupported is the default.

    ``idempotent``: the same delivery id sent twice reaches the person once, so that an attempt with an
    unknown end is simply repeated. ``check``, ``lookup`` and ``recall`` name the optional methods that the adapter
    has; ``poll_after`` says when to ask :meth:`Adapter.poll`, in seconds after sending. ``timeout`` bounds one
    call, in seconds, and ``concurrency`` the calls that one process has under way.

    ``rate`` (calls in a second) and ``address_rate`` (messages in a minute to one address) are what the provider
    documents, for all workers together; an account's own settings go before them. ``one_provider`` is False where each
    address is a server of its own, as with webhooks: then failures say nothing of the account.

    ``template_field`` is the content field that names a template which the provider has approved beforehand;
    ``only_templates`` that it sends nothing else.
    """

    receipts: bool = False
    idempotent: bool = False
    check: bool = False
    lookup: bool = False
    recall: bool = False
    poll_after: tuple[float, ...] = ()
    batch_size: int = 1
    timeout: float = 30.0
    concurrency: int = 100
    rate: float | None = None
    address_rate: float | None = None
    one_provider: bool = True
    template_field: str = ""
    only_templates: bool = False


class Adapter(ABC):
    """One provider's protocol for one channel. One instance serves one account in one process."""

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    #: The channel it serves; None where an account of it may serve any.
    channel: ClassVar[Channel | None]
    capabilities: ClassVar[Capabilities] = Capabilities()
    #: For ``manage.py certify``; every adapter that calls somebody has one.
    specimen: ClassVar[Specimen | None] = None

    class Config(forms.Form):
        """The account's settings: the form in the admin is the schema."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        #: Shared by all processes where a worker connected the adapter; its own where it was made by hand.
        self.tokens: Tokens = MemoryTokens()
        #: Places for calls that are made many at once beside those of dispatch, which counts its own: a recall.
        self.places = asyncio.Semaphore(self.concurrency)

    @property
    def concurrency(self) -> int:
        """How many calls one process may have under way through this account."""
        return self.capabilities.concurrency

    @property
    def base_url(self) -> str:
        """Where the provider is, without a slash at the end."""
        return str(self.config.get("base_url") or self._production_url).rstrip("/")

    @property
    def guard(self) -> bool:
        """Is the SSRF guard to watch over calls to ``base_url``? Only the provider's own URL needs no guard."""
        return self.base_url != self._production_url.rstrip("/")

    @property
    def _production_url(self) -> str:
        field = self.Config.base_fields.get("base_url")
        return field.production if isinstance(field, BaseURLField) else ""

    def takes(self, address: Address) -> bool:
        """Can this account reach such an address? An account is chosen among those that can."""
        return True

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

    async def check(self) -> str:
        """Try the credentials without reaching anybody: a short sentence of what they open, or a ``ChannelError``.

        For adapters with ``capabilities.check``.
        """
        raise Unsupported(f"{self.label} has no check")

    async def lookup(self, message: Outgoing) -> Sent | None:
        """Did the provider take this message in an attempt whose end is unknown? ``Sent``, or None for no.

        For adapters with ``capabilities.lookup``; asked first ten seconds after an attempt. A ``ChannelError`` says
        that it cannot be told at present: None has to be certain, for the message is sent again then, unmarked.
        """
        raise Unsupported(f"{self.label} cannot look up a message")

    async def recall(self, provider_id: str) -> None:
        """Take a sent message back; raises :class:`Refused` where it is too late.

        For adapters with ``capabilities.recall``.
        """
        raise Unsupported(f"{self.label} cannot recall a message")

    async def poll(self, provider_id: str) -> Sequence[Receipt]:
        """What has become of a sent message, from a provider that does not tell by itself.

        For adapters with ``capabilities.poll_after``. No receipts for "not known yet".
        """
        raise Unsupported(f"{self.label} cannot be asked what became of a message")

    async def close(self) -> None:
        """Let go of connections; called when the account changed or the worker stops."""
        return
