"""Variables that are lost, idle or misused, and samples that do not fit."""

from typing import Any

import pytest

from templates_app.lint import Draft, Severity
from templates_app.lint.examples import TEXT, draft, on
from tests.templates.lint.cast import found, messages

LINES = {"type": "array", "items": {"type": "object", "properties": {"name": TEXT}}}
ORDER = {"type": "object", "properties": {"no": TEXT, "lines": LINES}}


def saying(text: str, **facts: Any) -> Draft:
    return draft(on("sms", text=text), **{"declared": {"order": ORDER, "note": TEXT}, **facts})


LOST: dict[str, tuple[str, list[str]]] = {
    "all there": ("{{ order.no }}{% for line in order.lines %}{{ line.name }}{% endfor %}{{ note }}", []),
    "a name": ("{{ shop }}", ["The variable “shop” is not declared."]),
    "a name that is near": ("{{ ordr.no }}", ["The variable “ordr” is not declared. Did you mean “order”?"]),
    "a property": (
        "{{ order.nummber }}{{ order.note }}",
        ["The variable “order.nummber” is not declared.", "The variable “order.note” is not declared."],
    ),
    "a property of an item": (
        "{% for line in order.lines %}{{ line.nam }}{% endfor %}",
        ["The variable “order.lines[].nam” is not declared. Did you mean “order.lines[].name”?"],
    ),
    "what every template has": ("{{ recipient.name }}{{ unsubscribe_url }}{{ range(3) }}", []),
    "what nobody has": (
        "{{ recipient.nmae }}",
        ["The variable “recipient.nmae” is not declared. Did you mean “recipient.name”?"],
    ),
    "what every template has, nearly": (
        "{{ recipiant.name }}",
        ["The variable “recipiant” is not declared. Did you mean “recipient”?"],
    ),
    "once for each": ("{{ shop }}{{ shop }}", ["The variable “shop” is not declared."]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), LOST.values(), ids=LOST)
def test_what_is_not_declared_is_named(text: str, expected: list[str]) -> None:
    assert sorted(messages(saying(text), "variable-undeclared", "variable-misspelt")) == sorted(expected)


def test_it_is_named_at_its_line() -> None:
    [problem] = found(saying("a\n\n{{ shop }}"), "variable-undeclared")
    assert (problem.channel, problem.field, problem.line) == ("sms", "text", 3)
    assert str(problem) == "SMS · Text, line 3: The variable “shop” is not declared."


@pytest.mark.parametrize(("more", "severity"), [(True, Severity.WARNING), (False, Severity.ERROR)])
def test_what_callers_may_give_all_the_same_is_a_warning(more: bool, severity: Severity) -> None:
    order = {**ORDER, "additionalProperties": more}
    [problem] = found(saying("{{ order.shop }}", declared={"order": order}), "variable-undeclared")
    assert problem.severity == severity


def test_an_object_that_says_nothing_of_its_names_may_have_any() -> None:
    assert found(saying("{{ a.b.c }}", declared={"a": {"type": "object"}}), "variable-undeclared") == []


def test_what_callers_have_to_give_and_nobody_reads_is_more_than_a_hint() -> None:
    schema = {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"]}
    problems = found(saying("x", schema=schema), "variable-unused")
    assert [(each.severity, each.message) for each in problems] == [
        (Severity.WARNING, "The variable “a” is required, and no variant uses it."),
        (Severity.HINT, "The variable “b” is not used by any variant."),
    ]


def test_nothing_is_called_unused_while_a_variant_cannot_be_read() -> None:
    assert found(saying("{{ note }} {{ order"), "variable-unused") == []


KINDS: dict[str, tuple[str, Any, bool]] = {
    "parts of a text": ("{{ a.b }}", TEXT, True),
    "parts of an object": ("{{ a.b }}", {"type": "object"}, False),
    "parts of what may be null": ("{{ a.b }}", {"type": ["object", "null"]}, False),
    "items of a text": ("{% for b in a %}{{ b }}{% endfor %}", TEXT, False),
    "items of a number": ("{% for b in a %}{{ b }}{% endfor %}", {"type": "number"}, True),
    "items of an object": ("{{ a[0] }}", {"type": "object"}, True),
    "parts of anything": ("{{ a.b }}", {}, False),
}


@pytest.mark.parametrize(("text", "declared", "is_wrong"), KINDS.values(), ids=KINDS)
def test_a_variable_is_used_as_what_it_is(text: str, declared: Any, *, is_wrong: bool) -> None:
    assert bool(found(saying(text, declared={"a": declared}), "variable-kind")) is is_wrong


def test_a_sample_is_held_against_the_variables() -> None:
    samples = (("good", {"note": "a"}), ("bad", {"note": 1, "nte": "a"}))
    said = messages(saying("{{ note }}", samples=samples), "sample-invalid")
    assert sorted(said) == [
        "Sample “bad”, /note: This must be of type string.",
        "Sample “bad”, /nte: The template has no variable 'nte'. Did you mean note?",
    ]


def test_a_sample_that_is_no_object_harms_nothing() -> None:
    assert messages(saying("{{ note }}", samples=(("odd", ["a"]),)), "sample-invalid") == [
        "Sample “odd”: This must be of type object."
    ]


def test_a_schema_that_is_none_hides_what_depends_on_it() -> None:
    odd = saying("{{ a }}", schema=["a"], samples=(("usual", {"a": 1}),))
    assert {each.rule for each in found(odd, "schema", "variable-undeclared", "rendering")} == {"schema"}


SECRETS = [
    ("password", True),
    ("user.password", True),
    ("reset_token", True),
    ("card_number", True),
    ("pin", True),
    ("shipping", False),
    ("code", False),
    ("tokens_left", False),
]


@pytest.mark.parametrize(("name", "is_secret"), SECRETS)
def test_a_secret_is_told_by_its_name(name: str, *, is_secret: bool) -> None:
    assert bool(found(saying(f"{{{{ {name} }}}}"), "variable-secret")) is is_secret
    assert found(saying(f"{{{{ {name} }}}}", can_be_left=False), "variable-secret") == []
