"""The variables that a text uses are found, typed, and proposed without harm to what is declared."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from templates_app.models import empty_schema
from templates_app.proposals import Proposal, propose

STRICT = {"type": "object", "additionalProperties": False}


def proposal(source: str, *, properties: Any = None, samples: Any = (), **schema: Any) -> Proposal:
    present = {**STRICT, "properties": properties or {}, "required": [], **schema}
    return propose([("email", "", {"subject": "x", "text": source})], present, samples)


def proposed(source: str, **given: Any) -> Any:
    found = proposal(source, **given).schema
    Draft202012Validator.check_schema(found)
    return found["properties"]


def text(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


STRING, NUMBER = {"type": "string"}, {"type": "number"}

PROPOSALS: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("{{ a }}", {"a": STRING}),
    "an object": (
        "{{ order.no }}{{ order.total|round(2) }}",
        {"order": text("no", "total", no=STRING, total=NUMBER)},
    ),
    "a list of objects": (
        "{% for item in items %}{{ item.name }}{% endfor %}",
        {"items": {"type": "array", "items": text("name", name=STRING)}},
    ),
    "a list of lists": (
        "{% for a in b %}{% for c in a %}{{ c }}{% endfor %}{% endfor %}",
        {"b": {"type": "array", "items": {"type": "array", "items": STRING}}},
    ),
    "a list that is joined": ("{{ tags|join }}", {"tags": {"type": "array", "items": {}}}),
    "a number": ("{% if count > 3 %}x{% endif %}", {"count": NUMBER}),
    "a sum": ("{{ price * 2 }}", {"price": NUMBER}),
    "a yes or no": ("{{ is_new == true }}", {"is_new": {"type": "boolean"}}),
    "one of some texts": ("{% if state == 'open' %}x{% endif %}", {"state": STRING}),
    "what every template has": ("{{ recipient.name }}{{ unsubscribe_url }}", {}),
}


@pytest.mark.parametrize(("source", "properties"), PROPOSALS.values(), ids=PROPOSALS)
def test_the_type_of_a_variable_is_guessed_from_its_use(source: str, properties: dict[str, Any]) -> None:
    assert proposed(source) == properties


SAMPLES: dict[str, tuple[Any, Any]] = {
    "text": ("SO-1", STRING),
    "whole number": (3, {"type": "integer"}),
    "number": (3.5, NUMBER),
    "yes": (True, {"type": "boolean"}),
    "date": ("2026-11-28", {"type": "string", "format": "date"}),
    "moment": ("2026-11-28T10:00:00Z", {"type": "string", "format": "date-time"}),
    "link": ("https://example.com/a", {"type": "string", "format": "uri"}),
    "nothing": (None, STRING),
    "list": (["a"], {"type": "array", "items": STRING}),
}


@pytest.mark.parametrize(("value", "expected"), SAMPLES.values(), ids=SAMPLES)
def test_the_type_of_a_variable_is_read_off_a_sample(value: Any, expected: dict[str, Any]) -> None:
    assert proposed("{{ a }}", samples=[{"a": value}]) == {"a": expected}


def test_samples_that_differ_are_all_good() -> None:
    assert proposed("{{ a }}", samples=[{"a": 1}, {"a": 1.5}]) == {"a": NUMBER}
    assert proposed("{{ a }}", samples=[{"a": "x"}, {"a": None}]) == {"a": {"type": ["string", "null"]}}
    assert proposed("{{ a }}", samples=[{"a": "2026-11-28"}, {"a": "soon"}]) == {"a": STRING}


def test_what_the_text_gets_along_without_is_not_required() -> None:
    source = "{{ a }}{% if b %}{{ b }}{% endif %}{{ c|default('x') }}{% if d is defined %}{{ d }}{% endif %}"
    assert proposal(source).schema["required"] == ["a"]


def test_what_is_declared_keeps_its_refinements() -> None:
    number = {"type": "string", "pattern": "^SO-", "description": "As in the shop."}
    order: dict[str, Any] = {"type": "object", "properties": {"no": number}, "required": []}
    found = proposal(
        "{{ order.no }}{{ order.total }}{{ note }}",
        properties={"order": order, "note": {"type": "string", "default": ""}},
    )
    assert found.schema["properties"]["order"]["properties"]["no"] == number
    assert found.schema["properties"]["note"] == {"type": "string", "default": ""}
    assert found.added == ("order.total",)
    assert found.schema["required"] == []
    assert set(order["properties"]) == {"no"}


@pytest.mark.parametrize(
    "declared",
    [
        {"$ref": "#/$defs/order"},
        {"anyOf": [{"type": "object"}]},
        {"type": "object"},
        {"type": "object", "patternProperties": {"^x": {}}},
    ],
)
def test_what_says_no_names_or_more_than_names_is_left_alone(declared: dict[str, Any]) -> None:
    found = proposal("{{ order.no }}", properties={"order": declared}, **{"$defs": {"order": {}}})
    assert found.schema["properties"]["order"] == declared
    assert found.undeclared == ()


def test_what_is_declared_and_stands_nowhere_is_named_and_stays() -> None:
    lines = {"type": "array", "items": text(name=STRING, price=STRING)}
    found = proposal(
        "{{ a }}{% for line in lines %}{{ line.name }}{% endfor %}{{ whole|tojson }}",
        properties={"a": STRING, "b": STRING, "lines": lines, "whole": text(x=STRING)},
    )
    assert found.unused == ("b", "lines[].price")
    assert found.schema["properties"].keys() == {"a", "b", "lines", "whole"}


def test_a_name_that_is_spelt_wrongly_is_not_added() -> None:
    found = proposal("x\n{{ ordr_no }}", properties={"order_no": STRING})
    [unknown] = found.misspelt
    assert (unknown.name, unknown.near) == ("ordr_no", "order_no")
    assert (unknown.channel, unknown.locale, unknown.field, unknown.line) == ("email", "", "text", 2)
    assert found.added == ()


def test_a_name_that_a_sample_has_is_meant_so() -> None:
    found = proposal("{{ order_nos }}", properties={"order_no": STRING}, samples=[{"order_nos": "1, 2"}])
    assert found.added == ("order_nos",)


def test_a_name_that_is_like_one_in_use_is_another() -> None:
    assert proposal("{{ line_1 }}{{ line_2 }}", properties={"line_1": STRING}).added == ("line_2",)


def test_a_name_that_is_spelt_wrongly_in_one_place_is_not_added() -> None:
    assert proposal("{{ order_no }} {{ ordr_no }}", properties={"order_no": STRING}).added == ()


def test_what_is_added_is_named_by_its_innermost_names() -> None:
    found = proposal("{% for item in items %}{{ item.name }}{% endfor %}{{ shop.name }}")
    assert found.added == ("items[].name", "shop.name")
    assert found.schema["required"] == ["items", "shop"]


def test_a_schema_that_cannot_serve_is_begun_anew() -> None:
    found = propose([("sms", "", {"text": "{{ a }}"})], {"type": "objekt"}, [])
    assert found.schema == {**empty_schema(), "properties": {"a": STRING}, "required": ["a"]}


def test_what_is_proposed_takes_the_samples_that_it_was_made_with() -> None:
    sample = {"order": {"no": 7, "lines": [{"name": "Tea", "price": 1.5}]}, "url": "https://example.com/"}
    source = "{{ order.no }}{% for each in order.lines %}{{ each.name }}{{ each.price }}{% endfor %}{{ url }}"
    assert Draft202012Validator(proposal(source, samples=[sample]).schema).is_valid(sample)
