"""The directory as systems keep it: people are written as a whole or in part, one alone or thousands at once.

However many they are, a call takes the same few statements.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from pushcenter.faults import Fault, Rejected
from pushcenter.recipients.entries import Entry, Place
from pushcenter.recipients.models import Address, Group, Recipient

FIELDS = ("name", "locale", "time_zone")
Membership = Recipient.groups.through


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
    """One person as stored; ``groups`` holds the row of each membership."""

    row: Recipient
    is_new: bool
    places: dict[Place, Since] = field(default_factory=dict)
    groups: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Differences:
    """What has to be written, of all people together."""

    people: list[Recipient] = field(default_factory=list)
    places: list[Address] = field(default_factory=list)
    places_gone: list[UUID] = field(default_factory=list)
    joined: list[Any] = field(default_factory=list)
    left: list[int] = field(default_factory=list)

    def store(self) -> None:
        # An INSERT that meets its row changes it: one statement for however many rows.
        Recipient.objects.bulk_create(
            self.people, update_conflicts=True, unique_fields=["id"], update_fields=[*FIELDS, "updated_at"]
        )
        Address.objects.filter(pk__in=self.places_gone).delete()
        Address.objects.bulk_create(
            self.places,
            update_conflicts=True,
            unique_fields=["recipient", "kind", "value"],
            update_fields=["created_at"],
        )
        Membership.objects.filter(pk__in=self.left).delete()
        Membership.objects.bulk_create(self.joined, ignore_conflicts=True)


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
    with transaction.atomic():
        groups = _held_groups(entries)
        people = _people(entries)
        todo = Differences()
        changes = [_compare(each, people[each.external_id], groups, now, todo) for each in entries]
        todo.store()
    return changes


def _held_groups(entries: Sequence[Entry]) -> dict[str, UUID]:
    codes = {code for each in entries for code in each.groups or ()}
    found = Group.objects.held(codes) if codes else {}
    if gone := sorted(codes - found.keys()):
        detail = f"The group {gone[0]} has been deleted meanwhile."
        raise Rejected([Fault(pointer="", code="unknown_group", detail=detail)])
    return found


def _people(entries: Sequence[Entry]) -> dict[str, Known]:
    """Everybody as stored, locked until the end of the transaction; who was missing is there now."""
    new = _insert_missing(entries)
    names = [each.external_id for each in entries]
    rows = Recipient.objects.filter(external_id__in=names).order_by("external_id").select_for_update()
    people = {row.pk: Known(row=row, is_new=row.pk in new) for row in rows}
    old = [pk for pk, person in people.items() if not person.is_new]
    places = Address.objects.filter(recipient__in=old).values_list(
        "recipient", "kind", "value", "pk", "created_at"
    )
    for owner, kind, value, pk, at in places:
        people[owner].places[kind, value] = Since(pk, at)
    memberships = Membership.objects.filter(recipient__in=old).values_list("recipient", "group", "pk")
    for owner, group, membership in memberships:
        people[owner].groups[group] = membership
    return {person.row.external_id: person for person in people.values()}


def _insert_missing(entries: Sequence[Entry]) -> set[UUID]:
    """Make a row for everybody who has none; returns their ids, of which a faster twin may have taken some."""
    wanted = {each.external_id: each for each in entries}
    known = Recipient.objects.filter(external_id__in=list(wanted)).values_list("external_id", flat=True)
    # In one order for all, so that two calls that name the same people wait for one another and not in a circle.
    missing = sorted(wanted.keys() - set(known))
    rows = [
        Recipient(external_id=name, **{each: getattr(wanted[name], each) or "" for each in FIELDS})
        for name in missing
    ]
    Recipient.objects.bulk_create(rows, ignore_conflicts=True)
    return {row.pk for row in rows}


def _compare(
    each: Entry, person: Known, groups: Mapping[str, UUID], now: datetime, todo: Differences
) -> Change:
    differs = [_tell(each, person), _move(each, person, now, todo), _join(each, person, groups, todo)]
    if person.is_new:
        return Change.CREATED
    if not any(differs):
        return Change.UNCHANGED
    todo.people.append(person.row)
    return Change.UPDATED


def _tell(each: Entry, person: Known) -> bool:
    """Bring the fields of the row up to date; True where one differs."""
    given = {name: getattr(each, name) for name in FIELDS if getattr(each, name) is not None}
    differs = any(getattr(person.row, name) != value for name, value in given.items())
    for name, value in given.items():
        setattr(person.row, name, value)
    return differs


def _move(each: Entry, person: Known, now: datetime, todo: Differences) -> bool:
    """Bring the addresses up to date. One that is to be used before newer ones becomes known anew."""
    if each.addresses is None:
        return False
    gone = [place.pk for key, place in person.places.items() if key not in each.addresses]
    latest: dict[str, datetime] = defaultdict(lambda: datetime.min.replace(tzinfo=now.tzinfo))
    written = []
    for step, (kind, value) in enumerate(each.addresses):
        known = person.places.get((kind, value))
        if known is None or known.at <= latest[kind]:
            at = max(now + timedelta(microseconds=step), latest[kind] + timedelta(microseconds=1))
            written.append(Address(recipient=person.row, kind=kind, value=value, created_at=at))
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
    joined = [
        Membership(recipient_id=person.row.pk, group_id=group) for group in wanted - person.groups.keys()
    ]
    todo.left += left
    todo.joined += joined
    return bool(left or joined)
