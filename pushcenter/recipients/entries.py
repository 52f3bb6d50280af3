"""What is to be known of a person, from the shape in which a system gives it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from channels_app import registry
from pushcenter.faults import Fault, Rejected, pointer

#: An address as it is stored: its kind and its value.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be known of one person. None leaves a field as it is; a new person has nothing there.

    Of several addresses of a kind, the last is the one that is used.
    """

    external_id: str
    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    groups: Sequence[str] | None = None
    addresses: Sequence[Place] | None = None


def entry(values: Mapping[str, Any], *, groups: Collection[str]) -> Entry:
    """A person as given, its shape already checked. ``groups`` are the codes that exist.

    Raises :class:`Rejected` with everything that the directory cannot hold.
    """
    places, faults = _places(values.get("addresses"))
    faults += _unknown_groups(values.get("groups") or (), groups)
    zone = values.get("time_zone")
    if zone and zone not in time_zones():
        detail = "There is no such time zone; write it as Asia/Shanghai."
        faults.append(Fault(pointer="/time_zone", code="unknown_time_zone", detail=detail))
    if faults:
        raise Rejected(faults)
    return Entry(**{**values, "addresses": places})


@cache
def time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _unknown_groups(codes: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    for index, code in enumerate(codes):
        if code not in known:
            detail = "No group has this code."
            yield Fault(pointer=pointer("groups", index), code="unknown_group", detail=detail)


def _places(given: Sequence[Mapping[str, Any]] | None) -> tuple[list[Place] | None, list[Fault]]:
    """The addresses in their stored form, those that are primary last."""
    if given is None:
        return None, []
    faults: list[Fault] = []
    places: dict[Place, bool] = {}
    for index, each in enumerate(given):
        kind, is_primary = each["kind"], each.get("is_primary", False)
        try:
            place = kind, registry.address_kinds()[kind].normalise(each["value"])
        except ValueError as error:
            where = pointer("addresses", index, "value")
            faults.append(Fault(pointer=where, code=f"invalid_{kind}", detail=str(error)))
            continue
        if is_primary and kind in _kinds_with_a_primary(places):
            detail = f"Another {kind} is primary already."
            where = pointer("addresses", index, "is_primary")
            faults.append(Fault(pointer=where, code="second_primary", detail=detail))
        # What is said twice counts where it was said last.
        places[place] = places.pop(place, False) or is_primary
    return sorted(places, key=places.__getitem__), faults


def _kinds_with_a_primary(places: Mapping[Place, bool]) -> set[str]:
    return {kind for (kind, _value), is_primary in places.items() if is_primary}
