"""A rule: one thing that lint looks for, why it matters, and an example that breaks and one that holds it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from channels_app.contract import StrOrPromise
from templates_app.lint.draft import Draft
from templates_app.lint.problem import Problem, Severity
from templates_app.lint.reading import Reading
from templates_app.lint.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that breaks a rule. ``severity`` is the rule's own unless the place says otherwise."""

    message: str
    channel: str = ""
    locale: str = ""
    field: str = ""
    line: int = 0
    severity: Severity | None = None


Look = Callable[[Reading], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``why`` it matters and what to ``do`` are what people read; ``bad`` and ``good`` are what the tests run."""

    code: str
    severity: Severity
    title: StrOrPromise
    why: StrOrPromise
    todo: StrOrPromise
    bad: Draft
    good: Draft
    look: Look

    def problems(self, reading: Reading) -> Iterator[Problem]:
        for each in self.look(reading):
            yield Problem(
                rule=self.code,
                severity=each.severity or self.severity,
                message=each.message,
                channel=each.channel,
                locale=each.locale,
                field=each.field,
                line=each.line,
            )


def rule(**facts: Any) -> Callable[[Look], Rule]:
    """Makes a rule of the function that looks for it."""
    return lambda look: Rule(look=look, **facts)


def at(text: Text, message: str, *, line: int = 0, severity: Severity | None = None) -> Finding:
    """A finding in one field."""
    return Finding(
        message=message,
        channel=text.channel,
        locale=text.locale,
        field=text.field,
        line=line,
        severity=severity,
    )
