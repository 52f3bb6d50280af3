"""Mail over SMTP (RFC 5321) to the enterprise's relay or to a provider's.

smtplib blocks, so an account has a few threads; each uses a connection of its own, and connections stay
open from one mail to the next. A mail has one recipient: the server's answer is then about that address.

What cannot be delivered comes back as a mail (RFC 3464), days later perhaps, to the envelope's sender. With a bounce
address each mail has a sender of its own there, bounce+TOKEN@ (VERP), which names the delivery and is signed. Where
such mails arrive, a pipe hands them in, as they are, by a POST to the account's address for receipts.
"""

import asyncio
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from enum import StrEnum
from functools import cache, partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from channels_app.channels import EMAIL
from channels_app.contract import (
    Adapter,
    Callback,
    Capabilities,
    ChannelError,
    Misconfigured,
    Outgoing,
    Receipt,
    Refused,
    Scope,
    SecretField,
    Sent,
    Temporary,
    Unreachable,
)
from channels_app.mime import Mailbox, Returns, compose, original_id, reports, unsubscribe_headers

#: A connection that was idle for longer may have died without a word on the way; a fresh one costs less.
MAX_IDLE_S = 60.0
#: Before the @ of a bounce address.
MAX_LOCAL = 15


class Stage(StrEnum):
    """How far the conversation about a mail has come."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


SECURITY = [("starttls", _("STARTTLS (port 587)")), ("tls", _("TLS (port 465)")), ("none", _("None"))]

Meaning = Callable[..., ChannelError]
not_our_sender = partial(Misconfigured, scope=Scope.SENDER)

#: Basic codes that speak of the account at every stage (RFC 4954, RFC 3207).
OF_THE_ACCOUNT = frozenset({
    530,  # log in first, or use TLS first
    534,  # this way of logging in is too weak
    535,  # wrong user name or password
    538,  # this way of logging in needs TLS
})  # fmt: skip
#: Looked up by the enhanced code (RFC 3463), by its first two numbers, by stage and basic code, by basic
#: code, by stage and first digit, by first digit.
MEANINGS: Mapping[str, Meaning] = {
    "5.1": Unreachable,  # 5.1.1 no such mailbox, 5.1.2 no such domain, 5.1.6 moved, 5.1.10 null MX
    "5.1.7": not_our_sender,  # our From address is malformed
    "5.1.8": not_our_sender,  # the domain of our From address cannot be resolved
    "4.2.2": Temporary,  # mailbox full
    "5.2.1": Unreachable,  # mailbox disabled
    "5.2.2": Temporary,  # mailbox full; people do tidy up
    "5.2.3": Refused,  # too large for this mailbox
    "5.3.4": Refused,  # too large for this server
    "5.4.4": Unreachable,  # there is no way to this domain
    "5.7": Refused,  # policy, reputation or spam: this mail, not this address
    "5.7.8": Misconfigured,  # wrong user name or password
    "552": Temporary,  # mailbox full, to servers without enhanced codes
    "rcpt 501": Unreachable,  # the address is malformed
    "rcpt 550": Unreachable,  # no such mailbox
    "rcpt 551": Unreachable,  # not here
    "rcpt 553": Unreachable,  # no such name
    "554": Refused,
    "connect 5": Misconfigured,  # the server does not want this client at all
    "mail 5": not_our_sender,
    "4": Temporary,
    "5": Refused,
}
#: Before RCPT the server knows nothing about the recipient, so an enhanced code speaks of our own side there.
BEFORE_RECIPIENT = frozenset({Stage.CONNECT, Stage.MAIL})
#: At the start of an answer (RFC 2034), or behind a # as qmail and IronPort write it.
ENHANCED = re.compile(r"(?:^|#)(([245]\.\d{1,3})\.\d{1,3})(?![.\d])")


class ConnectionDropped(Temporary):
    """The server ended the connection before it was told of a mail: another connection may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that is ready for the wire."""

    message_id: str
    sender: str
    to: Mailbox
    data: bytes

    @property
    def options(self) -> tuple[str, ...]:
        return ("SMTPUTF8", "BODY=8BITMIME") if self.to.needs_utf8 else ()


def mailbox(value: str) -> None:
    """Form validator: an address that is our own, and that every server can take."""
    try:
        parsed = Mailbox.parse(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if parsed.needs_utf8:
        raise ValidationError(_("The part before the @ must be in ASCII."))


def short(value: str) -> None:
    """Form validator: 64 characters are all that may stand before the @, and a token takes 48 of them."""
    if len(value.partition("@")[0]) > MAX_LOCAL:
        raise ValidationError(
            _("At most %(limit)s characters may stand before the @."), params={"limit": MAX_LOCAL}
        )


class SmtpAdapter(Adapter):
    name = "smtp"
    label = _("SMTP")
    channel = EMAIL
    capabilities = Capabilities(timeout=60, receipts=True)

    class Config(forms.Form):
        host = forms.CharField(max_length=253, label=_("Server"))
        port = forms.IntegerField(min_value=1, max_value=65535, initial=587, label=_("Port"))
        security = forms.ChoiceField(
            choices=SECURITY,
            initial="starttls",
            label=_("Encryption"),
            help_text=_("Without encryption, mails and the password can be read on the way."),
        )
        username = forms.CharField(required=False, max_length=200, label=_("User name"))
        password = SecretField(required=False, label=_("Password"))
        from_address = forms.CharField(
            max_length=320,
            validators=[mailbox],
            label=pgettext_lazy("sender", "From"),
            help_text=_("Such as Shop <shop@example.com>."),
        )
        reply_to = forms.CharField(required=False, max_length=320, validators=[mailbox], label=_("Reply to"))
        bounce_address = forms.CharField(
            required=False,
            max_length=320,
            validators=[mailbox, short],
            label=_("Bounce address"),
            help_text=_(
                "Such as bounce@example.com. Mails that cannot be delivered return to bounce+…@example.com; let its "
                "mail server hand them in by a pipe: |curl --silent --data-binary @- and the address for receipts."
            ),
        )
        bounce_secret = SecretField(
            required=False,
            label=_("Secret of the bounce address"),
            help_text=_("Any long random text. It signs the part behind the +."),
        )
        timeout_s = forms.IntegerField(
            min_value=1,
            max_value=15,
            initial=10,
            label=_("Timeout"),
            help_text=_("Seconds to wait for each answer of the server."),
        )
        connections = forms.IntegerField(
            min_value=1,
            max_value=32,
            initial=4,
            label=_("Connections"),
            help_text=_("How many mails each worker process hands over at the same time."),
        )

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            if cleaned.get("bounce_address") and not cleaned.get("bounce_secret"):
                self.add_error("bounce_secret", ValidationError(_("A bounce address needs one.")))
            return cleaned

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._sender = Mailbox.parse(config["from_address"])
        self._reply_to = Mailbox.parse(config["reply_to"]) if config.get("reply_to") else None
        self._returns = Returns.of(config)
        self._pool = ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="smtp")
        self._idle: list[tuple[smtplib.SMTP, float]] = []  # with the time since which it is idle
        self._closed = False

    @property
    def concurrency(self) -> int:
        return self.config.get("connections") or 4

    async def send(self, message: Outgoing) -> Sent:
        if self._closed:
            raise Temporary("the account was closed", code="closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._deliver, message)

    async def close(self) -> None:
        """Waits for the mails under way, then says goodbye on every connection."""
        self._closed = True
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._pool.shutdown(wait=True)
        for link, _since in self._idle:
            with suppress(OSError):
                link.quit()
        self._idle.clear()

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        mail = message_from_bytes(callback.body, policy=policy.default)
        if self._returns is None:
            return reports(mail, provider_id=original_id(mail))
        delivery = self._returns.delivery_of(mail)
        return reports(mail, delivery_id=delivery, provider_id=f"<{delivery}@{self._sender.domain}>")

    # All that follows runs in the threads.

    def _deliver(self, message: Outgoing) -> Sent:
        letter = self._letter(message)
        kept = self._take_idle()
        if kept is not None:
            with suppress(ConnectionDropped):
                return self._hand_over(kept, letter)
        return self._hand_over(self._open(), letter)

    def _letter(self, message: Outgoing) -> Letter:
        try:
            to = Mailbox.parse(message.address.value)
        except ValueError:
            raise Unreachable("this is no address for mail", code="malformed") from None
        mail = compose(message, to=to, sender=self._sender, reply_to=self._reply_to)
        # Written by hand, because a library folds or encodes what is longer than a line.
        leaving = "".join(f"{name}: {value}\r\n" for name, value in unsubscribe_headers(message).items())
        return Letter(
            message_id=str(mail["Message-ID"]),
            sender=self._returns.address_of(message.id) if self._returns else self._sender.address,
            to=to,
            data=leaving.encode("ascii", "replace") + mail.as_bytes(),
        )

    def _take_idle(self) -> smtplib.SMTP | None:
        while True:
            try:
                link, since = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - since < MAX_IDLE_S:
                return link
            link.close()

    def _hand_over(self, link: smtplib.SMTP, letter: Letter) -> Sent:
        try:
            answer = converse(link, letter)
        except ChannelError:
            self._keep_if_sound(link)
            raise
        except BaseException:
            link.close()
            raise
        self._idle.append((link, time.monotonic()))
        return Sent(provider_id=letter.message_id, note=answer[:200])

    def _keep_if_sound(self, link: smtplib.SMTP) -> None:
        """After a refusal the connection serves the next mail, if the server agrees."""
        try:
            code, _text = link.rset()
        except OSError:
            code = 0
        if code == 250:
            self._idle.append((link, time.monotonic()))
        else:
            link.close()

    def _open(self) -> smtplib.SMTP:
        try:
            link = self._connect()
        except smtplib.SMTPResponseException as error:
            raise meaning(Stage.CONNECT, error.smtp_code, readable(error.smtp_error)) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Misconfigured(str(error), code="not_supported") from None
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured(f"the server's certificate: {error.verify_message}", code="tls") from None
        except OSError as error:
            raise Temporary(f"no connection: {type(error).__name__}", code="connect") from None
        except UnicodeError:
            raise Misconfigured("a setting has characters that SMTP cannot carry", code="not_ascii") from None
        return link

    def _connect(self) -> smtplib.SMTP:
        config, context = self.config, ssl.create_default_context()
        where = {"host": config["host"], "port": config["port"], "timeout": config.get("timeout_s") or 10}
        if config["security"] == "tls":
            link: smtplib.SMTP = smtplib.SMTP_SSL(**where, local_hostname=host_name(), context=context)
        else:
            link = smtplib.SMTP(**where, local_hostname=host_name())
        try:
            if config["security"] == "starttls":
                link.starttls(context=context)
            link.ehlo_or_helo_if_needed()
            if config.get("username"):
                link.login(config["username"], config.get("password") or "")
        except BaseException:
            link.close()
            raise
        return link


@cache
def host_name() -> str:
    """How we introduce ourselves. Looked up once: without DNS it takes seconds."""
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def converse(link: smtplib.SMTP, letter: Letter) -> str:
    """MAIL, RCPT and DATA; the server's last answer, or a :class:`ChannelError`."""
    if letter.to.needs_utf8 and not link.has_extn("smtputf8"):
        raise Unreachable("the server cannot take addresses outside ASCII", code="smtputf8")
    step(Stage.MAIL, letter, lambda: link.mail(letter.sender, letter.options))
    step(Stage.RCPT, letter, lambda: link.rcpt(letter.to.address))
    return step(Stage.DATA, letter, lambda: link.data(letter.data))


def step(stage: Stage, letter: Letter, command: Callable[[], tuple[int, bytes | str]]) -> str:
    try:
        code, answer = command()
    except smtplib.SMTPResponseException as error:  # how smtplib says that DATA itself was refused
        code, answer = error.smtp_code, error.smtp_error
    except OSError as error:
        raise lost(stage, error) from None
    text = re.sub(re.escape(letter.to.address), "<recipient>", readable(answer), flags=re.IGNORECASE)
    if not 200 <= code < 300:
        raise meaning(stage, code, text)
    return text


def lost(stage: Stage, error: OSError) -> Temporary:
    detail = f"connection lost at {stage}: {type(error).__name__}"
    if stage is Stage.MAIL:
        return ConnectionDropped(detail, code="connection_lost")
    return Temporary(detail, code="connection_lost", maybe_sent=stage is Stage.DATA)


def readable(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())


def meaning(stage: Stage, code: int, text: str) -> ChannelError:
    """What an answer stands for: an unknown one is judged by its first digit, an unreadable one in doubt."""
    if stage is Stage.MAIL and code == 421:  # closing: how a server ends a connection that was idle for long
        return ConnectionDropped(text[:300], code="421")
    found = ENHANCED.search(text)
    shown = found[1] if found else str(code)
    if code in OF_THE_ACCOUNT:
        return Misconfigured(text[:300], code=shown)
    for key in keys(stage, code, found):
        if key in MEANINGS:
            return MEANINGS[key](text[:300], code=shown)
    return Temporary(text[:300], code=shown, maybe_sent=stage is Stage.DATA)


def keys(stage: Stage, code: int, enhanced: re.Match[str] | None) -> list[str]:
    basic = [f"{stage} {code}", str(code), f"{stage} {code // 100}", str(code // 100)]
    if stage in BEFORE_RECIPIENT:
        return basic[2:]
    if enhanced is None:
        return basic
    return [enhanced[1], enhanced[2], *basic]
