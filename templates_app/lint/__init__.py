"""Lint: what an editor should know of a version before anybody gets it.

Each file holds the rules of one theme, and :data:`THEMES` lists them all. An error stops review and publishing.
"""

from collections.abc import Iterable
from itertools import islice

from django.utils.translation import gettext_lazy as _

from templates_app.lint import html, length, links, mail, provider, route, syntax, variables, wording
from templates_app.lint.draft import Draft, Written, draft_of
from templates_app.lint.problem import Problem, Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Rule
from templates_app.models import TemplateVersion

THEMES = (
    (_("Route and languages"), route.RULES),
    (_("Content"), syntax.RULES),
    (_("Variables and samples"), variables.RULES),
    (_("Providers"), provider.RULES),
    (_("Links"), links.RULES),
    (_("Mail"), mail.RULES),
    (_("HTML"), html.RULES),
    (_("Length"), length.RULES),
    (_("Wording"), wording.RULES),
)
#: Every rule by its code.
RULES: dict[str, Rule] = {each.code: each for _theme, rules in THEMES for each in rules}

#: Places of one rule; nobody reads more at once.
MOST = 50
_ORDER = list(Severity)


def lint(version: TemplateVersion) -> list[Problem]:
    """What is wrong with a stored version, as it stands now."""
    return lint_draft(draft_of(version))


def lint_draft(draft: Draft) -> list[Problem]:
    """What is wrong with a draft, errors first; each place in the order of its rules."""
    reading = Reading(draft)
    found = [problem for rule in RULES.values() for problem in islice(rule.problems(reading), MOST)]
    return sorted(dict.fromkeys(found), key=lambda each: _ORDER.index(each.severity))


def errors(version: TemplateVersion) -> list[Problem]:
    """What stops review and publishing."""
    return [each for each in lint(version) if each.severity == Severity.ERROR]


def by_severity(problems: Iterable[Problem]) -> list[tuple[Severity, list[tuple[Rule, list[Problem]]]]]:
    """For a page: the worst first, and under each rule the places that break it."""
    found: dict[Severity, dict[str, list[Problem]]] = {}
    for each in problems:
        found.setdefault(each.severity, {}).setdefault(each.rule, []).append(each)
    return [
        (severity, [(RULES[code], places) for code, places in found[severity].items()])
        for severity in Severity
        if severity in found
    ]


__all__ = [
    "RULES",
    "THEMES",
    "Draft",
    "Problem",
    "Rule",
    "Severity",
    "Written",
    "by_severity",
    "errors",
    "lint",
    "lint_draft",
]
