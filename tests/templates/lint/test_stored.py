"""Stored versions are linted before they are published, on their preview page, and by a command."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from templates_app.lint import Severity, errors, lint
from templates_app.models import TemplateVersion, Variant
from tests import factories

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("lint", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    return out.getvalue(), 0


@pytest.fixture
def draft() -> TemplateVersion:
    factories.template(channels=["sms"], published=False)
    version = TemplateVersion.objects.get()
    version.samples = [{"name": "usual", "params": {"order_no": "SO-1"}}]
    version.save()
    return version


def rules(version: TemplateVersion) -> set[str]:
    return {problem.rule for problem in lint(version)}


def test_a_sound_version_has_hints_at_most(draft: TemplateVersion) -> None:
    factories.account("sms")
    assert errors(draft) == []
    assert {each.severity for each in lint(draft)} == {Severity.HINT}


def test_the_facts_of_the_template_count(draft: TemplateVersion) -> None:
    Variant.objects.update(content={"text": "Your password: {{ order_no }}{{ password }}"})
    assert "no-account" in rules(draft)
    assert "variable-secret" in rules(draft)
    draft.template.category.is_mandatory = True
    factories.account("sms", is_active=False)
    assert "no-account" in rules(draft)
    assert "variable-secret" not in rules(draft)


def test_active_accounts_say_what_their_providers_demand(draft: TemplateVersion) -> None:
    config = {"access_key_id": "LTAI-1", "access_key_secret": "s-1", "sign_name": "Shop"}
    account = factories.account("sms", "aliyun_sms", config=config)
    assert [each.field for each in errors(draft)] == ["template_code"]
    account.is_active = False
    account.save()
    assert errors(draft) == []


def test_each_sample_is_tried(draft: TemplateVersion) -> None:
    draft.samples = [*draft.samples, {"name": "long", "params": {"order_no": "字" * 700}}]
    [problem] = errors(draft)
    assert (problem.rule, problem.field) == ("rendering", "text")
    assert "“long”" in problem.message


def test_the_preview_page_shows_the_worst_first_with_an_explanation(
    draft: TemplateVersion, admin_client: Client
) -> None:
    Variant.objects.update(content={"text": "{{ ordr_no }} http://example.com/"})
    page = admin_client.get(
        reverse("admin:templates_app_templateversion_preview_it", args=[draft.pk])
    ).content.decode()
    places = [
        page.index(said)
        for said in (
            "Before it can be published",
            "SMS · Text, line 1: The variable “ordr_no” is not declared. Did you mean “order_no”?",
            "the engine knows a variable by its exact name alone",
            "Warnings",
            "begins with http://",
            "Hints",
        )
    ]
    assert places == sorted(places)


def test_the_command_ends_with_one_where_there_is_an_error(draft: TemplateVersion) -> None:
    said, code = run()
    assert code == 0
    assert "1 templates, 0 errors." in said
    Variant.objects.update(content={"text": "{{ order_no"})
    said, code = run("order-paid", "--errors")
    assert code == 1
    assert "order-paid v1" in said
    assert "SMS · Text, line 1: This is no template" in said
    assert "warning" not in said


def test_the_command_lints_what_is_named_alone(draft: TemplateVersion) -> None:
    factories.template("other", ["sms"], content={"sms": {"text": "{{ x"}})
    assert run("order-paid")[1] == 0
    assert run("order-paid", "other")[1] == 1
    with pytest.raises(CommandError, match="no template gone"):
        run("gone")


def test_the_command_prints_the_page_of_rules() -> None:
    assert run("--rules")[0].startswith("# Lint\n")
