"""What the editor asks while somebody types: how a variant looks, what is wrong and where, what it would cost.

Nothing is stored, and nothing is rendered or checked by other means than when the version is sent.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from channels_app.contract import TextSource
from pushcenter.faults import Fault
from templates_app import parts
from templates_app.estimates import estimate
from templates_app.looks import look
from templates_app.part_forms import form_of
from templates_app.preview import PERSON
from templates_app.render import RenderError, compile_content, compile_errors
from templates_app.schema import schema_errors
from templates_app.variables import Check

#: More variants than channels and languages that anybody writes for.
MOST_VARIANTS = 300


class Unreadable(ValueError):
    """The question is not one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One variant as it stands in the editor; ``key`` is the editor's own name for it."""

    key: str
    channel: str
    locale: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The whole editor: all variants, the schema of the variables, the chosen sample, and which variant is shown."""

    variants: tuple[Written, ...]
    schema: Any
    params: Mapping[str, Any]
    shown: str


def question(body: bytes) -> Question:
    """Read it; raises :class:`Unreadable`."""
    try:
        asked = json.loads(body)
        json.dumps(asked, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError):
        raise Unreadable("This is not JSON.") from None
    if not isinstance(asked, dict) or not isinstance(asked.get("variants"), list):
        raise Unreadable("Give an object with variants.")
    if len(asked["variants"]) > MOST_VARIANTS:
        raise Unreadable("These are too many variants.")
    params = asked.get("params")
    return Question(
        variants=tuple(map(_variant, asked["variants"])),
        schema=asked.get("variables"),
        params=params if isinstance(params, dict) else {},
        shown=str(asked.get("shown", "")),
    )


def _variant(asked: Any) -> Written:
    if not isinstance(asked, dict) or not isinstance(asked.get("content"), dict):
        raise Unreadable("A variant is an object with content.")
    channel, locale = str(asked.get("channel", "")), str(asked.get("locale", ""))
    content = _cleaned(channel, asked["content"])
    return Written(key=str(asked.get("key", "")), channel=channel, locale=locale, content=content)


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


def answer(asked: Question) -> dict[str, Any]:
    """Everything that the editor shows beside the text, as JSON."""
    schema_problems = schema_errors(asked.schema)
    check = Check({} if schema_problems else asked.schema)
    shown = next((each for each in asked.variants if each.key == asked.shown), None)
    return {
        "problems": [
            *({"severity": "error", "field": "variables", "message": each} for each in schema_problems),
            *(problem for variant in asked.variants for problem in problems(variant)),
        ],
        "faults": [_fault(each) for each in check.faults(asked.params)],
        **(_sight(shown, check.with_defaults(asked.params)) if shown else {}),
    }


def problems(variant: Written) -> Iterator[dict[str, Any]]:
    place = {"key": variant.key, "severity": "error"}
    kind = form_of(variant.channel)
    if kind is None:
        yield {**place, "message": _("This channel is not installed.")}
        return
    form = kind(dict(variant.content))
    for name, sentences in form.errors.items():
        at = name if name in form.fields else ""
        yield from ({**place, "field": at, "message": str(sentence)} for sentence in sentences)
    for name, field in form.fields.items():
        source = variant.content.get(name)
        if isinstance(field, TextSource) and isinstance(source, str):
            for line, message in compile_errors(source):
                yield {**place, "field": name, "line": line, "message": message}


def _fault(fault: Fault) -> dict[str, Any]:
    return {"pointer": fault.pointer.removeprefix("/params"), "message": fault.detail}


def _sight(variant: Written, params: Mapping[str, Any]) -> dict[str, Any]:
    """How it looks and what it takes; or why it cannot be rendered with these parameters."""
    context = {**params, "recipient": {**PERSON, "locale": variant.locale}}
    try:
        found = parts.of_content(variant.content, variant.locale)
        content = compile_content(variant.channel, variant.content, parts=found).render(context)
    except RenderError as error:
        message = f"{error.part}: {error.message}" if error.part else error.message
        return {"error": {"field": error.field, "line": error.line, "message": message}}
    return {"look": look(variant.channel, content), "estimate": str(estimate(variant.channel, content))}
