"""How many parts a text message is sent in (3GPP TS 23.038 and 23.040).

A text of the GSM alphabet has 7 bits a character, any other is UCS-2. One part holds 160 or 70 units; where it
takes more, each part gives some up to its header. A character of two units is never split between parts.
"""

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Written as an escape and a character, so that each takes two units.
EXTENDED = frozenset("\f^{}\\[~]|€")
GSM7 = BASIC | EXTENDED
#: What comes after it takes two units of UTF-16.
LAST_OF_ONE_UNIT = "\uffff"
#: Units in the only part, and in each of several.
GSM7_UNITS, UCS2_UNITS = (160, 153), (70, 67)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """``count`` parts, with ``units`` of septets (``gsm7``) or of UTF-16 (``ucs2``) in all."""

    encoding: str
    units: int
    count: int


def segments(text: str) -> Segments:
    """Count the parts of the final text, signature and opt-out hint included."""
    used = frozenset(text)
    if used <= BASIC:
        return _even("gsm7", len(text), GSM7_UNITS)
    if used <= GSM7:
        return _count("gsm7", [2 if each in EXTENDED else 1 for each in text], GSM7_UNITS)
    if max(used) <= LAST_OF_ONE_UNIT:
        return _even("ucs2", len(text), UCS2_UNITS)
    return _count("ucs2", [2 if each > LAST_OF_ONE_UNIT else 1 for each in text], UCS2_UNITS)


def is_gsm7(text: str) -> bool:
    """Can every character be written in the GSM alphabet?"""
    return frozenset(text) <= GSM7


def _even(encoding: str, units: int, sizes: tuple[int, int]) -> Segments:
    """Where each character is one unit, as in nearly all messages."""
    single, each_of_several = sizes
    count = -(-units // each_of_several) if units > single else min(units, 1)
    return Segments(encoding=encoding, units=units, count=count)


def _count(encoding: str, widths: list[int], sizes: tuple[int, int]) -> Segments:
    single, each_of_several = sizes
    units = sum(widths)
    if units <= single:
        return Segments(encoding=encoding, units=units, count=1 if units else 0)
    count, room = 1, each_of_several
    for width in widths:
        if width > room:
            count, room = count + 1, each_of_several
        room -= width
    return Segments(encoding=encoding, units=units, count=count)
