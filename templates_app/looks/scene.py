"""What a look is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Scene:
    """A template, and what stands in it."""

    template: str
    context: Mapping[str, Any]


def text(content: Mapping[str, Any], name: str) -> str:
    """A field as text; empty where it is left out, or is nothing that could be read."""
    value = content.get(name)
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def pairs(value: Any) -> list[tuple[str, Any]]:
    """The entries of an object, or of a list by their numbers; WeChat wraps values in an object of its own."""
    if isinstance(value, Mapping):
        return [(str(name), _inner(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [(str(number), _inner(each)) for number, each in enumerate(value, start=1)]
    return []


def _inner(value: Any) -> Any:
    return value["value"] if isinstance(value, Mapping) and "value" in value else value
