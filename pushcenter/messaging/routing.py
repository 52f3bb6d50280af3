"""Which channels a message takes, and why not the others: a pure function, used to decide and to explain."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from channels_app import registry
from channels_app.contract import Channel
from pushcenter.recipients.person import Person
from templates_app.steps import PLAIN, Step


class Choice(StrEnum):
    CHOSEN = "chosen"
    FALLBACK = "fallback"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a channel was chosen or not. An open list: policies that come later add to it."""

    IN_ROUTE = "in_route"
    KEPT_AS_FALLBACK = "kept_as_fallback"
    #: Chosen all the same: the delivery waits until one is resumed.
    ACCOUNT_PAUSED = "account_paused"
    #: Chosen, too: what the message belongs to is stopped. Said by explanations; no message keeps it as its plan.
    PAUSED = "paused"
    NOT_PERMITTED = "not_permitted"
    NO_VARIANT = "no_variant"
    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    SUPPRESSED = "suppressed"
    NO_ACCOUNT = "no_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided on one channel. ``detail`` adds to the reason, such as why an address is suppressed."""

    channel: str
    choice: Choice
    reason: Reason
    detail: str = ""
    kind: str = ""
    address: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Decision):
    """A channel that is taken in a chain: with what it has succeeded, and in how many seconds it has to.

    The last one has no ``within``: there is nothing that could follow it.
    """

    until: str
    within: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What the decision depends on besides the person. An empty ``permitted`` permits every channel.

    With ``first_only`` the channels are a chain, whose ``steps`` are named where they are no plain ones.
    """

    channels: Sequence[str]
    first_only: bool
    category: str
    is_mandatory: bool
    variants: Collection[str]
    permitted: Collection[str]
    served: Collection[str]
    paused: Collection[str] = ()
    steps: Mapping[str, Step] = field(default_factory=dict)


def plan(route: Route, person: Person) -> list[Decision]:
    """One decision for each channel of the route, in its order."""
    decisions = [_decide(name, route, person) for name in route.channels]
    return list(_in_chain(decisions, route.steps)) if route.first_only else decisions


#: Of several reasons the one that counts is the last: what a person does not want goes before what is missing.
WEIGHT = (
    Reason.NOT_PERMITTED,
    Reason.NO_VARIANT,
    Reason.NO_ACCOUNT,
    Reason.NO_ADDRESS,
    Reason.SUPPRESSED,
    Reason.OPTED_OUT,
)


def why_nothing(decisions: Sequence[Decision]) -> Reason | None:
    """Why a person gets nothing at all; None where a channel was chosen."""
    if any(each.choice is Choice.CHOSEN for each in decisions):
        return None
    return max((each.reason for each in decisions), key=WEIGHT.index, default=Reason.NO_VARIANT)


def _decide(name: str, route: Route, person: Person) -> Decision:
    channel = registry.channels()[name]
    address = person.places.get(channel.address_kind, "")
    reason, detail = _objection(channel, address, route, person)
    return Decision(
        channel=name,
        choice=Choice.SKIPPED if reason else Choice.CHOSEN,
        reason=reason or (Reason.ACCOUNT_PAUSED if name in route.paused else Reason.IN_ROUTE),
        detail=detail,
        kind=channel.address_kind,
        address=address,
    )


def _objection(channel: Channel, address: str, route: Route, person: Person) -> tuple[Reason | None, str]:
    name = channel.name
    if route.permitted and name not in route.permitted:
        return Reason.NOT_PERMITTED, ""
    if name not in route.variants:
        return Reason.NO_VARIANT, ""
    if not address:
        return Reason.NO_ADDRESS, ""
    if not route.is_mandatory and person.has_muted(route.category, name):
        return Reason.OPTED_OUT, f"muted {route.category}"
    if not route.is_mandatory and person.has_left(channel.address_kind, route.category, name):
        return Reason.OPTED_OUT, f"left {route.category}"
    if suppression := person.suppression(channel.address_kind, address, name):
        return Reason.SUPPRESSED, suppression
    if name not in route.served:
        return Reason.NO_ACCOUNT, ""
    return None, ""


def _in_chain(decisions: Sequence[Decision], steps: Mapping[str, Step]) -> Iterator[Decision]:
    """The first usable channel is taken at once, and the others are kept back."""
    usable = [each for each in decisions if each.choice is Choice.CHOSEN]
    for each in decisions:
        if each.choice is not Choice.CHOSEN:
            yield each
            continue
        step = steps.get(each.channel, PLAIN)
        is_first = each is usable[0]
        yield Link(
            channel=each.channel,
            choice=Choice.CHOSEN if is_first else Choice.FALLBACK,
            reason=each.reason if is_first else Reason.KEPT_AS_FALLBACK,
            kind=each.kind,
            address=each.address,
            until=step.until.value,
            within=step.within if each is not usable[-1] else None,
        )
