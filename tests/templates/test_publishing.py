"""The life of a version, and what stands in its way."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from templates_app import publishing
from templates_app.models import Template, TemplateVersion, Variant, VersionState
from templates_app.publishing import PublishingError
from templates_app.schema import schema_errors
from tests import factories

pytestmark = pytest.mark.django_db


def draft(**fields: Any) -> TemplateVersion:
    template: Template = factories.template(published=False, **fields)
    return template.versions.get()


def problems(version: TemplateVersion) -> list[str]:
    with pytest.raises(PublishingError) as caught:
        publishing.publish(version=version, by=None)
    version.refresh_from_db()
    assert version.state == VersionState.DRAFT
    return caught.value.problems


def test_a_draft_goes_to_review_and_is_published() -> None:
    author, approver = (User.objects.create_user(name) for name in ("ann", "bob"))
    version = draft()
    publishing.submit(version=version, by=author)
    published = publishing.publish(version=version, by=approver)
    version.refresh_from_db()
    assert (version.state, version.author, version.approver) == (VersionState.PUBLISHED, author, approver)
    assert published.published_at is not None
    assert version.template.published == version


def test_publishing_archives_the_version_before() -> None:
    first = draft()
    publishing.publish(version=first, by=None)
    second = publishing.new_draft(template=first.template, by=None, source=first)
    publishing.publish(version=second, by=None)
    first.refresh_from_db()
    assert first.state == VersionState.ARCHIVED
    assert second.template.published == second


def test_a_new_draft_is_a_copy_with_the_next_number() -> None:
    source = draft()
    publishing.publish(version=source, by=None)
    copy = publishing.new_draft(template=source.template, by=None, source=source)
    assert (copy.number, copy.state, copy.variables) == (2, VersionState.DRAFT, source.variables)
    assert [v.content for v in copy.variants.all()] == [v.content for v in source.variants.all()]


def test_a_new_draft_without_a_source_is_empty() -> None:
    version = draft()
    empty = publishing.new_draft(template=version.template, by=None)
    assert empty.number == 2
    assert not empty.variants.exists()


def test_what_was_published_is_not_published_again() -> None:
    version = draft()
    publishing.publish(version=version, by=None)
    with pytest.raises(PublishingError, match="published before"):
        publishing.publish(version=version, by=None)
    with pytest.raises(PublishingError, match="Only a draft"):
        publishing.submit(version=version, by=None)


def test_a_channel_of_the_route_without_a_variant_is_named() -> None:
    version = draft()
    Template.objects.update(channels=["inbox", "email", "sms"])
    assert problems(version) == ["SMS: There is no variant for this channel."]


def test_a_template_without_a_channel_has_nobody_to_reach() -> None:
    assert problems(draft(channels=[])) == ["The template names no channel."]


def test_a_field_that_is_missing_is_named() -> None:
    version = draft(channels=["sms"])
    Variant.objects.update(content={})
    assert problems(version) == ["SMS · Text: Write a text, or name a template of the provider."]


def test_a_syntax_error_is_shown_with_its_line() -> None:
    version = draft(channels=["sms"], content={"sms": {"text": "Hello\n{{ order_no"}})
    [problem] = problems(version)
    assert problem.startswith("SMS · Text, line 2: ")


def test_a_variable_that_is_not_declared_is_named() -> None:
    version = draft(channels=["sms"], content={"sms": {"text": "{{ order_no }} {{ ordr_no }}"}})
    assert problems(version) == [
        "SMS · Text, line 1: The variable “ordr_no” is not declared. Did you mean “order_no”?"
    ]


def test_the_recipient_and_the_engines_own_functions_need_no_declaration() -> None:
    text = "{{ recipient.name }}{% for n in range(2) %}{{ loop.index }}{% endfor %}"
    version = draft(channels=["sms"], content={"sms": {"text": text}})
    assert publishing.problems(version) == []


def test_every_obstacle_is_named_at_once() -> None:
    version = draft(
        channels=["sms", "push"], content={"sms": {"text": "{{ a }}"}, "push": {"title": "{{ b }}"}}
    )
    assert len(problems(version)) == 3


def test_a_version_in_review_goes_back_to_draft() -> None:
    version = draft()
    publishing.submit(version=version, by=None)
    assert publishing.withdraw(version=version).state == VersionState.DRAFT
    with pytest.raises(PublishingError, match="not in review"):
        publishing.withdraw(version=version)


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ([], "JSON object"),
        ({"type": "array"}, '"type": "object"'),
        ({"type": "objekt"}, "Not a JSON Schema, at type"),
        ({"type": "object", "properties": {"a": {"type": 7}}}, "Not a JSON Schema, at properties/a/type"),
        ({"type": "object", "properties": {"a": True}}, "variable a"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}, "$ref"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}}, "#/$defs/a points to nothing"),
        ({"type": "object", "properties": {"a": {"$ref": "#a"}}}, "#a points to nothing"),
        ({"type": "object", "$ref": "#"}, "circle"),
        (
            {"type": "object", "properties": {"a": {"pattern": "((a{999}){999}){999}"}}},
            "cannot be matched in bounded time",
        ),
        ({"type": "object", "patternProperties": {"(x)?(?(1)y|z)": {}}}, "cannot be matched in bounded time"),
    ],
)
def test_a_schema_that_cannot_serve_is_refused(schema: Any, sentence: str) -> None:
    [error] = schema_errors(schema)
    assert sentence in error


def test_a_schema_may_point_into_itself() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "string"}},
    }
    assert schema_errors(schema) == []
