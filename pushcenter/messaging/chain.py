"""A chain of channels: whether a step has succeeded, and which one is next. Pure functions of plan and deliveries."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pushcenter.messaging.models import Delivery
from pushcenter.messaging.routing import Choice
from pushcenter.messaging.states import IN_FLIGHT, REACHED, State
from templates_app import steps
from templates_app.steps import Until

Plan = Sequence[Mapping[str, Any]]
#: A channel in one of these states may have the message, or come to have it.
OPEN = IN_FLIGHT | REACHED | {State.IN_DOUBT}


def kept(plan: Plan) -> list[Mapping[str, Any]]:
    """The decisions that were kept for later; none where all channels are taken at once."""
    return [each for each in plan if each["choice"] == Choice.FALLBACK]


def links(plan: Plan) -> list[Mapping[str, Any]]:
    """The steps of a chain in their order."""
    return [each for each in plan if each["choice"] != Choice.SKIPPED]


def until(plan: Plan, channel: str) -> Until:
    """With what the step of a channel has succeeded."""
    found = (each.get("until") for each in plan if each["channel"] == channel)
    return Until(next(found, None) or Until.SENT)


def has_succeeded(plan: Plan, delivery: Delivery) -> bool:
    """Whether a step came as far as it had to. What was opened has been delivered, whoever reports it."""
    was_read = bool(delivery.opened_at or delivery.clicked_at)
    match until(plan, delivery.channel):
        case Until.SENT:
            return was_read or delivery.state in REACHED
        case Until.DELIVERED:
            return was_read or delivery.state == State.DELIVERED
        case _:
            return was_read


def following(plan: Plan, deliveries: Iterable[Delivery], left: Delivery) -> Mapping[str, Any] | None:
    """The decision to start now that ``left`` has failed or its time is up; None where there is none to start.

    The deliveries are all of the message. None is started while another one succeeds or may still succeed: one that
    is being tried, or the last one, which the chain has come to. A step before that was left behind, and its late
    success is looked for as long as nothing follows.
    """
    rows = {each.channel: each for each in deliveries}
    begun = [each["channel"] for each in links(plan) if each["channel"] in rows]
    for channel, row in rows.items():
        if channel == left.channel:
            continue
        if row.state != State.SKIPPED and has_succeeded(plan, row):
            return None
        if row.state in IN_FLIGHT or (channel == begun[-1] and row.state in OPEN):
            return None
    return next((each for each in kept(plan) if each["channel"] not in rows), None)


def has_gone_on(plan: Plan, channels: Iterable[str], delivery: Delivery) -> str:
    """The channel that was started after this one; empty where none was."""
    begun = set(channels)
    order = [each["channel"] for each in links(plan)]
    after = order[order.index(delivery.channel) + 1 :] if delivery.channel in order else []
    return next((each for each in after if each in begun), "")


def told(plan: Plan, decision: Mapping[str, Any]) -> str:
    """What a step waits for, in words; empty where it is no step that anything waits for."""
    order = links(plan)
    if not kept(plan) or decision not in order:
        return ""
    place = order.index(decision)
    if decision["choice"] == Choice.FALLBACK:
        before = order[place - 1]
        return steps.told(before["channel"], before.get("until") or Until.SENT, before.get("within"))
    if place == len(order) - 1:
        return ""
    return steps.told(decision["channel"], decision.get("until") or Until.SENT, decision.get("within"))
