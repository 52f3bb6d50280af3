"""Thousands of people in one call: what is wrong with one of them is told by its place, and hides no other."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.recipients import directory
from pushcenter.recipients.directory import Change
from pushcenter.recipients.entries import Entry, entry
from pushcenter.recipients.models import Group

#: One person as given, its shape checked; or what is wrong with the shape.
Item = Mapping[str, Any] | Sequence[Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One person that was not taken, by its place in the call."""

    index: int
    errors: Sequence[Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many people of a call were new, changed or known as they are, and who was not taken."""

    created: int
    updated: int
    unchanged: int
    rejected: Sequence[Refusal]


def upsert(items: Sequence[Item], *, skip: bool) -> Outcome:
    """Write all of these people, or with ``skip`` those who have no fault; in one transaction.

    Raises :class:`Rejected`, without ``skip``, with every fault of everybody; then nothing is stored.
    """
    good, refused = _sorted_out(items)
    if refused and not skip:
        raise Rejected(list(_faults(refused)))
    counts = Counter(directory.write(good))
    return Outcome(
        created=counts[Change.CREATED],
        updated=counts[Change.UPDATED],
        unchanged=counts[Change.UNCHANGED],
        rejected=refused,
    )


def _sorted_out(items: Sequence[Item]) -> tuple[list[Entry], list[Refusal]]:
    codes = {code for each in items if isinstance(each, Mapping) for code in each.get("groups") or ()}
    groups = set(Group.objects.filter(code__in=codes).values_list("code", flat=True)) if codes else set()
    good: dict[str, Entry] = {}
    refused: list[Refusal] = []
    for index, item in enumerate(items):
        try:
            each = _read(item, groups, good)
        except Rejected as error:
            refused.append(Refusal(index=index, errors=error.faults))
        else:
            good[each.external_id] = each
    return list(good.values()), refused


def _read(item: Item, groups: set[str], before: Mapping[str, Entry]) -> Entry:
    if not isinstance(item, Mapping):
        raise Rejected(item)
    if item["external_id"] in before:
        detail = "This person stands in the list twice."
        raise Rejected([Fault(pointer="/external_id", code="duplicate", detail=detail)])
    return entry(item, groups=groups)


def _faults(refused: Sequence[Refusal]) -> Iterator[Fault]:
    for each in refused:
        place = pointer("items", each.index)
        for fault in each.errors:
            yield Fault(pointer=place + fault.pointer, code=fault.code, detail=fault.detail)
