"""A mail as bytes, and one that comes back: what adapters for mail need, whatever takes it to the provider."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_string, policy
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.utils import format_datetime, getaddresses, parsedate_to_datetime
from html import escape
from html.parser import HTMLParser
from typing import Any, Self

from email_validator import EmailNotValidError, validate_email

from channels_app.contract import ForgedCallback, Outcome, Outgoing, Receipt

#: Line breaks and other control characters, which have no place in a header, and blanks.
BLANKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
BODY_TAG = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)
#: What a returned mail says of the one that it is about (RFC 3464, 2.3.3).
ACTIONS = {
    "failed": Outcome.UNDELIVERED,
    "delivered": Outcome.DELIVERED,
    "expanded": Outcome.DELIVERED,  # to the members of a list
    "relayed": Outcome.SENT,  # to a server that reports nothing
    "delayed": Outcome.UNKNOWN,  # the server goes on trying
}
#: By these codes a server says that an address is dead (RFC 3463): the whole code, or its first two numbers.
DEAD = frozenset({
    "5.1",  # 5.1.1 no such mailbox, 5.1.2 no such domain, 5.1.6 moved, 5.1.10 null MX
    "5.2.1",  # mailbox disabled
    "5.4.4",  # there is no way to this domain
})  # fmt: skip
#: These of them speak of the sender's address.
OF_THE_SENDER = frozenset({"5.1.7", "5.1.8"})
ENHANCED = re.compile(r"(?<![.\d])(([245]\.\d{1,3})\.\d{1,3})(?![.\d])")
#: Headers in which the address stands to which a mail came.
RECEIVED_AT = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
#: Kinds of complaints (RFC 5965, 3.1, and RFC 6430); others, such as virus, speak of the mail alone.
COMPLAINTS = frozenset({"abuse", "fraud"})
HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0"

# Seven bits pass through every relay; lines are folded and encoded where they have to be.
SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")
SEVEN_BIT_UTF8 = policy.SMTPUTF8.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """An address with an optional name. ``address`` has its domain in ASCII where that is possible."""

    address: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``Shop <shop@example.com>`` or ``shop@example.com``; raises ``ValueError``."""
        found = getaddresses([text])
        if len(found) != 1 or any(ord(character) < ord(" ") for character in text):
            raise ValueError("Give one address, such as Shop <shop@example.com>.")
        name, address = found[0]
        try:
            valid = validate_email(address, check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            raise ValueError(str(error)) from None
        return cls(address=valid.ascii_email or valid.normalized, name=name)

    @property
    def needs_utf8(self) -> bool:
        """Can only a server with SMTPUTF8 (RFC 6531) take this address?"""
        return not self.address.isascii()

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def header(self) -> Address:
        local, _, domain = self.address.rpartition("@")
        return Address(display_name=self.name, username=local, domain=domain)


def compose(
    message: Outgoing, *, to: Mailbox, sender: Mailbox, reply_to: Mailbox | None = None
) -> EmailMessage:
    """The mail. Its Message-ID comes from the delivery's id, so that all attempts carry the same one."""
    mail = EmailMessage(policy=SEVEN_BIT_UTF8 if to.needs_utf8 else SEVEN_BIT)
    mail["Subject"] = one_line(message.content.get("subject") or "")
    mail["From"] = sender.header()
    mail["To"] = to.header()
    if reply_to is not None:
        mail["Reply-To"] = reply_to.header()
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{message.id}@{sender.domain}>"
    mail["X-Push-Center-Delivery"] = message.id
    html = message.content.get("html") or ""
    mail.set_content(message.content.get("text") or plain_text(html))
    if html:
        mail.add_alternative(with_preheader(html, message.content.get("preheader") or ""), subtype="html")
    return mail


def unsubscribe_headers(message: Outgoing) -> dict[str, str]:
    """RFC 8058's, by which mail programs show a button for leaving. Keep each on one line.

    A folded List-Unsubscribe has broken DKIM signatures on its way. The button needs HTTPS (RFC 8058, 3.1): over HTTP
    there is a link alone (RFC 2369).
    """
    url = one_line(message.unsubscribe_url)
    if not url:
        return {}
    button = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if url.startswith("https://") else {}
    return {"List-Unsubscribe": f"<{url}>", **button}


def one_line(text: str) -> str:
    """The text with line breaks and other control characters as blanks: a header has one line."""
    return BLANKS.sub(" ", text).strip()


def with_preheader(html: str, preheader: str) -> str:
    """The HTML with the text that mail programs show beside the subject, itself invisible, in front."""
    if not preheader:
        return html
    hidden = f'<div style="{HIDDEN}">{escape(preheader)}</div>'
    body = BODY_TAG.search(html)
    start = body.end() if body else 0
    return html[:start] + hidden + html[start:]


def plain_text(html: str) -> str:
    """A readable text for mail programs without HTML; links keep their target."""
    reader = _TextReader()
    reader.feed(readable(html))
    reader.close()
    return reader.text()


def readable(html: str) -> str:
    """The same for Python's parser, which behind the last ">" would look for the end of each tag once more."""
    end = html.rfind(">") + 1
    return html[:end] + html[end:].replace("<", "&lt;")


class _TextReader(HTMLParser):
    UNSEEN = frozenset({"style", "script", "title", "template"})
    #: Elements that stand on lines of their own, and the line breaks around them.
    BLOCKS = {
        **dict.fromkeys(
            ["p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "blockquote", "hr"], 2
        ),
        **dict.fromkeys(["div", "tr", "section", "article", "header", "footer", "center", "body", "pre"], 1),
    }

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._unseen = 0
        self._links: list[tuple[str, int]] = []  # target, and where in the parts its text begins

    def text(self) -> str:
        lines = "\n".join(line.strip(" ") for line in "".join(self._parts).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", lines).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in self.UNSEEN:
            self._unseen += 1
        elif tag == "a":
            if self._links:  # no link stands within a link
                self._end_link(*self._links.pop())
            self._links.append((values.get("href") or "", len(self._parts)))
        elif tag == "img":
            self._write(values.get("alt") or "")
        elif tag in {"br", "li"}:
            self._parts.append("\n" if tag == "br" else "\n- ")
        else:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in {"td", "th"}:
            self._write(" ")
        else:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        self._write(re.sub(r"[\s\u200b]+", " ", data))

    def _write(self, text: str) -> None:
        if text and not self._unseen:
            before = self._parts[-1] if self._parts else "\n"
            self._parts.append(text.lstrip(" ") if before.endswith((" ", "\n")) else text)

    def _break(self, tag: str) -> None:
        tail = "".join(self._parts[-3:])
        present = len(tail) - len(tail.rstrip("\n"))
        self._parts.append("\n" * (self.BLOCKS.get(tag, 0) - present))

    def _end_link(self, target: str, start: int) -> None:
        words = "".join(self._parts[start:]).strip()
        is_seen = words in {target, target.partition(":")[2]}
        if target.startswith(("http:", "https:", "mailto:", "tel:")) and not is_seen:
            self._parts.append(f" ({target})" if words else target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """Where mails return to that cannot be delivered: an address for each delivery, and signed."""

    local: str
    domain: str
    secret: str

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self | None:
        if not config.get("bounce_address"):
            return None
        local, _at, domain = Mailbox.parse(config["bounce_address"]).address.rpartition("@")
        return cls(local=local, domain=domain, secret=config["bounce_secret"])

    def address_of(self, delivery_id: str) -> str:
        return f"{self.local}+{delivery_id}.{self._signature(delivery_id)}@{self.domain}"

    def delivery_of(self, mail: Message) -> str:
        """The delivery that a returned mail is about; raises :class:`ForgedCallback`.

        A complaint comes to another address, and has ours in the mail that is attached.
        """
        pattern = (
            rf"{re.escape(self.local.lower())}\+([\w.-]+)\.([0-9a-f]{{10}})@{re.escape(self.domain.lower())}"
        )
        addressed = " ".join([*_values(mail, RECEIVED_AT), *_values_within(mail, "Return-Path")])
        for delivery_id, signature in re.findall(pattern, addressed.lower()):
            if hmac.compare_digest(signature, self._signature(delivery_id)):
                return str(delivery_id)
        raise ForgedCallback("the mail is not addressed to a bounce address of ours")

    def _signature(self, delivery_id: str) -> str:
        return hmac.new(self.secret.encode(), delivery_id.encode(), hashlib.sha256).hexdigest()[:10]


def _values(mail: Message, names: Iterable[str]) -> list[str]:
    return [str(value) for name in names for value in mail.get_all(name, [])]


def _values_within(mail: Message, name: str) -> list[str]:
    """What a header says in the mails that are attached."""
    return [value for part in attached(mail) for value in _values(part, [name])]


def reports(mail: Message, *, provider_id: str, delivery_id: str = "") -> list[Receipt]:
    """What a returned mail says (RFC 3464), or a complaint that a mailbox provider passes on (RFC 5965).

    An absence note, or somebody's answer, says nothing.
    """
    about = Receipt(
        provider_id=provider_id, delivery_id=delivery_id, at=moment(mail), outcome=Outcome.COMPLAINED
    )
    return [*_returned(mail, about), *(replace(about, code=kind) for kind in complaints(mail))]


def _returned(mail: Message, about: Receipt) -> Iterator[Receipt]:
    parts = [part for part in mail.walk() if part.get_content_type() == "message/delivery-status"]
    for group in (group for part in parts for group in inner(part) if group["action"]):
        code = str(group["status"] or "").strip()[:20]
        for outcome in outcomes(group):
            yield replace(about, outcome=outcome, code=code, reason=reason(group))


def complaints(mail: Message) -> list[str]:
    """The kinds of the complaints that a mail brings."""
    parts = [part for part in mail.walk() if part.get_content_type() == "message/feedback-report"]
    kinds = [str(each["feedback-type"] or "").strip().lower() for part in parts for each in inner(part)]
    return [kind for kind in kinds if kind in COMPLAINTS]


def outcomes(group: Message) -> list[Outcome]:
    """What is said of one recipient: what has become of the mail, and whether the address is dead."""
    action = ACTIONS.get(str(group["action"]).strip().lower(), Outcome.UNKNOWN)
    if action is Outcome.UNDELIVERED and is_dead(f"{group['status']} {group['diagnostic-code']}"):
        return [action, Outcome.UNREACHABLE]
    return [action]


def is_dead(text: str) -> bool | None:
    """Do a server's words say by their code that the address is dead? None where there is no code, or a general one."""
    codes = [(whole, start) for whole, start in ENHANCED.findall(text) if not whole.endswith(".0.0")]
    if not codes:
        return None
    whole, start = codes[0]
    return whole not in OF_THE_SENDER and bool(DEAD & {whole, start})


def inner(part: Message) -> list[Message]:
    """What a part consists of: a status of groups of fields, one for the mail and one for each recipient."""
    content = part.get_payload()
    return [each for each in content if isinstance(each, Message)] if isinstance(content, list) else []


def reason(group: Message) -> str:
    """The server's words without the address."""
    words = one_line(str(group["diagnostic-code"] or ""))
    recipient = str(group["final-recipient"] or "").rpartition(";")[2].strip()
    return re.sub(re.escape(recipient), "<recipient>", words, flags=re.IGNORECASE) if recipient else words


def moment(mail: Message) -> datetime | None:
    try:
        return parsedate_to_datetime(str(mail["date"])).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def original_id(mail: Message) -> str:
    """The Message-ID of the mail that returns, from what of it is attached; raises :class:`ForgedCallback`."""
    for part in attached(mail):
        if message_id := str(part["message-id"] or "").strip():
            return message_id
    raise ForgedCallback("no mail of ours is attached")


def attached(mail: Message) -> Iterator[Message]:
    """The mails that are attached, or the heads of them."""
    for part in mail.walk():
        if part.get_content_type() == "text/rfc822-headers":
            yield message_from_string(str(part.get_payload()))
        elif part.get_content_type() == "message/rfc822":
            yield from inner(part)[:1]
