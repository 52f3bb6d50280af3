"""The directory as systems keep it: people are written as a whole or in part, one alone or thousands at once.

However many they are, a call takes the same few statements.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from pushcenter.faults import Fault, Rejected
from pushcenter.ids import uuid7
from pushcenter.recipients.entries import Entry, Place
from pushcenter.recipients.models import Group, Recipient

FIELDS = ("name", "locale", "time_zone")
TICK = timedelta(microseconds=1)
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

# Rows as arrays, a column each: one statement for however many. A faster twin may have made the same person.
ADD_PEOPLE = """
INSERT INTO recipients_recipient (id, external_id, name, locale, time_zone, created_at, updated_at)
SELECT v.*, %(now)s, %(now)s
  FROM unnest(%(id)s::uuid[], %(external_id)s::text[], %(name)s::text[], %(locale)s::text[],
              %(time_zone)s::text[]) AS v
ON CONFLICT (external_id) DO NOTHING
"""
LOCK_PEOPLE = """
SELECT external_id, id, name, locale, time_zone FROM recipients_recipient
 WHERE external_id = ANY(%(names)s) ORDER BY external_id FOR NO KEY UPDATE
"""
PLACES = """
SELECT recipient_id, kind, value, id, created_at FROM recipients_address
 WHERE recipient_id = ANY(%(people)s) ORDER BY created_at, id
"""
MEMBERSHIPS = (
    "SELECT recipient_id, group_id, id FROM recipients_recipient_groups WHERE recipient_id = ANY(%(people)s)"
)
CHANGE_PEOPLE = """
UPDATE recipients_recipient r
   SET name = v.name, locale = v.locale, time_zone = v.time_zone, updated_at = %(now)s
  FROM unnest(%(id)s::uuid[], %(name)s::text[], %(locale)s::text[], %(time_zone)s::text[])
    AS v(id, name, locale, time_zone)
 WHERE r.id = v.id
"""
DROP_PLACES = "DELETE FROM recipients_address WHERE id = ANY(%(id)s::uuid[])"
ADD_PLACES = """
INSERT INTO recipients_address (id, recipient_id, kind, value, created_at)
SELECT * FROM unnest(%(id)s::uuid[], %(recipient)s::uuid[], %(kind)s::text[], %(value)s::text[],
                     %(at)s::timestamptz[])
ON CONFLICT (recipient_id, kind, value) DO UPDATE SET created_at = EXCLUDED.created_at
"""
LEAVE = "DELETE FROM recipients_recipient_groups WHERE id = ANY(%(id)s::bigint[])"
JOIN = """
INSERT INTO recipients_recipient_groups (recipient_id, group_id)
SELECT * FROM unnest(%(recipient)s::uuid[], %(group)s::uuid[]) ON CONFLICT DO NOTHING
"""


#: Of the database; its type is the driver's own.
Cursor = Any


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class AlreadyExists(Exception):
    """Somebody has this external id, or a group this code."""


class Unknown(Exception):
    """Nobody has this external id."""


@dataclass(frozen=True, slots=True)
class Since:
    """One address as stored: its row, and since when it is known."""

    pk: UUID
    at: datetime


@dataclass(slots=True, kw_only=True)
class Known:
    """One person as stored, with the row of each membership."""

    pk: UUID
    is_new: bool
    fields: dict[str, str]
    places: dict[Place, Since] = field(default_factory=dict)
    groups: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Differences:
    """What has to be written, of all people together."""

    people: list[Known] = field(default_factory=list)
    places: list[tuple[UUID, UUID, str, str, datetime]] = field(default_factory=list)
    places_gone: list[UUID] = field(default_factory=list)
    joined: list[tuple[UUID, UUID]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def store(self, cursor: Cursor, now: datetime) -> None:
        if self.people:
            columns = {name: [each.fields[name] for each in self.people] for name in FIELDS}
            cursor.execute(CHANGE_PEOPLE, {"id": [each.pk for each in self.people], **columns, "now": now})
        if self.places_gone:
            cursor.execute(DROP_PLACES, {"id": self.places_gone})
        if self.places:
            names = ("id", "recipient", "kind", "value", "at")
            cursor.execute(
                ADD_PLACES, dict(zip(names, map(list, zip(*self.places, strict=True)), strict=True))
            )
        if self.left:
            cursor.execute(LEAVE, {"id": self.left})
        if self.joined:
            people, groups = map(list, zip(*self.joined, strict=True))
            cursor.execute(JOIN, {"recipient": people, "group": groups})


def add(new: Entry) -> None:
    """Take in somebody new; raises :class:`AlreadyExists`."""
    with transaction.atomic():
        if write([new]) != [Change.CREATED]:
            raise AlreadyExists


def change(known: Entry) -> None:
    """Change somebody who is there; raises :class:`Unknown`."""
    with transaction.atomic():
        if write([known]) == [Change.CREATED]:
            raise Unknown


def write(entries: Sequence[Entry]) -> list[Change]:
    """Create or change these people, each named once; all of them or none. What came of each, in their order.

    Raises :class:`Rejected` where a group has gone since the entries were made.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        groups = _held_groups(entries)
        people = _people(entries, cursor, now)
        todo = Differences()
        changes = [_compare(each, people[each.external_id], groups, now, todo) for each in entries]
        todo.store(cursor, now)
    return changes


def _held_groups(entries: Sequence[Entry]) -> dict[str, UUID]:
    codes = {code for each in entries for code in each.groups or ()}
    found = Group.objects.held(codes) if codes else {}
    if gone := sorted(codes - found.keys()):
        detail = f"The group {gone[0]} has been deleted meanwhile."
        raise Rejected([Fault(pointer="", code="unknown_group", detail=detail)])
    return found


def _people(entries: Sequence[Entry], cursor: Cursor, now: datetime) -> dict[str, Known]:
    """Everybody as stored, locked until the end of the transaction; who was missing is there now."""
    people: dict[str, Known] = {}
    new: set[UUID] = set()
    while len(people) < len(entries):  # once, unless somebody is erased at this very moment
        new |= _add_missing(entries, cursor, now)
        cursor.execute(LOCK_PEOPLE, {"names": [each.external_id for each in entries]})
        people = {
            name: Known(pk=pk, is_new=pk in new, fields=dict(zip(FIELDS, told, strict=True)))
            for name, pk, *told in cursor.fetchall()
        }
    old = {person.pk: person for person in people.values() if not person.is_new}
    if old:
        cursor.execute(PLACES, {"people": list(old)})
        for owner, kind, value, pk, at in cursor.fetchall():
            old[owner].places[kind, value] = Since(pk, at)
        cursor.execute(MEMBERSHIPS, {"people": list(old)})
        for owner, group, membership in cursor.fetchall():
            old[owner].groups[group] = membership
    return people


def _add_missing(entries: Sequence[Entry], cursor: Cursor, now: datetime) -> set[UUID]:
    """Make a row for everybody who has none; returns their ids, of which a faster twin may have made some needless."""
    wanted = {each.external_id: each for each in entries}
    known = Recipient.objects.filter(external_id__in=list(wanted)).values_list("external_id", flat=True)
    # In one order for all, so that two calls that name the same people wait for one another and not in a circle.
    missing = [wanted[name] for name in sorted(wanted.keys() - set(known))]
    if not missing:
        return set()
    ids = [uuid7() for _ in missing]
    columns = {name: [getattr(each, name) or "" for each in missing] for name in ("external_id", *FIELDS)}
    cursor.execute(ADD_PEOPLE, {"id": ids, **columns, "now": now})
    return set(ids)


def _compare(
    each: Entry, person: Known, groups: Mapping[str, UUID], now: datetime, todo: Differences
) -> Change:
    differs = [_tell(each, person), _move(each, person, now, todo), _join(each, person, groups, todo)]
    if person.is_new:
        return Change.CREATED
    if not any(differs):
        return Change.UNCHANGED
    todo.people.append(person)
    return Change.UPDATED


def _tell(each: Entry, person: Known) -> bool:
    """Bring the fields up to date; True where one differs."""
    given = {name: getattr(each, name) for name in FIELDS if getattr(each, name) is not None}
    differs = any(person.fields[name] != value for name, value in given.items())
    person.fields |= given
    return differs


def _move(each: Entry, person: Known, now: datetime, todo: Differences) -> bool:
    """Bring the addresses up to date. One that is to be used before newer ones becomes known anew."""
    if each.addresses is None:
        return False
    gone = [place.pk for key, place in person.places.items() if key not in each.addresses]
    latest: dict[str, datetime] = defaultdict(lambda: BEFORE_ALL)
    written = []
    for step, (kind, value) in enumerate(each.addresses):
        known = person.places.get((kind, value))
        if known is None or known.at <= latest[kind]:
            at = max(now + step * TICK, latest[kind] + TICK)
            written.append((uuid7(), person.pk, kind, value, at))
            latest[kind] = at
        else:
            latest[kind] = known.at
    todo.places += written
    todo.places_gone += gone
    return bool(written or gone)


def _join(each: Entry, person: Known, groups: Mapping[str, UUID], todo: Differences) -> bool:
    if each.groups is None:
        return False
    wanted = {groups[code] for code in each.groups}
    left = [pk for group, pk in person.groups.items() if group not in wanted]
    joined = [(person.pk, group) for group in wanted - person.groups.keys()]
    todo.left += left
    todo.joined += joined
    return bool(left or joined)
