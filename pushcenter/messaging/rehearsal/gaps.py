"""Places of a version that show nothing, because a value is missing or empty."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pushcenter.messaging.rehearsal.sets import Set
from pushcenter.messaging.rehearsal.side import Side
from templates_app.uses import EACH, Path, uses, written


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A variable that showed nothing in so many sets, though the text has nothing else to say there."""

    name: str
    channels: Sequence[str]
    number: int
    example: Set


@dataclass(slots=True)
class Gaps:
    """Looks for them set by set."""

    channels: dict[Path, list[str]]
    _numbers: "Counter[Path]" = field(default_factory=Counter)
    _examples: dict[Path, Set] = field(default_factory=dict)

    @classmethod
    def of(cls, side: Side) -> "Gaps":
        found: dict[Path, list[str]] = {}
        for channel in side.channels:
            for path in _needed(side.sources(channel)):
                found.setdefault(path, []).append(channel)
        return cls(found)

    def add(self, each: Set, params: Mapping[str, Any]) -> None:
        context = {**params, **each.provided}
        for path in self.channels:
            if _is_empty(context, path):
                self._numbers[path] += 1
                self._examples.setdefault(path, each)

    def all(self) -> list[Gap]:
        return [
            Gap(name=written(path), channels=self.channels[path], number=number, example=self._examples[path])
            for path, number in self._numbers.most_common()
        ]


def _needed(sources: Iterable[str]) -> set[Path]:
    """Paths of what is shown without asking first whether it is there."""
    return {use.path for source in sources for use in uses(source) if not use.is_optional}


def _is_empty(value: Any, path: Path) -> bool:
    for place, step in enumerate(path):
        if step == EACH:
            return isinstance(value, list) and any(_is_empty(inner, path[place + 1 :]) for inner in value)
        if not isinstance(value, Mapping):
            return value in (None, "")
        value = value.get(step)
    return value in (None, "")
