"""Variables that a text uses and nobody declares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from templates_app import shape
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.text import Text
from templates_app.preview import PERSON
from templates_app.spelling import nearest
from templates_app.uses import Use, written
from templates_app.variables import PROVIDED

#: Names as alike as this may be one name.
ALIKE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """``name`` goes as far as the part that is not declared; ``near`` is a declared one like it, or empty.

    A warning where callers may give it all the same: in an object that takes more than it declares.
    """

    name: str
    near: str
    severity: Severity = Severity.ERROR


def lost(schema: Any, use: Use) -> Lost | None:
    """What a use looks for in vain; None where it is declared, or every template has it."""
    first, *rest = use.path
    if first == "recipient":
        if not rest or rest[0] in PERSON:
            return None
        return Lost(name=written(use.path[:2]), near=_near(rest[0], list(PERSON), (first,)))
    found = None if first in PROVIDED else shape.missing(schema, use.path)
    if found is None:
        return None
    place, where = found
    known = [*shape.properties(where), *(() if place else sorted(PROVIDED))]
    may_be_given = place > 0 and where.get("additionalProperties", True) is not False
    return Lost(
        name=written(use.path[: place + 1]),
        near=_near(use.path[place], known, use.path[:place]),
        severity=Severity.WARNING if may_be_given else Severity.ERROR,
    )


def _near(name: str, known: Sequence[str], before: Sequence[str]) -> str:
    found = nearest(name, known, alike=ALIKE)
    return written((*before, found)) if found else ""


def in_fields(reading: Reading) -> Iterator[tuple[Text, Use, Lost]]:
    """The first use of each in each field. A layout or a snippet uses the variables of the messages around it."""
    if reading.schema_errors or not reading.draft.is_sendable:
        return
    for text in reading.texts:
        seen: set[str] = set()
        for use in text.uses:
            found = lost(reading.draft.schema, use)
            if found is not None and found.name not in seen:
                seen.add(found.name)
                yield text, use, found


def in_parts(reading: Reading) -> Iterator[tuple[Text, str, Lost]]:
    """What a part uses without asking first, with the field that it stands in and its code."""
    if reading.schema_errors or not reading.draft.is_sendable:
        return
    for text in reading.texts:
        for code, use in text.uses_of_parts:
            found = None if use.is_optional else lost(reading.draft.schema, use)
            if found is not None:
                yield text, code, found
