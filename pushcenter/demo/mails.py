"""A received mail, read for people. Its sender may be hostile: nothing in it may fail or be trusted."""

from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from typing import Any

#: In lower case, as headers are looked up here.
DELIVERY = "x-push-center-delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    number: int
    subject: str = ""
    sender: str = ""
    to: str = ""
    date: str = ""
    delivery: str = ""
    html: str = ""
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    raw: str = ""

    def summary(self) -> dict[str, Any]:
        """What lists need of it, for JSON too."""
        names = ("number", "subject", "sender", "to", "date", "delivery")
        return {name: getattr(self, name) for name in names}


def read_mail(number: int, raw: bytes) -> Mail:
    """Never fails: what cannot be taken apart is shown raw."""
    try:
        return _read(number, raw)
    except Exception:  # the parser fails on hostile input in ways that no list of exceptions covers
        return Mail(number=number, subject="(unreadable)", raw=raw.decode(errors="replace"))


def _read(number: int, raw: bytes) -> Mail:
    message = message_from_bytes(raw, policy=compat32)
    headers = tuple((name, _readable(value)) for name, value in message.raw_items())
    first = {name.lower(): value for name, value in reversed(headers)}
    return Mail(
        number=number,
        subject=first.get("subject", ""),
        sender=first.get("from", ""),
        to=first.get("to", ""),
        date=first.get("date", ""),
        delivery=first.get(DELIVERY, ""),
        html=_part(message, "text/html"),
        text=_part(message, "text/plain"),
        headers=headers,
        raw=raw.decode(errors="replace"),
    )


def _readable(value: str) -> str:
    """A header as people read it, whatever encoding it claims to be in."""
    text = value.encode(errors="surrogateescape").decode(errors="replace")
    with suppress(LookupError, ValueError):  # an unknown or broken encoding
        text = str(make_header(decode_header(text)))
    return " ".join(text.encode(errors="replace").decode().split())


def _part(message: Message, kind: str) -> str:
    """The first part of this type, as text."""
    for part in message.walk():
        if part.get_content_type() == kind and not part.is_multipart():
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _text(payload, part.get_content_charset("utf-8"))
    return ""


def _text(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, errors="replace")
    except (LookupError, ValueError):
        return payload.decode(errors="replace")
