"""Every rule finds its own bad example, and leaves its good one alone."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from templates_app.lint import MOST, RULES, Draft, Rule, Written, handbook, lint_draft
from templates_app.lint.examples import mail, on

PAGE = Path(settings.BASE_DIR) / "docs" / "lint.md"


def codes(draft: Draft) -> set[str]:
    return {problem.rule for problem in lint_draft(draft)}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_finds_its_bad_example_and_leaves_its_good_one_alone(rule: Rule) -> None:
    assert rule.code in codes(rule.bad)
    assert rule.code not in codes(rule.good)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_why_it_matters_and_what_to_do(rule: Rule) -> None:
    for text in (rule.title, rule.why, rule.todo):
        assert str(text).strip()


ODD = {
    "no texts": on("sms", text=5, params=["a"]),
    "no fields": on("email"),
    "fields of another": on("push", html="<p>"),
    "deep": on("email", subject="a", html="<div>" * 5000 + "<img alt='' src='a'>" + "<a>" * 5000 + "a"),
    "torn": on("email", subject="a", html="<a href='<!-- <p <![CDATA[ &#0; {% raw %} {{ %}{% endraw %} </"),
}


@pytest.mark.parametrize("written", ODD.values(), ids=ODD)
@pytest.mark.parametrize("schema", [{}, [], None, {"type": "object", "properties": 5}, {"items": True}])
def test_whatever_is_written_harms_nobody(written: Written, schema: Any) -> None:
    odd = Draft(channels=["sms"], variants=[written], schema=schema, samples=(("a", {"b": None}), ("c", 5)))
    assert all(str(problem) for problem in lint_draft(odd))


def test_of_many_places_some_are_named() -> None:
    many = mail('<a href="http://example.com/">a</a>\n' * 500)
    assert len([each for each in lint_draft(many) if each.rule == "http-link"]) == MOST


def test_the_page_of_all_rules_is_the_one_in_the_docs() -> None:
    assert PAGE.read_text() == handbook.page(), "run: manage.py lint --rules > docs/lint.md"
