"""Layouts and snippets: which ones a source names, and what they say in a language.

``{% extends "brand" %}`` and ``{% include "signature" %}`` name them by their codes alone. To the engine they are
``brand.html`` within HTML and ``signature.txt`` elsewhere, so that one snippet has two forms.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from templates_app.locales import nearest
from templates_app.models import TemplateKind, TemplateVersion, Variant, VersionState
from templates_app.source import Piece, SourceError, line_at, pieces, unquoted

#: What the two forms end in for the engine, by the channel under which they are stored.
ENDINGS = {"html": ".html", "text": ".txt"}
TAGS = frozenset({"extends", "include"})
#: Parts within each other.
DEEPEST = 20
#: Tokens of a tag that names one part: the name of the tag, and a string.
_PLAIN_TAG = 2
#: A string that can be a code.
_CODE = re.compile(r"(['\"])[-\w]+\1", re.ASCII)


class PartError(SourceError):
    """A part that cannot be put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One place where a part is put in."""

    code: str
    line: int
    may_be_missing: bool = False


def named(source: str) -> list[Named]:
    """The parts that a source names itself, in their order; raises :class:`PartError` where one has no plain name."""
    return [_named(source, piece) for piece in pieces(source) if piece.name in TAGS]


def _named(source: str, piece: Piece) -> Named:
    line = line_at(source, piece.start)
    rest = [token.text for token in piece.tokens[_PLAIN_TAG:]]
    may_be_missing = piece.name == "include" and rest[:2] == ["ignore", "missing"]
    is_plain = len(piece.tokens) >= _PLAIN_TAG and bool(_CODE.fullmatch(piece.tokens[1].text))
    if not is_plain or (rest and not may_be_missing):
        raise PartError(f'write the code of one layout or snippet: {piece.name} "signature"', line=line)
    return Named(code=unquoted(piece.tokens[1]), line=line, may_be_missing=may_be_missing)


def codes(contents: Iterable[Mapping[str, Any]]) -> set[str]:
    """The codes of all parts that these contents name themselves; a source that cannot be read names none."""
    return {each.code for each in _named_in(contents)}


def demanded(contents: Iterable[Mapping[str, Any]]) -> set[str]:
    """Those of them that have to be there."""
    return {each.code for each in _named_in(contents) if not each.may_be_missing}


def _named_in(contents: Iterable[Mapping[str, Any]]) -> Iterator[Named]:
    for content in contents:
        for source in _texts(content):
            yield from _readable(source)


def _readable(source: str) -> list[Named]:
    try:
        return named(source)
    except PartError:
        return []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)


def ending(name: str) -> str:
    """What the parts end in that stand within a source of this name."""
    return ENDINGS["html"] if name.endswith(ENDINGS["html"]) else ENDINGS["text"]


def reached(own: Mapping[str, str], parts: Mapping[str, str]) -> dict[str, str]:
    """The sources of a variant and those of all parts that they come to need, by the engine's names.

    Raises :class:`PartError` for a part that is not there, and for parts that need each other in a circle.
    """
    found: dict[str, str] = {}
    for name, source in own.items():
        _reach(name, source, parts, found, ())
    return found


def _reach(
    name: str, source: str, parts: Mapping[str, str], found: dict[str, str], above: tuple[str, ...]
) -> None:
    if name in found:
        return
    if len(above) > DEEPEST:
        message = f"layouts and snippets stand within each other more than {DEEPEST} deep"
        raise PartError(message, line=1, source=name)
    try:
        needed = named(source)
    except PartError as error:
        raise PartError(error.message, line=error.line, source=name) from None
    for each in needed:
        below = each.code + ending(name)
        if name.endswith(".json"):
            raise PartError("layouts and snippets cannot stand within JSON", line=each.line, source=name)
        if below == name or below in above:
            message = f"“{each.code}” comes to include itself"
            raise PartError(message, line=each.line, source=name)
        if below in parts:
            _reach(below, parts[below], parts, found, (*above, name))
        elif not each.may_be_missing:
            raise PartError(_missing(each.code, below, parts), line=each.line, source=name)
    found[name] = source


def _missing(code: str, name: str, parts: Mapping[str, str]) -> str:
    forms = {"html": "HTML", "text": "text"}
    for form, end in ENDINGS.items():
        if not name.endswith(end) and code + end in parts:
            other = "text" if form == "html" else "html"
            return f"the layout or snippet “{code}” has no {forms[other]} form"
    return f"there is no published layout or snippet “{code}”"


def of_content(
    content: Mapping[str, Any], locale: str, *, pins: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The sources of all parts that a content comes to need, by the engine's names.

    Each in the form whose language comes nearest to ``locale``: of the versions in ``pins``, or else of those that
    are published now. What is not there is left out: :func:`reached` says where it is missed.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    wanted = codes([content])
    while wanted:
        known = versions(wanted, pins=pins)
        seen |= wanted
        contents: list[Mapping[str, Any]] = []
        for code, version in known.items():
            chosen = _nearest(version.variants.all(), locale)
            contents += [variant.content for variant in chosen]
            for variant in chosen:
                found[code + ENDINGS[variant.channel]] = str(variant.content.get("source", ""))
        wanted = codes(contents) - seen
    return found


def of_variant(variant: Variant) -> dict[str, str]:
    """The sources of all parts that a variant comes to need: pinned once its version cannot change."""
    if not codes([variant.content]):
        return {}
    version = variant.version
    return of_content(variant.content, variant.locale, pins=version.parts if version.is_final else None)


def versions(wanted: set[str], *, pins: Mapping[str, str] | None = None) -> dict[str, TemplateVersion]:
    """Of these parts the versions in ``pins``, or else those that are published now, with their variants; by code."""
    rows = TemplateVersion.objects.exclude(template__kind=TemplateKind.MESSAGE)
    if pins is None:
        rows = rows.filter(template__code__in=wanted, state=VersionState.PUBLISHED)
    else:
        rows = rows.filter(pk__in=[pins[code] for code in wanted if code in pins])
    return {row.template.code: row for row in rows.select_related("template").prefetch_related("variants")}


def _nearest(variants: Iterable[Variant], locale: str) -> list[Variant]:
    """One variant of each form."""
    chosen = []
    for form in ENDINGS:
        by_locale = {variant.locale: variant for variant in variants if variant.channel == form}
        if by_locale:
            chosen.append(by_locale[nearest(locale, by_locale)])
    return chosen
