"""The variables that a version uses, proposed as its schema: what is new is added, what is there stays as it is.

The type of a new one is read off the samples, else off the places that use it (a loop, a comparison, a filter), else it
is a text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from templates_app import shape
from templates_app.lint.draft import Draft, Written
from templates_app.lint.reading import Reading
from templates_app.models import empty_schema
from templates_app.schema import schema_errors
from templates_app.spelling import meant
from templates_app.uses import EACH, Path, Use, written
from templates_app.variables import PROVIDED

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})")
LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A use of what is not declared: ``near`` is the declared name that may be meant, empty where there is none."""

    name: str
    channel: str
    locale: str
    field: str
    line: int
    near: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """``schema`` is the present one with ``added`` in it.

    ``unused`` are declared, and stay until somebody removes them. ``undeclared`` are the uses of what the present
    schema lacks, each name once; those that seem misspelt are not added.
    """

    schema: dict[str, Any]
    added: tuple[str, ...]
    unused: tuple[str, ...]
    undeclared: tuple[Unknown, ...]

    @property
    def misspelt(self) -> tuple[Unknown, ...]:
        return tuple(each for each in self.undeclared if each.near)


@dataclass(frozen=True, slots=True)
class _Place:
    """A use, and where it stands."""

    use: Use
    channel: str
    locale: str
    field: str


def propose(contents: Iterable[Sequence[Any]], schema: Any, samples: Iterable[Mapping[str, Any]]) -> Proposal:
    """What to declare for these contents, given as ``(channel, locale, content)``; with sets of parameters as samples.

    A schema that cannot serve is begun anew.
    """
    present = empty_schema() if schema_errors(schema) else deepcopy(schema)
    given = [each for each in samples if isinstance(each, Mapping)]
    places = [each for each in _places(contents) if each.use.path[0] not in PROVIDED]
    used = [place.use for place in places]
    unknown = tuple(_unknown(places, present, used, given))
    lost = {each.name for each in unknown if each.near}
    proposed = deepcopy(present)
    added: list[str] = []
    for use in used:
        found = shape.missing(present, use.path)
        if found is not None and written(use.path[: found[0] + 1]) not in lost:
            _declare(proposed, use.path, used, given, added)
    return Proposal(
        schema=proposed,
        added=tuple(each for each in added if not any(_is_within(other, each) for other in added)),
        unused=tuple(written(path) for path in shape.unused(present, used)),
        undeclared=unknown,
    )


def _is_within(name: str, other: str) -> bool:
    return name.startswith((f"{other}.", f"{other}{EACH}"))


def _places(contents: Iterable[Sequence[Any]]) -> Iterable[_Place]:
    for text in Reading(Draft(variants=[Written(*each) for each in contents])).texts:
        for use in text.uses:
            yield _Place(use, text.channel, text.locale, text.field)
        for _code, use in text.uses_of_parts:  # whose lines are not those of the field
            yield _Place(replace(use, line=0), text.channel, text.locale, text.field)


def _unknown(
    places: Iterable[_Place], schema: Any, used: Sequence[Use], samples: Sequence[Mapping[str, Any]]
) -> Iterable[Unknown]:
    seen: set[str] = set()
    idle = {written(path) for path in shape.unused(schema, used)}
    for place in places:
        found = shape.missing(schema, place.use.path)
        if found is None:
            continue
        path, declared = place.use.path[: found[0] + 1], shape.properties(found[1])
        name = written(path)
        if name in seen:
            continue
        seen.add(name)
        waiting = [each for each in declared if written((*path[:-1], each)) in idle]
        # What a sample has is meant as it is.
        near = "" if values(samples, path) else meant(path[-1], list(declared), idle=waiting)
        yield Unknown(
            name=name,
            channel=place.channel,
            locale=place.locale,
            field=place.field,
            line=place.use.line,
            near=written((*path[:-1], near)) if near else "",
        )


def values(samples: Sequence[Any], path: Path) -> list[Any]:
    """What the samples have at a path, each item of a list apart."""
    found = list(samples)
    for step in path:
        if step == EACH:
            found = [item for each in found if isinstance(each, list) for item in each]
        else:
            found = [each[step] for each in found if isinstance(each, Mapping) and step in each]
    return found


def _declare(
    schema: dict[str, Any], path: Path, used: Sequence[Use], samples: Sequence[Any], added: list[str]
) -> None:
    """Write what the path needs into the schema, from the parameter inwards; what is there stays."""
    where: Any = schema
    for place, (step, following) in enumerate(pairwise((*path, ""))):
        here = path[: place + 1]
        if shape.is_open(where):
            return
        if step == EACH:
            where = where.setdefault("items", {}) if where.get("type") == "array" else {}
            if not where:
                where.update(_guess(here, following, used, samples))
            continue
        if step not in shape.properties(where):
            where.setdefault("properties", {})[step] = _guess(here, following, used, samples)
            if not _is_optional(here, used):
                where["required"] = [*where.get("required", []), step]
            added.append(written(here))
        where = where["properties"][step]


def _is_optional(path: Path, used: Sequence[Use]) -> bool:
    """Does every place that uses it ask first, or get along without it?"""
    return all(use.is_optional for use in used if use.path[: len(path)] == path)


def _guess(path: Path, following: str, used: Sequence[Use], samples: Sequence[Any]) -> dict[str, Any]:
    if following == EACH:
        return {"type": "array", "items": {}}
    if following:
        return {"type": "object", "properties": {}}
    given = values(samples, path)
    kinds = [use.kind for use in used if use.path == path and use.kind]
    found = _of_values(given, kinds) or _of_kinds(kinds, used, path)
    if found["type"] == "array":
        found["items"] = _guess((*path, EACH), "", used, samples) if values(samples, (*path, EACH)) else {}
    return found


def _of_values(given: Sequence[Any], kinds: Sequence[str]) -> dict[str, Any]:
    types = {_type(each) for each in given}
    is_nullable = "null" in types
    types.discard("null")
    if "number" in types or ("integer" in types and "number" in kinds):
        types = (types - {"integer"}) | {"number"}
    if len(types) != 1:
        return {}
    found: dict[str, Any] = {"type": [*types, "null"] if is_nullable else next(iter(types))}
    texts = [each for each in given if isinstance(each, str)]
    if form := _format(texts):
        found["format"] = form
    return found


def _of_kinds(kinds: Sequence[str], used: Sequence[Use], path: Path) -> dict[str, Any]:
    goes_on = any(len(use.path) > len(path) and use.path[: len(path)] == path for use in used)
    found = next((each for each in ("array", "object", "number", "boolean") if each in kinds), "string")
    return {"type": "object" if goes_on and found == "string" else found}


def _format(texts: Sequence[str]) -> str:
    for form, pattern in (("date", DATE), ("date-time", DATE_TIME), ("uri", LINK)):
        if texts and all(pattern.fullmatch(each) for each in texts):
            return form
    return ""


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {
        dict: "object",
        list: "array",
        str: "string",
        int: "integer",
        float: "number",
        type(None): "null",
    }
    return names.get(type(value), "string")
