"""No pattern of a schema takes long, and ordinary ones mean what they meant to Python."""

import re
import time
from typing import Any

import pytest

from templates_app.patterns import is_usable, matches
from templates_app.variables import Check

SOON = 0.1
BAIT = "a" * 40 + "!"
HOSTILE = ["^(a+)+$", "^(a|aa)+$", r"^(\w*)*$", r"^(?=a)((?=a)a|a)+$", r"^(a*)*\1b$", "(?:(?=a)a|a)*b$"]
SCHEMAS: list[dict[str, Any]] = [
    {"properties": {"x": {"pattern": "P"}}},
    {"properties": {"x": {"not": {"not": {"pattern": "P"}}}}},
    {"properties": {"x": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"pattern": "P"}}},
    {"patternProperties": {"P": {}}, "additionalProperties": False},
    {"patternProperties": {"P": {}}, "unevaluatedProperties": False},
]


def put(value: Any, pattern: str) -> Any:
    """The same schema with the pattern in its place."""
    if isinstance(value, dict):
        return {pattern if key == "P" else key: put(inner, pattern) for key, inner in value.items()}
    return pattern if value == "P" else value


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("length", [1, 500])
def test_a_hostile_pattern_ends_soon(schema: dict[str, Any], pattern: str, length: int) -> None:
    check = Check(put(schema, pattern))
    begun = time.thread_time()
    found = check.faults({"x": BAIT * length} if "properties" in schema else {BAIT * length: 1})
    assert time.thread_time() - begun < SOON
    assert found


def test_what_is_given_up_below_a_not_does_not_pass() -> None:
    check = Check({"properties": {"x": {"not": {"pattern": "(?:(?=a)a|a)*b$"}}}})
    [fault] = check.faults({"x": "a" * 20_000})
    assert (fault.pointer, fault.code) == ("/params", "invalid_variable")


def test_a_stored_pattern_of_a_kind_that_cannot_be_matched_lets_nothing_through() -> None:
    pattern = "^(x)?(?(1)y|z)$"
    assert not is_usable(pattern)
    assert Check({"properties": {"x": {"pattern": pattern}}}).faults({"x": "y"})


SAME = [
    r"^\d{1,9}(\.\d{2})?$",
    r"^\w{1,20}$",
    r"^\W+$",
    r"^\w{1,200}$",
    r"^[^\W\d_]+$",
    r"^[\w .-]+$",
    r"^[]a]+$",
    r"^[a[\]]+$",
    r"^[^]]+$",
    r"\Aab?\Z",
    r"^a{,3}$",
    "^https?://",
    r"^(?=.*\d)(?=.*[a-z]).{4,}$",
    "(?<!a)b",
    "(?i)^SO-",
    r"^(?P<first>a)\1$",
    "^(?P<first>a)(?P=first)$",
    "[一-鿿]+",
    r"\bab\b",
    r"^\D+$",
]
TEXTS = [
    *("a", "aa", "aaaa", "ab", "b", "cb", "张三", "é1", "٣", "1.50", "12", "a1b2c", "so-1", "https://x"),
    *("]a", "[&", "a[", "--", "_", "a b.c", "a\n", "\n", ""),
]


@pytest.mark.parametrize("pattern", SAME)
def test_an_ordinary_pattern_means_what_it_meant(pattern: str) -> None:
    assert is_usable(pattern)
    odd = [text for text in TEXTS if matches(pattern, text) != bool(re.search(pattern, text))]
    assert odd == []


def test_a_long_name_is_within_what_a_pattern_may_ask() -> None:
    for text in ("é" * 200, "张" * 200):
        assert matches(r"^\w{1,200}$", text)
    assert not matches(r"^\w{1,200}$", "张" * 201)
