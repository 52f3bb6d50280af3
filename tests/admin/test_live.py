"""What the editor is told while somebody types: the same as sending would say, and never a page of an error."""

import json
import time
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from templates_app.models import Template, TemplateKind, TemplateVersion
from tests import factories
from tests.admin.conftest import AsRole

SCHEMA = {"type": "object", "properties": {"order_no": {"type": "string"}}, "required": ["order_no"]}
BAIT = {"order_no": "a" * 40 + "!"}


@pytest.fixture
def draft(db: None) -> TemplateVersion:
    return factories.template(channels=["sms"], published=False).versions.get()


def url(version: TemplateVersion) -> str:
    return reverse("admin:templates_app_templateversion_live", args=[version.pk])


def ask(client: Client, version: TemplateVersion, *variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {
        "variables": SCHEMA,
        "params": {"order_no": "SO-42"},
        "shown": "v0",
        "variants": [{"key": f"v{number}", "locale": "", **each} for number, each in enumerate(variants)],
        **more,
    }
    answer = post(client, version, json.dumps(asked))
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def errors(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in told["problems"] if each["severity"] == "error"]


def post(client: Client, version: TemplateVersion, body: str | bytes) -> HttpResponse:
    return client.post(url(version), body, content_type="application/json")  # type: ignore[return-value]


def test_the_shown_variant_is_rendered_with_the_sample(draft: TemplateVersion, admin_client: Client) -> None:
    told = ask(admin_client, draft, {"channel": "sms", "content": {"text": "Order {{ order_no }} is paid."}})
    assert "Order SO-42 is paid." in told["look"]
    assert errors(told) == []
    assert told["faults"] == []
    assert "1 text message · GSM-7 · 20 characters" in told["estimate"]


def test_of_a_stored_variant_its_id_is_enough(draft: TemplateVersion, admin_client: Client) -> None:
    stored = {"key": "v0", "id": str(draft.variants.get().pk)}
    told = ask(admin_client, draft, variants=[stored])
    assert "Order SO-42 is paid." in told["look"]
    assert post(admin_client, draft, json.dumps({"variants": [{"id": "no-such"}]})).status_code == 400


def test_a_hostile_pattern_holds_nobody_up(draft: TemplateVersion, admin_client: Client) -> None:
    schema = {"type": "object", "properties": {"order_no": {"type": "string", "pattern": "^(a+)+$"}}}
    begun = time.thread_time()
    told = ask(admin_client, draft, {"channel": "sms", "content": {}}, variables=schema, params=BAIT)
    assert time.thread_time() - begun < 1  # the lint of all else included
    assert [each["pointer"] for each in told["faults"]] == ["/order_no"]


def test_nothing_is_stored(draft: TemplateVersion, admin_client: Client) -> None:
    ask(admin_client, draft, {"channel": "sms", "content": {"text": "Other words"}})
    assert draft.variants.get().content == factories.CONTENT["sms"]


def test_an_error_is_told_at_its_variant_field_and_line(draft: TemplateVersion, admin_client: Client) -> None:
    told = ask(
        admin_client,
        draft,
        {"channel": "sms", "content": {"text": "Fine"}},
        {"channel": "email", "content": {"subject": "Hi", "text": "Dear\n{{ order_no"}},
    )
    problem = next(each for each in told["problems"] if each.get("line"))
    assert (problem["key"], problem["field"], problem["line"]) == ("v1", "text", 2)
    assert "Fine" in told["look"], "a fault elsewhere does not hide what is shown"


def test_what_fails_with_this_sample_is_said_in_place_of_the_picture(
    draft: TemplateVersion, admin_client: Client
) -> None:
    told = ask(admin_client, draft, {"channel": "sms", "content": {"text": "A\n{{ order_no.x.y }}"}})
    assert told["error"]["field"] == "text"
    assert told["error"]["line"] == 2
    assert "look" not in told


def test_a_sample_that_breaks_the_schema_is_told_by_variable(
    draft: TemplateVersion, admin_client: Client
) -> None:
    told = ask(admin_client, draft, {"channel": "sms", "content": {"text": "Hi"}}, params={"order_no": 7})
    assert told["faults"][0]["pointer"] == "/order_no"


def test_a_field_that_is_missing_is_told(draft: TemplateVersion, admin_client: Client) -> None:
    told = ask(admin_client, draft, {"channel": "push", "content": {"title": "Hi"}})
    wanted = {"rule": "incomplete-content", "key": "v0", "field": "body"}
    assert any(wanted.items() <= each.items() for each in errors(told))


@pytest.mark.parametrize(
    "schema", [None, "x", [], {"type": "objekt"}, {"type": "object", "$ref": "#"}, {"properties": {"a": 1}}]
)
def test_a_schema_that_is_none_is_a_problem_and_no_failure(
    schema: Any, draft: TemplateVersion, admin_client: Client
) -> None:
    told = ask(admin_client, draft, {"channel": "sms", "content": {"text": "Hi"}}, variables=schema)
    assert "schema" in {each["rule"] for each in errors(told)}
    assert "Hi" in told["look"]


def test_a_snippet_is_looked_at_by_itself(draft: TemplateVersion, admin_client: Client) -> None:
    Template.objects.update(kind=TemplateKind.SNIPPET)
    told = ask(admin_client, draft, {"channel": "text", "content": {"source": "Bye, {{ order_no }}"}})
    assert "Bye, SO-42" in told["look"]
    told = ask(admin_client, draft, {"channel": "text", "content": {"source": ""}})
    assert any(each["field"] == "source" for each in errors(told))


def test_a_layout_is_looked_at_around_a_text(draft: TemplateVersion, admin_client: Client) -> None:
    Template.objects.update(kind=TemplateKind.LAYOUT)
    source = "<h1>{% block title %}Shop{% endblock %}</h1>{% block content %}{% endblock %}<i>{{ recipient.name }}</i>"
    told = ask(admin_client, draft, {"channel": "html", "content": {"source": source}})
    assert "&lt;h1&gt;Shop&lt;/h1&gt;Here stands the text of a message." in told["look"]


def test_an_error_in_a_layout_is_at_its_own_line(draft: TemplateVersion, admin_client: Client) -> None:
    Template.objects.update(kind=TemplateKind.LAYOUT)
    told = ask(admin_client, draft, {"channel": "html", "content": {"source": "<p>\n{{ order_no.x.y }}"}})
    assert (told["error"]["field"], told["error"]["line"]) == ("source", 2)


def test_what_the_text_uses_is_proposed_for_the_schema(draft: TemplateVersion, admin_client: Client) -> None:
    told = ask(
        admin_client, draft, {"channel": "sms", "content": {"text": "{{ order_no }} {{ customer.city }}"}}
    )
    assert told["proposal"]["names"] == ["customer.city"]
    assert set(told["proposal"]["schema"]["properties"]) == {"order_no", "customer"}


def test_each_problem_says_why_and_what_to_do(draft: TemplateVersion, admin_client: Client) -> None:
    told = ask(admin_client, draft, {"channel": "sms", "content": {"text": "{{ ordr_no }}"}})
    found = next(each for each in told["problems"] if each["rule"] == "variable-misspelt")
    assert (found["key"], found["field"], found["line"]) == ("v0", "text", 1)
    assert found["help"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        "null",
        '{"variants": 1}',
        '{"variants": [1]}',
        '{"variants": [{"content": 1}]}',
        '{"variants": [], "params": "\\ud800"}',
        "[" * 100_000,
        '{"variants": [], "variables": ' + "[" * 900 + "]" * 900 + "}",
        '{"variants": [], "samples": [{"params": ' + "[" * 900 + "]" * 900 + "}]}",
        json.dumps({"variants": [{"content": {}}] * 301}),
        b"\xff\xfe",
    ],
)
def test_what_is_no_question_is_refused(
    body: str | bytes, draft: TemplateVersion, admin_client: Client
) -> None:
    answer = post(admin_client, draft, body)
    assert answer.status_code == 400
    assert json.loads(answer.content)["detail"]


@pytest.mark.parametrize(
    "content",
    [
        {"text": 1},
        {"text": None},
        {"text": ["x"]},
        {"unknown": "x"},
        {"text": "{% for a in range(100000000) %}x{% endfor %}"},
        {"text": "{{ recipient.name.upper() }}{{ [].pop() }}"},
        {"text": "\x00"},
        {"text": "{% include 'a\x00b' %}"},
        {"text": "{{ 1 // 0 }}"},
        {"params": "{{ order_no }}", "template_code": "1"},
    ],
)
def test_content_of_any_kind_is_answered(
    content: dict[str, Any], draft: TemplateVersion, admin_client: Client
) -> None:
    for channel in ("sms", "push", "webhook", "email", "no-such", ""):
        ask(admin_client, draft, {"channel": channel, "content": content})


def test_a_question_that_is_too_long_is_refused(draft: TemplateVersion, admin_client: Client) -> None:
    assert post(admin_client, draft, "x" * 1_000_001).status_code == 413


def test_it_is_for_those_who_may_see_versions_and_for_pages_of_the_console(
    draft: TemplateVersion, as_role: AsRole
) -> None:
    assert as_role("Analysts").post(url(draft), "{}", content_type="application/json").status_code == 403
    approver = as_role("Approvers")
    assert "Hi" in ask(approver, draft, {"channel": "sms", "content": {"text": "Hi"}})["look"]
    assert approver.get(url(draft)).status_code == 405
    missing = url(draft).replace(str(draft.pk), "no-such")
    assert approver.post(missing, "{}", content_type="application/json").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = approver.cookies
    assert strict.post(url(draft), "{}", content_type="application/json").status_code == 403
