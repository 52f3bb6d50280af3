"""People by the thousand, read the fast way.

Nearly every one is right, so each is first held against a compiled shape that says yes or no. What it does not take
goes to the serializer, which takes a little more and says everything that is wrong. What the fast way takes, the
serializer takes with the same result: a test holds them together.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from channels_app import registry
from pushcenter.access.serializers.messages import LOCALE, MAX_ADDRESS

MAX_ADDRESSES = 50
MAX_GROUPS = 200

#: A text without blanks at its ends, and one that may be empty.
TRIMMED = r"^\S(.*\S)?\Z"
OR_EMPTY = r"^(\S(.*\S)?)?\Z"
#: An external id of the usual letters; others go the slow way.
PlainId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]*\Z", max_length=200)]
#: Bytes where the serializer counts characters: what is longer goes the slow way.
Value = Annotated[str, Meta(pattern=TRIMMED, max_length=MAX_ADDRESS // 4)]
Code = Annotated[str, Meta(pattern=TRIMMED, max_length=60)]


class _Address(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    kind: str
    value: Value
    is_primary: bool = False


class _Person(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    external_id: PlainId
    name: Annotated[str, Meta(pattern=OR_EMPTY, max_length=200)] | UnsetType = UNSET
    locale: Annotated[str, Meta(pattern=rf"{LOCALE[:-1]}\Z|^\Z", max_length=35)] | UnsetType = UNSET
    time_zone: Annotated[str, Meta(pattern=OR_EMPTY, max_length=50)] | UnsetType = UNSET
    groups: Annotated[list[Code], Meta(max_length=MAX_GROUPS)] | UnsetType = UNSET
    addresses: Annotated[list[_Address], Meta(max_length=MAX_ADDRESSES)] | UnsetType = UNSET


def plain(item: Any) -> Mapping[str, Any] | None:
    """What a person is given as, where that is surely right; None where the serializer has to look."""
    try:
        found = msgspec.convert(item, _Person)
    except msgspec.ValidationError:
        return None
    kinds = registry.address_kinds()
    if found.addresses and any(each.kind not in kinds for each in found.addresses):
        return None
    values: dict[str, Any] = msgspec.to_builtins(found)
    return values
