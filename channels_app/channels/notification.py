"""What the content of the channel ``push`` means, the same for every provider."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels_app.contract import Outgoing, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification as its template asked for it; an empty text, or None, where it says nothing.

    ``ttl`` is in seconds, and never reaches beyond the message's own end. ``replaces`` is the collapse key, or else
    the delivery's id: an attempt that is repeated because its end is unknown shows as one notification, not two.
    """

    title: str
    body: str
    link: str
    image: str
    data: Mapping[str, Any]
    sound: str
    badge: int | None
    ttl: int | None
    collapse_key: str
    replaces: str
    urgent: bool
    android_channel: str
    ios_category: str
    ios_thread: str

    @classmethod
    def of(cls, message: Outgoing, *, now: datetime) -> "Notification":
        """Read it from rendered content; raises :class:`Refused` for what is no number or no object."""
        content = message.content
        key = str(content.get("collapse_key") or "")
        return cls(
            title=str(content["title"]),
            body=str(content["body"]),
            link=str(content.get("link") or ""),
            image=str(content.get("image") or ""),
            data=_data(content.get("data") or {}),
            sound=str(content.get("sound") or ""),
            badge=_number(content, "badge"),
            ttl=_ttl(message, now),
            collapse_key=key,
            replaces=key or message.id,
            urgent=bool(content.get("urgent")),
            android_channel=str(content.get("android_channel") or ""),
            ios_category=str(content.get("ios_category") or ""),
            ios_thread=str(content.get("ios_thread") or ""),
        )

    def texts(self) -> dict[str, str]:
        """The data as texts, for providers that carry nothing else: JSON where it is no text."""
        return {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in self.data.items()
        }


def filled(**values: Any) -> dict[str, Any]:
    """A JSON object without what is empty; 0 and false are values."""
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def _data(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused("the data for the app is not an object", code="content")
    return value


def _number(content: Mapping[str, Any], field: str) -> int | None:
    text = str(content.get(field) or "").strip()
    if not text:
        return None
    # Not more digits than a phone can hold, and only those of ASCII.
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refused(f"the field {field} is not a whole number", code="content")
    return int(text)


def _ttl(message: Outgoing, now: datetime) -> int | None:
    wanted = _number(message.content, "ttl")
    if message.expires_at is None:
        return wanted
    left = max(0, int((message.expires_at - now).total_seconds()))
    return left if wanted is None else min(wanted, left)
