"""How long a text may be, in the provider's own unit, and what happens to one that is longer."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from channels_app.segments import is_gsm7, segments

TooLong = Literal["cut", "fail"]
JOINER = "\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Bytes of UTF-8, characters (code points), parts of a text message; 0 for no limit."""

    max_bytes: int = 0
    max_chars: int = 0
    max_segments: int = 0

    def excess(self, text: str) -> str:
        """What is wrong with the length, in a sentence; empty where nothing is."""
        if self.max_chars and len(text) > self.max_chars:
            return _("%(size)s characters are too many; %(limit)s fit.") % {
                "size": len(text),
                "limit": self.max_chars,
            }
        if self.max_bytes and (size := _bytes(text)) > self.max_bytes:
            return _("%(size)s bytes are too many; %(limit)s fit.") % {"size": size, "limit": self.max_bytes}
        if self.max_segments and (parts := segments(text).count) > self.max_segments:
            return _("It takes %(size)s text messages; at most %(limit)s are sent.") % {
                "size": parts,
                "limit": self.max_segments,
            }
        return ""

    def cut(self, text: str) -> str:
        """The text, with an ellipsis in place of the end that does not fit."""
        if not self.excess(text):
            return text
        # One character outside of the GSM alphabet would more than halve what fits into a text message.
        ellipsis = "..." if self.max_segments and is_gsm7(text) else "\u2026"
        low, high = 0, len(text)
        while low < high:  # the longest beginning that fits
            middle = (low + high + 1) // 2
            if self.excess(text[:middle].rstrip() + ellipsis):
                high = middle - 1
            else:
                low = middle
        return text[: _boundary(text, low)].rstrip() + ellipsis


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _boundary(text: str, at: int) -> int:
    """The place at or before ``at`` where what people see as one character ends."""
    while 0 < at < len(text) and (_joins(text[at]) or text[at - 1] == JOINER):
        at -= 1
    return at


def _joins(character: str) -> bool:
    """Does it belong to the character before it? Accents, variation selectors, skin tones, joiners."""
    return (
        character == JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or unicodedata.category(character) in {"Mn", "Me", "Mc"}
    )
