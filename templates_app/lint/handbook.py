"""``docs/lint.md``: every rule, why it matters, what to do, and an example of each kind."""

import json
from collections.abc import Iterator
from textwrap import shorten

from django.utils.translation import gettext, override

from templates_app.lint import THEMES
from templates_app.lint.draft import Draft, Written
from templates_app.lint.rule import Rule

HEAD = """# Lint

This page is generated: `manage.py lint --rules > docs/lint.md`. The tests compare it with the code.

Every version is linted while it is written, on its preview page, and before it goes to review and is published. An
**error** stops review and publishing; a **warning** is what its author should have a good reason for; a **hint** is for
the reader to weigh. `manage.py lint [CODE…]` lints the stored templates and ends with exit code 1 where it finds an
error.

"""
#: Of a long example, so many characters are printed.
ENOUGH = 160


def page() -> str:
    """The whole page."""
    with override("en"):
        return HEAD + _contents() + "".join(_themes())


def _contents() -> str:
    lines = ["| Rule | Severity | |", "| --- | --- | --- |"]
    lines += [
        f"| [`{rule.code}`](#{rule.code}) | {rule.severity.label} | {rule.title} |"
        for _theme, rules in THEMES
        for rule in rules
    ]
    return "\n".join(lines) + "\n"


def _themes() -> Iterator[str]:
    for theme, rules in THEMES:
        yield f"\n## {theme}\n"
        yield from (_rule(rule) for rule in rules)


def _rule(rule: Rule) -> str:
    title = f"\n### {rule.code}\n\n**{rule.title}** ({rule.severity.label}). {rule.why}\n\n*What to do:* {rule.todo}\n"
    return f"{title}\nBad:\n\n{_example(rule.bad)}\nGood:\n\n{_example(rule.good)}"


def _example(draft: Draft) -> str:
    return "```text\n" + "\n".join(_lines(draft)) + "\n```\n"


def _lines(draft: Draft) -> Iterator[str]:
    if draft.channels:
        yield f"route: {', '.join(draft.channels)}"
    if draft.accounts is not None:
        adapters = sorted(name for names in draft.accounts.values() for name in names)
        yield f"active accounts: {', '.join(adapters) or gettext('none')}"
    if draft.schema.get("properties") or draft.schema.get("type") != "object":
        yield f"variables: {json.dumps(draft.schema.get('properties') or draft.schema)}"
    for _name, params in draft.samples:
        if params:
            yield f"sample: {json.dumps(params)}"
    for written in draft.variants:
        yield from _variant(written)


def _variant(written: Written) -> Iterator[str]:
    for field, source in written.content.items():
        place = " ".join(filter(None, (written.channel, written.locale, field)))
        yield f"{place}: {_short(source)}"
    for name, source in written.parts.items():
        yield f"layout or snippet {name}: {_short(source)}"


def _short(source: str) -> str:
    return shorten(source, ENOUGH, placeholder=" …")
