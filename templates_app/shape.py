"""What a JSON Schema says of the value at a path: declared, free, or not there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from templates_app.uses import EACH, Path, Use

#: In a schema with one of these nobody can tell by its properties alone.
OPEN = frozenset({"$ref", "$dynamicRef", "oneOf", "anyOf", "allOf", "if", "patternProperties", "not"})


def types(schema: Any) -> frozenset[str]:
    """The types that a value may have, null left out; empty where any is good."""
    given = schema.get("type", ()) if isinstance(schema, Mapping) else ()
    names = [given] if isinstance(given, str) else list(given)
    return frozenset(names) - {"null"}


def is_open(schema: Any) -> bool:
    """Is there more to it than its properties tell?"""
    return not isinstance(schema, Mapping) or bool(OPEN & schema.keys())


def properties(schema: Any) -> Mapping[str, Any]:
    found = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
    return found if isinstance(found, Mapping) else {}


def missing(schema: Any, path: Sequence[str]) -> tuple[int, Any] | None:
    """The place in the path whose name is not declared, and the schema that lacks it; None where nothing is missing."""
    for place, step in enumerate(path):
        if is_open(schema):
            return None
        if step == EACH:
            schema = schema.get("items", {})
        elif step in properties(schema):
            schema = properties(schema)[step]
        elif not properties(schema) and place > 0:
            return None  # an object that says nothing of what is in it
        else:
            return place, schema
    return None


def at(schema: Any, path: Sequence[str]) -> Any:
    """The schema of the value at a path; empty where nothing is said."""
    for step in path:
        if is_open(schema):
            return {}
        schema = schema.get("items", {}) if step == EACH else properties(schema).get(step, {})
    return schema


def leaves(schema: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all that is declared and has no properties of its own."""
    for name, inner in properties(schema).items():
        yield from _leaves(inner, (*path, name))


def _leaves(schema: Any, path: Path) -> Iterator[Path]:
    if not is_open(schema) and properties(schema):
        yield from leaves(schema, path)
    elif not is_open(schema) and properties(schema.get("items")):
        yield from leaves(schema["items"], (*path, EACH))
    else:
        yield path


def unused(schema: Any, used: Sequence[Use]) -> list[Path]:
    """The paths of what is declared and stands nowhere."""
    return [path for path in leaves(schema) if not any(_covers(use, path) for use in used)]


def _covers(use: Use, path: Path) -> bool:
    """Does the use reach what is declared at the path?"""
    if len(use.path) >= len(path):
        return use.path[: len(path)] == path
    return use.is_whole and path[: len(use.path)] == use.path
