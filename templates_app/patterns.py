"""Regular expressions of schemas, matched in bounded time.

Python's own engine can take minutes for a pattern such as ``^(a+)+$``. Here a pattern is put into the words of one that
is linear in the text, and for lookarounds and references back of one that counts its steps.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import FunctionType, SimpleNamespace
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, _keywords, _utils
from jsonschema.validators import extend

#: Whoever only says yes or no takes patterns of so many bytes, whatever the length of the text.
QUICK = jsonschema_rs.RegexOptions(size_limit=1 << 14, dfa_size_limit=1 << 20)
#: What a pattern may take when compiled, in bytes; the more, the shorter the texts that it is held against.
SIZES = (1 << 14, 1 << 17, 1 << 20, 1 << 23)
#: Bytes of a compiled pattern times characters: some 60 ms at worst.
WORK = 1 << 29
#: Steps of one that goes back, and the same times characters.
STEPS, STEPS_BY_LENGTH = 5_000, 10_000_000
LONGEST = WORK // SIZES[0]

#: What words mean to Python, and so to schemas so far: letters and digits of every language.
_WORD = r"\p{L}\p{N}_"
_NO_WORD = r"\p{M}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}\u203f\u2040\u2054\ufe33\ufe34\ufe4d-\ufe4f\uff3f"
#: Letters by a few ranges, for patterns that are too large by the letters one by one; \W and \d stay as they are.
_ROUGHLY = (
    r"0-9A-Za-z_\u00c0-\u02c1\u0370-\u1fff\u2c00-\u2dff\u3005-\u3007\u3041-\ud7ff\uf900-\ufaff"
    r"\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc"
)
_INSIDE = {r"\w": _WORD, r"\W": _NO_WORD, r"\d": r"\p{Nd}", r"\D": r"\P{Nd}"}
_OUTSIDE = {
    **{each: f"[{words}]" for each, words in _INSIDE.items()},
    r"\A": "^",
    r"\Z": r"\z",
    "$": r"(?:\n?$)",  # Python's end of a text may have a line break behind it
    "{,": "{0,",
}
_TOKEN = re.compile(r"\\.|\[\^?\]?|\(\?#[^)]*\)|\(\?P=\w+\)|\{,(?=\d+\})|.", re.DOTALL)

#: Whether a pattern was given up, while one set of parameters is checked.
_given_up: ContextVar[list[str] | None] = ContextVar("given_up", default=None)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The patterns that were given up; after the first one, those that count their steps are not asked again."""
    given_up: list[str] = []
    token = _given_up.set(given_up)
    try:
        yield given_up
    finally:
        _given_up.reset(token)


def is_usable(pattern: str) -> bool:
    return _linear(pattern) is not None or _stepping(pattern, STEPS) is not None


def matches(pattern: str, text: str) -> bool:
    """Whether it is found in the text; False also where that would take too long to say."""
    if (linear := _linear(pattern)) is not None:
        engine, size = linear
        return bool(engine.is_valid(text)) if len(text) <= WORK // size else _note(pattern)
    given_up = _given_up.get()
    if given_up or len(text) > LONGEST:
        return _note(pattern)
    engine = _stepping(
        pattern, STEPS if len(text) <= STEPS_BY_LENGTH // STEPS else STEPS_BY_LENGTH // LONGEST
    )
    if engine is None:
        return _note(pattern)
    error = next(engine.iter_errors(text), None)
    if error is not None and isinstance(error.kind, jsonschema_rs.ValidationErrorKind.BacktrackLimitExceeded):
        return _note(pattern)
    return error is None


def _note(pattern: str) -> bool:
    if (given_up := _given_up.get()) is not None:
        given_up.append(pattern)
    return False


@lru_cache(maxsize=1024)
def _linear(pattern: str) -> tuple[Any, int] | None:
    for size, words in [*((size, _WORD) for size in SIZES[:2]), *((size, _ROUGHLY) for size in SIZES)]:
        options = jsonschema_rs.RegexOptions(size_limit=size, dfa_size_limit=max(size, 1 << 20))
        if (engine := _engine(pattern, options, words)) is not None:
            return engine, size
    return None


@lru_cache(maxsize=1024)
def _stepping(pattern: str, steps: int) -> Any:
    return _engine(pattern, jsonschema_rs.FancyRegexOptions(steps, SIZES[-2], SIZES[-2]))


def _engine(pattern: str, options: Any, words: str = _WORD) -> Any:
    try:
        translated = _translated(pattern).replace(_WORD, words)
        return jsonschema_rs.Draft202012Validator({"pattern": translated}, pattern_options=options)
    except (ValueError, re.error):
        return None


def _translated(pattern: str) -> str:
    """From Python's words for patterns to those of ECMAScript, with the meaning that Python gives them."""
    found: list[str] = []
    is_inside = False
    groups = re.compile(pattern).groupindex if "(?P=" in pattern else {}
    for part in _TOKEN.findall(pattern):
        if is_inside:
            is_inside = part != "]"
            found.append(_INSIDE.get(part, rf"\{part}" if part in {"[", "&", "~"} else part))
            if part[0] == "[" and len(part) > 1:  # what would open a class stands for itself within one
                found[-1] = "".join(rf"\{each}" for each in part.rstrip("]"))
                is_inside = part[-1] != "]"
                found.append("" if is_inside else "]")
        elif part[0] == "[":
            is_inside = True
            found.append(part.replace("]", r"\]"))
        elif part.startswith("(?P="):
            found.append(rf"(?:\{groups[part[4:-1]]})")
        elif not part.startswith("(?#"):
            found.append(_OUTSIDE.get(part, part))
    return "".join(found)


def patterns(schema: Any) -> Iterator[str]:
    """Every pattern in a schema, wherever it stands."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), Mapping):
            yield from schema["patternProperties"]
    inner = schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ()
    for each in inner:
        yield from patterns(each)


def _bounded(function: Any, **names: Any) -> Any:
    """A function of the library that asks the engine above where it would ask Python's."""
    own = {**function.__globals__, "re": SimpleNamespace(search=matches), **names}
    own[function.__name__] = FunctionType(function.__code__, own, function.__name__)
    return own[function.__name__]


_additional = _bounded(_utils.find_additional_properties)
_evaluated = _bounded(_utils.find_evaluated_property_keys_by_schema)

#: The library's validator, of which no pattern takes long.
BoundedValidator: type[Draft202012Validator] = extend(
    Draft202012Validator,
    {
        "pattern": _bounded(_keywords.pattern),
        "patternProperties": _bounded(_keywords.patternProperties),
        "additionalProperties": _bounded(
            _keywords.additionalProperties, find_additional_properties=_additional
        ),
        "unevaluatedProperties": _bounded(
            _keywords.unevaluatedProperties, find_evaluated_property_keys_by_schema=_evaluated
        ),
    },
)
