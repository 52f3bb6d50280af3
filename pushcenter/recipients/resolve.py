"""From the ``to`` of requests to people: where reachable, in which language, and what not wanted."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

from channels_app import registry
from pushcenter import prepared
from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.recipients import magic
from pushcenter.recipients.person import Person

# One statement for any number of people. Of the addresses of one kind the newest counts.
LOOK_UP = """
WITH person AS MATERIALIZED (
    SELECT id, external_id, name, locale FROM recipients_recipient WHERE {condition}
), place AS MATERIALIZED (
    SELECT DISTINCT ON (recipient_id, kind) recipient_id, kind, value FROM recipients_address
     WHERE recipient_id = ANY(ARRAY(SELECT id FROM person))
     ORDER BY recipient_id, kind, created_at DESC, id DESC
)
SELECT 'person', id::text, external_id, name, locale FROM person
UNION ALL
SELECT 'place', recipient_id::text, kind, value, '' FROM place
UNION ALL
SELECT 'muted', p.recipient_id::text, c.code, p.channel, ''
  FROM recipients_preference p JOIN recipients_category c ON c.id = p.category_id
 WHERE p.is_muted AND p.recipient_id = ANY(ARRAY(SELECT id FROM person))
UNION ALL
SELECT CASE WHEN s.category = '' THEN s.reason ELSE 'left' END, s.category, s.kind, s.value, s.channel
  FROM recipients_suppression s
  JOIN (SELECT kind, value FROM place
         UNION SELECT 'recipient', external_id FROM person
         UNION SELECT * FROM unnest($2::text[], $3::text[])) AS used (kind, value)
    USING (kind, value)
"""
BY_EXTERNAL_ID = LOOK_UP.format(condition="external_id = ANY($1::text[])")
BY_ID = LOOK_UP.format(condition="id = ANY($1::uuid[])")


@dataclass(slots=True)
class _Row:
    """What the directory has of one person."""

    id: UUID
    external_id: str
    name: str
    locale: str
    places: dict[str, str] = field(default_factory=dict)
    muted: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Directory:
    """The people that were looked up, and the suppressions of every address that comes into question."""

    people: Mapping[str, _Row]
    suppressed: Mapping[tuple[str, str], Mapping[str, str]]
    left: Mapping[tuple[str, str], Collection[tuple[str, str]]] = field(default_factory=dict)

    def left_at(self, places: Mapping[str, str]) -> frozenset[tuple[str, str, str]]:
        """Which categories are not wanted at these addresses, by kind and channel."""
        if not self.left:
            return frozenset()
        return frozenset(
            (kind, category, channel)
            for kind, value in places.items()
            for category, channel in self.left.get((kind, value), ())
        )

    def suppressions(self, places: Mapping[str, str]) -> dict[tuple[str, str, str], str]:
        if not self.suppressed:
            return {}
        return {
            (kind, value, channel): reason
            for kind, value in places.items()
            for channel, reason in self.suppressed.get((kind, value), {}).items()
        }


def resolve(to: Mapping[str, Any], *, is_test: bool = False) -> Person:
    """The person whom a request means; addresses in the request go before those of the directory.

    Raises :class:`Rejected` for an unknown recipient and for each address that cannot be one.
    """
    [found] = resolve_all([(to, is_test)])
    if isinstance(found, Rejected):
        raise found
    return found


def resolve_all(asked: Sequence[tuple[Mapping[str, Any], bool]]) -> list[Person | Rejected]:
    """What :func:`resolve` finds for each ``(to, is_test)``, with one look-up for all."""
    inline = [_inline_addresses(to) for to, _ in asked]
    names = {to["recipient"] for to, _ in asked if "recipient" in to}
    places = {place for found, _ in inline for place in found.items()}
    directory = _look_up(BY_EXTERNAL_ID, list(names), places) if names or places else _Directory({}, {})
    return [
        _person(to, is_test, found, faults, directory)
        for (to, is_test), (found, faults) in zip(asked, inline, strict=True)
    ]


def people(ids: Sequence[UUID]) -> dict[UUID, Person]:
    """People of the directory by their ids; who is not there any more is left out."""
    directory = _look_up(BY_ID, ids, ())
    return {row.id: _from_directory({}, row, {}, directory) for row in directory.people.values()}


def _look_up(statement: str, wanted: Sequence[object], places: Iterable[tuple[str, str]]) -> _Directory:
    pairs = list(places)
    kinds, values = (prepared.array(each[place] for each in pairs) for place in (0, 1))
    by_id: dict[str, _Row] = {}
    suppressed: dict[tuple[str, str], dict[str, str]] = {}
    left: dict[tuple[str, str], set[tuple[str, str]]] = {}
    found = cast("list[tuple[str, ...]]", prepared.rows(statement, prepared.array(wanted), kinds, values))
    for what, row_id, first, second, third in sorted(found, key=_people_first):
        match what:
            case "person":
                by_id[row_id] = _Row(UUID(row_id), first, second, third)
            case "place":
                by_id[row_id].places[first] = second
            case "muted":
                by_id[row_id].muted.add((first, second))
            case "left":
                left.setdefault((first, second), set()).add((row_id, third))
            case reason:
                suppressed.setdefault((first, second), {})[third] = reason
    return _Directory({row.external_id: row for row in by_id.values()}, suppressed, left)


def _people_first(row: tuple[Any, ...]) -> bool:
    return row[0] != "person"


def _person(
    to: Mapping[str, Any],
    is_test: bool,  # noqa: FBT001  (it goes with ``to``)
    inline: Mapping[str, str],
    faults: Sequence[Fault],
    directory: _Directory,
) -> Person | Rejected:
    row = directory.people.get(to.get("recipient", ""))
    if "recipient" in to and row is None:
        if is_test and (simulated := magic.person(to["recipient"])) and not faults:
            return _simulated(to, simulated, inline)
        detail = "No recipient has this external id."
        faults = [*faults, Fault(pointer="/to/recipient", code="unknown_recipient", detail=detail)]
    if faults:
        return Rejected(faults)
    if row is not None:
        return _from_directory(to, row, inline, directory)
    return Person(
        name=to.get("name", ""),
        locale=to.get("locale", ""),
        places=inline,
        suppressed=directory.suppressions(inline),
        left=directory.left_at(inline),
    )


def _simulated(to: Mapping[str, Any], known: Person, inline: Mapping[str, str]) -> Person:
    return replace(
        known,
        name=to.get("name") or known.name,
        locale=to.get("locale") or known.locale,
        places={**known.places, **inline},
    )


def _from_directory(
    to: Mapping[str, Any], row: _Row, inline: Mapping[str, str], directory: _Directory
) -> Person:
    places = {**row.places, **inline, "recipient": row.external_id}
    return Person(
        recipient_id=row.id,
        external_id=row.external_id,
        name=to.get("name") or row.name,
        locale=to.get("locale") or row.locale,
        places=places,
        muted=frozenset(row.muted),
        suppressed=directory.suppressions(places),
        left=directory.left_at(places),
    )


def _inline_addresses(to: Mapping[str, Any]) -> tuple[dict[str, str], list[Fault]]:
    places: dict[str, str] = {}
    faults: list[Fault] = []
    for kind, value in _given(to):
        try:
            places[kind] = registry.address_kinds()[kind].normalise(value)
        except ValueError as error:
            faults.append(Fault(pointer=pointer("to", kind), code=f"invalid_{kind}", detail=str(error)))
    return places, faults


def _given(to: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    kinds = registry.address_kinds()
    return ((kind, value) for kind, value in to.items() if kind in kinds)
