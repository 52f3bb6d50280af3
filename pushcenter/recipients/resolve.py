"""From the ``to`` of a request to a person: where reachable, in which language, and what not wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from channels_app import registry
from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.recipients.models import Recipient, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One recipient of one message.

    ``places`` holds an address for each kind, ``muted`` the ``(category, channel)`` pairs that the person does
    not want (an empty channel stands for all), ``suppressed`` the reason for each ``(kind, address, channel)``.
    """

    recipient_id: UUID | None = None
    external_id: str = ""
    name: str = ""
    locale: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    muted: frozenset[tuple[str, str]] = frozenset()
    suppressed: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def has_muted(self, category: str, channel: str) -> bool:
        return (category, channel) in self.muted or (category, "") in self.muted

    def suppression(self, kind: str, value: str, channel: str) -> str:
        """Why this address is not to be used on this channel; empty where it may be."""
        return self.suppressed.get((kind, value, channel)) or self.suppressed.get((kind, value, ""), "")

    def as_variable(self) -> dict[str, str]:
        """What templates see as ``recipient``."""
        return {"id": self.external_id, "name": self.name, "locale": self.locale}


def resolve(to: Mapping[str, Any]) -> Person:
    """The person whom a request means; addresses in the request go before those of the directory.

    Raises :class:`Rejected` for an unknown recipient and for each address that cannot be one.
    """
    inline, faults = _inline_addresses(to)
    recipient = Recipient.objects.filter(external_id=to["recipient"]).first() if "recipient" in to else None
    if "recipient" in to and recipient is None:
        detail = "No recipient has this external id."
        faults.append(Fault(pointer="/to/recipient", code="unknown_recipient", detail=detail))
    if faults:
        raise Rejected(faults)
    places = {**_stored_addresses(recipient), **inline}
    if recipient is not None:
        places["recipient"] = recipient.external_id
    suppressions = Suppression.objects.against(places.items())
    return Person(
        recipient_id=recipient.pk if recipient else None,
        external_id=recipient.external_id if recipient else "",
        name=to.get("name") or (recipient.name if recipient else ""),
        locale=to.get("locale") or (recipient.locale if recipient else ""),
        places=places,
        muted=_muted(recipient),
        suppressed={(each.kind, each.value, each.channel): each.reason for each in suppressions},
    )


def _inline_addresses(to: Mapping[str, Any]) -> tuple[dict[str, str], list[Fault]]:
    places: dict[str, str] = {}
    faults: list[Fault] = []
    for kind, channel in registry.address_kinds().items():
        if kind not in to:
            continue
        try:
            places[kind] = channel.normalise(to[kind])
        except ValueError as error:
            faults.append(Fault(pointer=pointer("to", kind), code=f"invalid_{kind}", detail=str(error)))
    return places, faults


def _stored_addresses(recipient: Recipient | None) -> dict[str, str]:
    if recipient is None:
        return {}
    # The newest address of a kind is the one that counts: later rows overwrite earlier ones.
    return dict(recipient.addresses.order_by("created_at", "id").values_list("kind", "value"))


def _muted(recipient: Recipient | None) -> frozenset[tuple[str, str]]:
    if recipient is None:
        return frozenset()
    muted = recipient.preferences.filter(is_muted=True)
    return frozenset(muted.values_list("category__code", "channel"))
