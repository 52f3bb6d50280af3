"""What an adapter has to do about each misbehaviour of its provider."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels_app.certification import hostile
from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Refused,
    Sent,
    Specimen,
    Temporary,
    Throttled,
    Unreachable,
)

Result = Sent | ChannelError


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One guarantee: what the adapter made of it; ``holds`` is None where the rule does not apply.

    ``concession`` is the adapter's reason for a rule that it cannot hold.
    """

    rule: str
    said: str
    holds: bool | None
    concession: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``act`` is the misbehaviour, ``holds`` judges what the adapter made of it, ``applies`` whether it is asked."""

    name: str
    act: hostile.Act | None
    holds: Callable[[Result], bool]
    applies: Callable[[Specimen], bool] = lambda _specimen: True


def said(result: Result) -> str:
    """A result in words."""
    match result:
        case Sent():
            return "sent"
        case Temporary():
            return "may have been sent" if result.maybe_sent else "again later"
        case Throttled():
            return "pause as asked" if _as_asked(result) else f"pause of {result.retry_after:g} s"
        case Unreachable():
            return "address is dead"
        case Misconfigured():
            return "account is broken"
    return "content is refused"


def _in_doubt(result: Result) -> bool:
    return isinstance(result, Temporary) and result.maybe_sent


def _not_sent_and_again(result: Result) -> bool:
    return isinstance(result, Temporary) and not result.maybe_sent


def _later(result: Result) -> bool:
    return isinstance(result, Temporary | Throttled)


def _as_asked(result: Result) -> bool:
    return isinstance(result, Throttled) and abs(result.retry_after - hostile.PAUSE_S) <= 2


def _no(result: Result) -> bool:
    return isinstance(result, ChannelError)


def _not_the_address(result: Result) -> bool:
    return isinstance(result, Misconfigured | Temporary | Refused)


def reads_json(specimen: Specimen) -> bool:
    """Does success stand in the body? Else any 2xx is one."""
    return bool(specimen.answers) and not isinstance(list(specimen.answers.values())[-1], bytes)


NO_CONNECTION = Rule(name="No connection", act=None, holds=_not_sent_and_again)


def rules(specimen: Specimen) -> tuple[Rule, ...]:
    """All rules but :data:`NO_CONNECTION`, which needs no provider."""
    seconds = {"retry-after": str(hostile.PAUSE_S)}
    refusal: Any = specimen.refusal
    return (
        Rule(name="All well", act=None, holds=lambda result: isinstance(result, Sent)),
        Rule(name="No answer in time", act=hostile.silence, holds=_in_doubt),
        Rule(name="Connection reset after the request", act=hostile.reset, holds=_in_doubt),
        Rule(name="429, Retry-After in seconds", act=hostile.status(429, **seconds), holds=_as_asked),
        Rule(name="429, Retry-After as a date", act=hostile.slow_down_at_a_date, holds=_as_asked),
        Rule(name="500", act=hostile.status(500), holds=_later),
        Rule(name="502 in HTML", act=hostile.status(502, hostile.HTML), holds=_later),
        Rule(name="503", act=hostile.status(503), holds=_later),
        Rule(name="Revoked credentials (401)", act=hostile.status(401), holds=_not_the_address),
        Rule(
            name="Redirect",
            act=hostile.status(302, location=hostile.REDIRECTED),
            holds=_no,
        ),
        Rule(
            name="HTML where JSON is due",
            act=hostile.status(200, hostile.HTML),
            holds=_later,
            applies=reads_json,
        ),
        Rule(name="Endless answer", act=hostile.endless, holds=_later, applies=reads_json),
        Rule(
            name="200 that says no",
            act=hostile.status(200, refusal),
            holds=_no,
            applies=lambda specimen: specimen.refusal is not None,
        ),
    )
