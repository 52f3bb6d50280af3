"""Parameters for the eyes of people who may not see personal data: every value in the same shape, and none of its own.

Lengths, line breaks and the alphabet of a text message stay true, so that what is counted of them stays true as well.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from channels_app.segments import BASIC

#: A day, and perhaps a time, and nothing else: they stay a day and a time.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
#: What an address begins with says only what kind it is of.
_SCHEME = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_DIGITS = re.compile(r"\d")
_FROM_ONE = re.compile(r"[1-9]")


def disguised(value: Any, *, known: Collection[str] = ()) -> Any:
    """The same value masked. Names of properties, truth values and nothing stay; so do the strings ``known``."""
    if isinstance(value, str):
        return value if value in known else _text(value)
    if isinstance(value, Mapping):
        return {name: disguised(inner, known=known) for name, inner in value.items()}
    if isinstance(value, list):
        return [disguised(inner, known=known) for inner in value]
    return value if value is None or isinstance(value, bool) else _number(value)


def constants(schema: Any) -> Iterator[str]:
    """The strings that a schema itself names as possible values: whoever wrote it knew them."""
    if isinstance(schema, Mapping):
        for name, inner in schema.items():
            if name in {"const", "default"} and isinstance(inner, str):
                yield inner
            elif name == "enum" and isinstance(inner, list):
                yield from (each for each in inner if isinstance(each, str))
            else:
                yield from constants(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from constants(inner)


def _text(value: str) -> str:
    if _MOMENT.fullmatch(value):
        return "2000-01-01" + _DIGITS.sub("0", value[len("2000-01-01") :])
    scheme = _SCHEME.match(value)
    start = scheme.end() if scheme else 0
    return value[:start] + "".join(map(_character, value[start:]))


@lru_cache(maxsize=4096)
def _character(given: str) -> str:
    """One that needs as much room, in the same alphabet of text messages."""
    kind = unicodedata.category(given)
    if kind == "Nd":
        return "0" if given.isascii() else "０"
    if kind[0] == "M":
        return "\u0301"
    if kind[0] != "L":
        return given  # spaces, punctuation, signs, pictures
    if ord(given) > 0xFFFF:
        return "𠀀"
    if unicodedata.east_asian_width(given) in {"W", "F"}:
        return "某"
    is_upper = kind == "Lu"
    if given.isascii() or given in BASIC:
        return "X" if is_upper else "x"
    return "Ж" if is_upper else "ж"


def _number(value: float) -> float:
    """One with as many digits; nothing stays nothing, and one stays one, because templates ask for these."""
    return type(value)(_FROM_ONE.sub("1", repr(value)))
