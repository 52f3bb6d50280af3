"""Layouts and snippets: what they say counts for the messages that they stand in."""

from typing import Any

import pytest

from templates_app.lint import Draft, Severity, Written, lint
from templates_app.lint.examples import TEXT, draft
from templates_app.models import TemplateKind, TemplateVersion, Variant, VersionState
from templates_app.proposals import propose
from tests import factories
from tests.templates.lint.cast import found

LEAVE = '<a href="{{ unsubscribe_url }}">Leave</a>'


def message(html: str, parts: dict[str, str], **facts: Any) -> Draft:
    return draft(Written("email", "", {"subject": "a", "html": html, "text": LEAVE}, parts), **facts)


def test_an_unsubscribe_link_may_stand_in_a_part() -> None:
    html = '{% extends "brand" %}'
    assert (
        found(
            message(html, {"brand.html": f"<p>{{% block body %}}{{% endblock %}}{LEAVE}</p>"}),
            "unsubscribe-link",
        )
        == []
    )
    assert len(found(message(html, {"brand.html": "<p></p>"}), "unsubscribe-link")) == 1


def test_what_a_part_uses_is_declared_by_the_message() -> None:
    parts = {"foot.html": "{{ shop }}{% if motto %}{{ motto }}{% endif %}{{ recipient.name }}"}
    html = '{% include "foot" %}'
    [problem] = found(message(html, parts), "variable-undeclared")
    assert (problem.severity, str(problem)) == (
        Severity.WARNING,
        "Email · HTML: “foot” uses the variable “shop”, which is not declared.",
    )
    assert (
        found(message(html, parts, declared={"shop": TEXT}), "variable-undeclared", "variable-unused") == []
    )


def test_what_a_part_uses_is_proposed() -> None:
    html = '{{ a }}{% include "foot" %}'
    parts = {"foot.html": "\n{{ shop }}", "foot.txt": "{{ telephone }}"}  # of which one is needed here
    found = propose([Written("email", "", {"html": html}, parts)], {}, [])
    assert found.added == ("a", "shop")
    assert [(each.name, each.field, each.line) for each in found.undeclared][1] == ("shop", "html", 0)


def test_a_fault_within_a_part_is_told_by_the_parts_name() -> None:
    parts = {"foot.html": "a\n{{ shop.a.b }}"}
    [problem] = found(message('{% include "foot" %}', parts, samples=(("usual", {}),)), "rendering")
    assert problem.message.startswith("In “foot”, line 2: With the sample “usual” it cannot be rendered: ")
    assert (problem.field, problem.line) == ("html", 0)


@pytest.mark.django_db
def test_the_published_part_is_the_one_that_counts() -> None:
    factories.template(channels=["email"], published=False)
    Variant.objects.update(content={"subject": "a", "html": '{% include "foot" %}', "text": LEAVE})
    version = TemplateVersion.objects.get()
    assert "part" in {each.rule for each in lint(version)}
    part = factories.template("foot", [], kind=TemplateKind.SNIPPET, published=False)
    Variant.objects.create(version=part.versions.get(), channel="html", content={"source": LEAVE})
    part.versions.update(state=VersionState.PUBLISHED)
    version = TemplateVersion.objects.get(pk=version.pk)
    assert not {"part", "unsubscribe-link"} & {each.rule for each in lint(version)}


@pytest.mark.django_db
def test_a_part_is_linted_for_what_it_is() -> None:
    part = factories.template("foot", [], kind=TemplateKind.SNIPPET, published=False)
    version = part.versions.get()
    source = '{{ shop }}<img src="https://example.com/a.png" width="1">\n<a href="a">a</a>{% if'
    Variant.objects.create(version=version, channel="html", content={"source": source})
    [problem] = [each for each in lint(version) if each.severity == Severity.ERROR]
    assert str(problem).startswith("HTML · HTML, line 2: This is no template: ")
    Variant.objects.update(content={"source": source.removesuffix("{% if")})
    assert [each.rule for each in lint(version) if each.severity != Severity.HINT] == [
        "broken-link",
        "alt-text",
    ]
