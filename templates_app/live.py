"""What the editor asks while somebody types: how a variant looks, what is wrong and where, what it would cost.

Nothing is stored, and nothing is rendered or checked by other means than when the version is sent.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from channels_app.contract import TextSource
from pushcenter.dressing import is_deep
from pushcenter.faults import Fault
from templates_app import lint, samples
from templates_app.estimates import estimate
from templates_app.lint.draft import active_adapters
from templates_app.locales import normalise
from templates_app.looks import look
from templates_app.looks.senders import sender
from templates_app.models import TemplateKind, TemplateVersion, Variant
from templates_app.part_forms import form_of
from templates_app.parts import ENDINGS, of_content
from templates_app.preview import PERSON, way_out
from templates_app.proposals import propose
from templates_app.render import RenderError, compile_content
from templates_app.schema import schema_errors
from templates_app.variables import Check

#: More variants than channels and languages that anybody writes for.
MOST_VARIANTS = 300
#: A place of a layout that only messages fill.
EMPTY_BLOCK = re.compile(r"\{%-?\s*block\s+(\w+)\s*-?%\}\s*\{%-?\s*endblock")


class Unreadable(ValueError):
    """The question is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One variant as it stands in the editor; ``key`` is the editor's own name for it."""

    key: str
    channel: str
    locale: str
    content: Mapping[str, Any]
    parts: Mapping[str, str]

    @property
    def place(self) -> tuple[str, str]:
        return self.channel, self.locale


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The whole editor: all variants, the schema, the samples, and with what which variant is shown."""

    variants: tuple[Written, ...]
    schema: Any
    samples: tuple[Mapping[str, Any], ...]
    params: Mapping[str, Any]
    shown: str


def question(version: TemplateVersion, body: bytes) -> Question:
    """Read it; raises :class:`Unreadable`. Of a stored variant that nobody touched, the editor sends only the id."""
    try:
        asked = json.loads(body)
        json.dumps(asked, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError):
        raise Unreadable("This is not JSON.") from None
    if is_deep(asked):
        raise Unreadable("This is nested too deeply.")
    if not isinstance(asked, dict) or not isinstance(asked.get("variants"), list):
        raise Unreadable("Give an object with variants.")
    if len(asked["variants"]) > MOST_VARIANTS:
        raise Unreadable("These are too many variants.")
    params = asked.get("params")
    rows = {str(each.pk): each for each in version.variants.all()}
    return Question(
        variants=tuple(_variant(each, rows) for each in asked["variants"]),
        schema=asked.get("variables"),
        samples=tuple(_samples(asked.get("samples"))),
        params=params if isinstance(params, dict) else {},
        shown=str(asked.get("shown", "")),
    )


def _samples(asked: Any) -> list[dict[str, Any]]:
    given = asked if isinstance(asked, list) else []
    return [each for each in given if isinstance(each, dict)][: samples.MOST]


def _variant(asked: Any, rows: Mapping[str, Variant]) -> Written:
    row = rows.get(str(asked.get("id"))) if isinstance(asked, dict) and "content" not in asked else None
    if row is not None:
        asked = {**asked, "channel": row.channel, "locale": row.locale, "content": row.content}
    if not isinstance(asked, dict) or not isinstance(asked.get("content"), dict):
        raise Unreadable("A variant is an object with content.")
    channel, locale = str(asked.get("channel", "")), normalise(str(asked.get("locale", "")))
    content = _cleaned(channel, asked["content"])
    key, parts = str(asked.get("key", "")), of_content(content, locale)
    return Written(key=key, channel=channel, locale=locale, content=content, parts=parts)


def _cleaned(channel: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """As it would be stored, also where it is not ready to be."""
    kind = form_of(channel)
    if kind is None:
        return dict(content)
    given = {name: value for name, value in content.items() if isinstance(value, str | bool)}
    form = kind(given)
    form.is_valid()
    cleaned = {**_raw(form, given), **form.cleaned_data}
    return {name: value for name, value in cleaned.items() if value not in ("", None)}


def _raw(form: forms.Form, given: Mapping[str, Any]) -> dict[str, Any]:
    """The sources that the form does not accept yet."""
    sources = [name for name, field in form.fields.items() if isinstance(field, TextSource)]
    return {name: given[name] for name in sources if isinstance(given.get(name), str)}


def answer(version: TemplateVersion, asked: Question) -> dict[str, Any]:
    """Everything that the editor shows beside the text, as JSON."""
    check = Check({} if schema_errors(asked.schema) else asked.schema)
    shown = next((each for each in asked.variants if each.key == asked.shown), None)
    return {
        "problems": problems(version, asked),
        "faults": [_fault(each) for each in check.faults(asked.params)],
        "proposal": _proposal(asked),
        **(_sight(version, shown, check.with_defaults(asked.params)) if shown else {}),
    }


def problems(version: TemplateVersion, asked: Question) -> list[dict[str, Any]]:
    """What lint says, each with the editor's name for the variant."""
    template = version.template
    draft = lint.Draft(
        channels=tuple(template.channels),
        variants=tuple(lint.Written(*each.place, each.content, each.parts) for each in asked.variants),
        schema=asked.schema,
        samples=[(str(each.get("name", "")), each.get("params")) for each in asked.samples],
        is_sendable=template.is_sendable,
        can_be_left=not template.category.is_mandatory,
        accounts=active_adapters(),
    )
    keys = {each.place: each.key for each in reversed(asked.variants)}
    return [_problem(each, keys) for each in lint.lint_draft(draft)]


def _problem(problem: lint.Problem, keys: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    rule = lint.RULES[problem.rule]
    return {
        "rule": problem.rule,
        "severity": problem.severity.value,
        "message": problem.message,
        "help": f"{rule.why} {rule.todo}",
        "key": keys.get((problem.channel, problem.locale), ""),
        "channel": problem.channel,
        "locale": problem.locale,
        "field": problem.field,
        "line": problem.line,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {"pointer": fault.pointer.removeprefix("/params"), "message": fault.detail}


def _proposal(asked: Question) -> dict[str, Any] | None:
    """What the text uses and nobody declared; None where that is nothing."""
    samples = [each["params"] for each in asked.samples if isinstance(each.get("params"), dict)]
    contents = [(*each.place, each.content, each.parts) for each in asked.variants]
    found = propose(contents, asked.schema, samples)
    return {"schema": found.schema, "names": found.added} if found.added else None


def _sight(version: TemplateVersion, variant: Written, params: Mapping[str, Any]) -> dict[str, Any]:
    """How it looks and what it takes; or why it cannot be rendered with these parameters."""
    person = {**PERSON, "locale": variant.locale}
    context = {**params, "recipient": person, "unsubscribe_url": way_out(version)}
    try:
        content = _rendered(version, variant, context)
    except RenderError as error:
        return {"error": _error(error, own=version.template.code)}
    picture = look(variant.channel, content, sender=sender(variant.channel))
    return {"look": picture, "estimate": str(estimate(variant.channel, content))}


def _error(error: RenderError, *, own: str) -> dict[str, Any]:
    """The lines of a layout or snippet that is put in are not those of the editor, unless it is what is edited."""
    if error.part and error.part != own:
        return {"field": error.field, "line": 0, "message": f"{error.part}: {error.message}"}
    return {"field": "source" if error.part else error.field, "line": error.line, "message": error.message}


def _rendered(version: TemplateVersion, variant: Written, context: dict[str, Any]) -> dict[str, Any]:
    """A layout is looked at around a text of its own."""
    if version.template.kind != TemplateKind.LAYOUT:
        return compile_content(variant.channel, variant.content, parts=variant.parts).render(context)
    name = version.template.code
    own = name + ENDINGS.get(variant.channel, "")
    parts = {**variant.parts, own: str(variant.content.get("source", ""))}
    framed = {"source": frame(name, parts[own])}
    return compile_content(variant.channel, framed, parts=parts).render(context)


def frame(layout: str, source: str) -> str:
    """A text within this layout: something for each block that has nothing of its own."""
    blocks = "".join(
        f"{{% block {name} %}}{_('Here stands the text of a message.')}{{% endblock %}}"
        for name in dict.fromkeys(EMPTY_BLOCK.findall(source))
    )
    return f'{{% extends "{layout}" %}}{blocks}'
