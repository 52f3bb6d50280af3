"""Strict JSON: what two parsers could read in two ways, or a database could not store, is refused."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser

from pushcenter.access.problems import BadJSON, TooLarge

MAX_DEPTH = 32
#: What fits 64 bits. Beyond it, one reader rounds what another keeps.
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1


class StrictJSONParser(BaseParser):
    """Takes UTF-8 only, and refuses doubled names, NaN and infinite numbers, null characters and deep nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = getattr((parser_context or {}).get("view"), "max_body", None) or settings.MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit:,} bytes.")
        return loads(body)


def loads(body: bytes) -> Any:
    """The value of a JSON text; raises :class:`BadJSON` with a sentence for the caller."""
    try:
        value = _decoder.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadJSON(f"The body is not UTF-8 (byte {error.start}).") from None
    except RecursionError:
        raise BadJSON("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise BadJSON(
            f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except ValueError:
        raise BadJSON("The body has a number that is too large.") from None
    # Nothing is nested deeper than there are brackets, of which a message has few.
    if body.count(b"{") + body.count(b"[") >= MAX_DEPTH:
        _check_depth(value, MAX_DEPTH)
    # In clear, JSON has no control characters, and UTF-8 no halves of pairs: only an escape can bring them.
    if b"\\u" in body:
        _check_texts(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise BadJSON(f"The name {twice!r} stands twice in one object.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise BadJSON(f"{name} is not JSON.")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _integer(text: str) -> int:
    value = int(text)
    if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        raise ValueError
    return value


# Made once: json.loads makes one for each call that asks for something of its own.
_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_number, parse_int=_integer
)


def _check_depth(value: Any, depth: int) -> None:
    """``depth`` is how many levels are left, that of a plain value inside of this one included."""
    if not isinstance(value, dict | list):
        return
    if depth == 0 or (depth == 1 and value):
        raise BadJSON(f"The body is nested more than {MAX_DEPTH} levels deep.")
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            _check_depth(inner, depth - 1)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise BadJSON("A text has a null character in it.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadJSON("A text has half of a surrogate pair in it.")
