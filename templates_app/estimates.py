"""How long a rendered message is, in how many parts it is sent, and what it costs: an estimate for editors."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels_app.contract import TextSource
from channels_app.models import Account
from channels_app.segments import segments
from templates_app.part_forms import form_of

ENCODINGS = {"gsm7": "GSM-7", "ucs2": "UCS-2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """``characters`` are those of the fields that people read as they are; ``bytes`` those of all fields in UTF-8.

    ``segments`` and ``encoding`` (``gsm7``, ``ucs2``) are of text messages; 0 and empty elsewhere. ``price`` is of
    the whole message through the account that would be tried first; None where that one has no price.
    """

    characters: int
    bytes: int
    segments: int = 0
    encoding: str = ""
    price: Decimal | None = None
    currency: str = ""

    def __str__(self) -> str:
        return " · ".join(self._words())

    def _words(self) -> Iterator[str]:
        if self.encoding:
            count = ngettext("%(count)s text message", "%(count)s text messages", self.segments)
            yield count % {"count": self.segments}
            yield ENCODINGS[self.encoding]
        yield ngettext("%(count)s character", "%(count)s characters", self.characters) % {
            "count": number_format(self.characters)
        }
        if not self.encoding:
            yield _("%(count)s bytes") % {"count": number_format(self.bytes)}
        if self.price is not None:
            yield f"{number_format(self.price.normalize())} {self.currency}"


def estimate(channel: str, content: Mapping[str, Any]) -> Estimate:
    """Of a rendered content, as it would be handed to an adapter."""
    fields = form_of(channel)
    texts = {
        name: field
        for name, field in (fields.base_fields if fields else {}).items()
        if isinstance(field, TextSource) and content.get(name)
    }
    read = [content[name] for name, field in texts.items() if not field.html and not field.json]
    written = [each if isinstance(each, str) else _as_json(each) for each in map(content.get, texts)]
    if channel == "sms":
        return _of_sms(str(content.get("text") or ""))
    price, currency = _price(channel)
    return Estimate(
        characters=sum(map(len, read)),
        bytes=sum(len(each.encode("utf-8", "replace")) for each in written),
        price=price,
        currency=currency,
    )


def _of_sms(text: str) -> Estimate:
    counted = segments(text)
    price, currency = _price("sms")
    return Estimate(
        characters=len(text),
        bytes=len(text.encode("utf-8", "replace")),
        segments=counted.count,
        encoding=counted.encoding if text else "",
        price=price * counted.count if price is not None and text else None,
        currency=currency,
    )


def _price(channel: str) -> tuple[Decimal | None, str]:
    """Of one message, or of one segment, through the account that is tried first."""
    account = Account.objects.usable().filter(channel=channel).only("price", "currency").first()
    return (account.price, account.currency) if account and account.price is not None else (None, "")


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
