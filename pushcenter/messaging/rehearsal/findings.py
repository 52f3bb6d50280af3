"""What goes wrong in a rehearsal: sets that the schema refuses, and fields that cannot be rendered."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from pushcenter.faults import Fault
from pushcenter.messaging.rehearsal.sets import Set
from templates_app.render import RenderError

_PLACE_IN_LIST = re.compile(r"/\d+(?=/|$)")
#: Kinds of either; a draft with more has one cause for most of them.
MOST = 50

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why callers would get 422. ``pointer`` stands for all items of a list with ``*``."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a delivery would fail; fields as those of :class:`RenderError`."""

    channel: str
    locale: str
    field: str
    part: str
    line: int
    message: str


@dataclass(slots=True)
class Group:
    """The same in so many sets. Of so many of them, ``before``, it is so in the published version, too."""

    example: Set
    number: int = 0
    before: int = 0


@dataclass(slots=True)
class Findings:
    refused_sets: int = 0
    failed_sets: int = 0
    refused: dict[Refused, Group] = field(default_factory=dict)
    failed: dict[Failed, Group] = field(default_factory=dict)

    def refuse(self, each: Set, faults: Iterable[Fault]) -> None:
        self.refused_sets += 1
        for kind in dict.fromkeys(map(_refused, faults)):
            _add(self.refused, kind, each)

    def fail(self, each: Set, place: tuple[str, str], error: RenderError, *, failed_before: bool) -> None:
        kind = Failed(*place, error.field, error.part, error.line, error.message)
        group = _add(self.failed, kind, each)
        if group is not None and failed_before:
            group.before += 1


def _refused(fault: Fault) -> Refused:
    pointer = _PLACE_IN_LIST.sub("/*", fault.pointer.removeprefix("/params"))
    return Refused(pointer or "/", fault.detail)


def _add(groups: dict[Kind, Group], kind: Kind, example: Set) -> Group | None:
    if kind not in groups and len(groups) >= MOST:
        return None
    group = groups.setdefault(kind, Group(example))
    group.number += 1
    return group
