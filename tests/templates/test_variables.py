"""Parameters are held against the schema of their version, and each fault is named with its place."""

from typing import Any

import pytest

from templates_app.models import TemplateVersion
from templates_app.variables import MAX_UNKNOWN, faults, with_defaults


def version(properties: dict[str, Any], **schema: Any) -> TemplateVersion:
    """A draft with a strict schema."""
    strict = {"type": "object", "properties": properties, "additionalProperties": False}
    return TemplateVersion(variables={**strict, **schema})


ORDER = version(
    {
        "order_no": {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^SO-"},
        "amount": {"type": ["string", "null"], "default": "0"},
        "count": {"type": "integer", "minimum": 1, "multipleOf": 1},
        "paid": {"type": "boolean"},
        "lines": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"a/b": {"type": "string"}},
                "required": ["a/b"],
                "additionalProperties": False,
            },
        },
        "colour": {"enum": ["red", "green"]},
    },
    required=["order_no"],
)
GOOD = {"order_no": "SO-1"}

TABLE: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "least": (GOOD, []),
    "all": (
        {**GOOD, "amount": None, "count": 3, "paid": True, "lines": [{"a/b": "x"}], "colour": "red"},
        [],
    ),
    "missing": ({}, [("/params/order_no", "missing_variable")]),
    "unknown": ({**GOOD, "x": 1}, [("/params/x", "unknown_variable")]),
    "two unknown, in order": (
        {**GOOD, "y": 1, "x": 1},
        [("/params/x", "unknown_variable"), ("/params/y", "unknown_variable")],
    ),
    "another type": ({"order_no": 1}, [("/params/order_no", "invalid_variable")]),
    "null": ({"order_no": None}, [("/params/order_no", "invalid_variable")]),
    "a number as a text": ({**GOOD, "count": "3"}, [("/params/count", "invalid_variable")]),
    "a fraction": ({**GOOD, "count": 1.5}, [("/params/count", "invalid_variable")] * 1),
    "true is no number": ({**GOOD, "count": True}, [("/params/count", "invalid_variable")]),
    "nought is no truth": ({**GOOD, "paid": 0}, [("/params/paid", "invalid_variable")]),
    "too small": ({**GOOD, "count": 0}, [("/params/count", "invalid_variable")]),
    "too long": ({"order_no": "SO-" + "1" * 20}, [("/params/order_no", "invalid_variable")]),
    "another pattern": ({"order_no": "1"}, [("/params/order_no", "invalid_variable")]),
    "too many": ({**GOOD, "lines": [{"a/b": "x"}] * 3}, [("/params/lines", "invalid_variable")]),
    "not in the list": ({**GOOD, "colour": "blue"}, [("/params/colour", "invalid_variable")]),
    "missing inside": ({**GOOD, "lines": [{}]}, [("/params/lines/0/a~1b", "missing_variable")]),
    "unknown inside": (
        {**GOOD, "lines": [{"a/b": "x", "c~d": 1}]},
        [("/params/lines/0/c~0d", "unknown_variable")],
    ),
    "another type inside": (
        {**GOOD, "lines": [{"a/b": "x"}, {"a/b": 1}]},
        [("/params/lines/1/a~1b", "invalid_variable")],
    ),
    "a list": ([], [("/params", "invalid_variable")]),
}


@pytest.mark.parametrize(("params", "expected"), TABLE.values(), ids=TABLE)
def test_each_fault_is_named_with_its_place(params: Any, expected: list[tuple[str, str]]) -> None:
    found = [(each.pointer, each.code) for each in faults(ORDER, params)]
    assert list(dict.fromkeys(found)) == expected


DETAILS = [
    (
        {"orderno": "SO-1", "order_no": "SO-1"},
        "The template has no variable 'orderno'. Did you mean order_no?",
    ),
    ({}, "order_no is required."),
    ({"order_no": 1}, "This must be of type string."),
    ({**GOOD, "amount": 1}, "This must be of type string or null."),
    ({"order_no": "secret"}, "This does not hold to pattern: '^SO-'"),
]


@pytest.mark.parametrize(("params", "sentence"), DETAILS)
def test_the_sentence_says_the_rule_and_not_the_value(params: dict[str, Any], sentence: str) -> None:
    assert [each.detail for each in faults(ORDER, params)] == [sentence]


def test_of_thousands_of_unknown_names_some_are_named() -> None:
    many = {f"x{number}": number for number in range(50_000)}
    assert len(faults(ORDER, {**GOOD, **many})) == MAX_UNKNOWN


def test_a_schema_that_permits_more_lets_it_through() -> None:
    assert faults(version({}, additionalProperties=True), {"x": 1}) == []


def test_numbers_at_the_limits_are_held_against_a_step() -> None:
    step = version({"x": {"type": "number", "multipleOf": 0.01}})
    for number in (2**63 - 1, -(2**63) + 1, 1.7e308, 5e-324, 0.1):
        assert isinstance(faults(step, {"x": number}), list)


def test_a_default_fills_what_is_left_out_and_nothing_else() -> None:
    schema = version(
        {
            "a": {"default": 1},
            "b": {"default": None},
            "c": {"type": "string"},
            "d": True,
            "e": {"default": {"x": 1}},
        }
    )
    assert with_defaults(schema, {}) == {"a": 1, "b": None, "e": {"x": 1}}
    assert with_defaults(schema, {"a": 2, "c": "x", "e": None}) == {"a": 2, "b": None, "c": "x", "e": None}
    assert with_defaults(TemplateVersion(variables={}), {"x": 1}) == {"x": 1}


def test_a_draft_is_checked_as_it_stands_now() -> None:
    draft = version({"x": {"type": "string"}})
    assert faults(draft, {"x": "1"}) == []
    draft.variables = version({"x": {"type": "integer"}}).variables
    assert [each.code for each in faults(draft, {"x": "1"})] == ["invalid_variable"]


@pytest.mark.parametrize("reference", ["#/$defs/gone", "#gone", "#/properties/a"])
def test_a_reference_that_cannot_be_followed_is_a_fault_and_no_crash(reference: str) -> None:
    [fault] = faults(version({"a": {"$ref": reference}}), {"a": 1})
    assert (fault.pointer, fault.code) == ("/params", "unusable_schema")
