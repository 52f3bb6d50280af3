"""The bodies that send messages, read the fast way.

Nearly every call is right, so each is first held against a compiled shape that says yes or no. What it does not take
goes to the serializers, which take a little more (blanks around a text, say) and tell everything that is wrong. What
the fast way takes, they take, and with the same result: a test holds them together.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from rest_framework.exceptions import ValidationError

from channels_app import registry
from pushcenter.access.parsing import loads
from pushcenter.access.problems import InvalidRequest, flatten
from pushcenter.access.serializers.batches import EnvelopeSerializer
from pushcenter.access.serializers.broadcasts import BroadcastSerializer
from pushcenter.access.serializers.messages import LOCALE, MAX_ADDRESS, ItemSerializer, SendSerializer
from pushcenter.faults import Fault, pointer
from pushcenter.lanes import Lane
from pushcenter.messaging.request import Item, Request

Code = Annotated[str, Meta(min_length=1, max_length=80)]
Category = Annotated[str, Meta(min_length=1, max_length=60)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
ChannelName = Annotated[str, Meta(min_length=1, max_length=40)]
#: Bytes where the serializer counts characters: what is longer goes the slow way.
Address = Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS // 4)]


class _Item(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    to: dict[str, Address]
    params: dict[str, Any] = {}
    reference: Name | UnsetType = UNSET


class _Message(_Item, forbid_unknown_fields=True, frozen=True, kw_only=True):
    template: Code
    channels: Annotated[list[ChannelName], Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    priority: Lane | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    category: Category | UnsetType = UNSET


def message(body: bytes, *, request_id: str) -> Request:
    """One message; raises :class:`BadJSON`, or DRF's ``ValidationError`` with all the faults."""
    value = _value(body)
    try:
        found = msgspec.convert(value, _Message)
    except msgspec.ValidationError:
        found = None
    if found is None or not _is_plain(found) or not _are_trimmed(*_texts(found)):
        serializer = SendSerializer(data=value)
        serializer.is_valid(raise_exception=True)
        return serializer.as_request(request_id)
    return Request(
        template=found.template,
        to=found.to,
        params=found.params,
        channels=found.channels or (),
        priority=found.priority or None,
        reference=found.reference or "",
        metadata=found.metadata or {},
        category=found.category or "",
        request_id=request_id,
    )


def _texts(found: _Message) -> Iterator[str]:
    yield found.template
    yield from found.channels or ()
    yield found.category or ""


def _value(body: bytes) -> Any:
    """What the body says; no body is an object without any field, as DRF's own views have it."""
    return loads(body) if body else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch as it was sent: good items and bad ones by their index."""

    shared: Request
    items: Mapping[int, Item]
    rejected: Mapping[int, Sequence[Fault]]
    skip_rejected: bool


def batch(body: bytes, *, request_id: str, largest: int) -> Batch:
    """Many messages; raises :class:`BadJSON`, or DRF's ``ValidationError`` for what they have in common."""
    value = _value(body)
    listed = value.pop("items", None) if isinstance(value, dict) else None
    serializer = EnvelopeSerializer(data=value)
    faults = (
        [] if serializer.is_valid() else list(flatten(ValidationError(serializer.errors).get_full_details()))
    )
    faults += _list_faults(listed, largest)
    if faults:
        raise InvalidRequest(faults)
    items, rejected = _items(listed or [])
    return Batch(
        shared=serializer.as_request(request_id),
        items=items,
        rejected=rejected,
        skip_rejected=serializer.validated_data["on_error"] == "skip",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A broadcast as it was asked for."""

    request: Request
    audience: Mapping[str, Any]
    dry_run: bool


def broadcast(body: bytes, *, request_id: str) -> Broadcast:
    """A broadcast; raises :class:`BadJSON`, or DRF's ``ValidationError`` with all the faults."""
    serializer = BroadcastSerializer(data=loads(body))
    serializer.is_valid(raise_exception=True)
    return Broadcast(
        request=serializer.as_request(request_id),
        audience=serializer.validated_data["audience"],
        dry_run=serializer.validated_data["dry_run"],
    )


def _list_faults(listed: Any, largest: int) -> Iterator[Fault]:
    """What is wrong with the list as such."""
    where = pointer("items")
    if listed is None:
        yield Fault(pointer=where, code="required", detail="A batch has items.")
    elif not isinstance(listed, list):
        yield Fault(pointer=where, code="not_a_list", detail="This must be a list.")
    elif not listed:
        yield Fault(pointer=where, code="empty", detail="There is not one item.")
    elif len(listed) > largest:
        detail = f"There are {len(listed):,} items; your system may send {largest:,} in one call."
        yield Fault(pointer=where, code="too_many_items", detail=detail)


def _items(listed: Sequence[Any]) -> tuple[dict[int, Item], dict[int, Sequence[Fault]]]:
    items: dict[int, Item] = {}
    rejected: dict[int, Sequence[Fault]] = {}
    # One for all: to make its fields takes many times as long as to look at an item.
    careful = ItemSerializer()
    for index, (value, found) in enumerate(zip(listed, _converted(listed), strict=True)):
        try:
            items[index] = _item(value, found, careful)
        except ValidationError as error:
            rejected[index] = list(flatten(error.get_full_details()))
    return items, rejected


def _converted(listed: Sequence[Any]) -> Sequence[_Item | None]:
    """Each item as the fast way takes it; all at once where all of them are right."""
    try:
        return msgspec.convert(listed, list[_Item])
    except msgspec.ValidationError:
        return [_converted_one(value) for value in listed]


def _converted_one(value: Any) -> _Item | None:
    try:
        return msgspec.convert(value, _Item)
    except msgspec.ValidationError:
        return None


def item(value: Any) -> Item:
    """One message of a batch; raises DRF's ``ValidationError``."""
    return _item(value, _converted_one(value), ItemSerializer())


def _item(value: Any, found: _Item | None, careful: ItemSerializer) -> Item:
    if found is None or not _is_plain(found):
        return Item(**careful.run_validation(value))
    return Item(to=found.to, params=found.params, reference=found.reference or "")


_locale = re.compile(LOCALE)
#: What ``to`` may hold besides addresses, with the longest value of each.
_PERSONAL = {"recipient": 200, "name": 200, "locale": 35}


def _is_plain(item: _Item) -> bool:
    """Whether an item is surely right but for what its addresses and parameters say."""
    kinds = registry.address_kinds()
    names_somebody = False
    for name, value in item.to.items():
        if name in _PERSONAL:
            if len(value) > _PERSONAL[name] or (name == "locale" and not _locale.match(value)):
                return False
        elif name not in kinds:
            return False
        names_somebody = names_somebody or name not in {"name", "locale"}
    return names_somebody and _are_trimmed(item.reference or "", *item.to.values())


def _are_trimmed(*texts: str) -> bool:
    """Whether none of them has blanks at its ends, which the serializers would take away."""
    return all(text == text.strip() for text in texts)
