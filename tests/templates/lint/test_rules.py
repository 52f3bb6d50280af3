"""Every rule finds its own bad example, and leaves its good one alone."""

from pathlib import Path

import pytest
from django.conf import settings

from templates_app.lint import RULES, Draft, Rule, handbook, lint_draft

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


def test_the_page_of_all_rules_is_the_one_in_the_docs() -> None:
    assert PAGE.read_text() == handbook.page(), "run: manage.py lint --rules > docs/lint.md"
