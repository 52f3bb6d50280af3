"""The full-link timeline of a message: gate, intake, routing, attempts, receipts, interactions, in order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pushcenter.lanes import Lane
from pushcenter.messaging import chain, stops
from pushcenter.messaging.models import (
    Attempt,
    AttemptOutcome,
    BatchEvent,
    Delivery,
    Event,
    Interaction,
    InteractionKind,
    Message,
    Receipt,
    Stop,
    StopKind,
)
from pushcenter.messaging.own_systems import OWN_SYSTEMS
from pushcenter.messaging.states import IN_FLIGHT, State
from pushcenter.retold import named, retold

OK, WARNING, BAD, NEUTRAL = "ok", "warning", "bad", "neutral"

DECISIONS = {
    "chosen": (_("Channel chosen"), OK),
    "fallback": (_("Kept as fallback"), NEUTRAL),
    "skipped": (_("Channel skipped"), WARNING),
}
ATTEMPTS = {
    AttemptOutcome.SENT: (_("Provider took it"), OK),
    AttemptOutcome.TEMPORARY: (_("Attempt failed for now"), WARNING),
    AttemptOutcome.THROTTLED: (_("Provider asked us to slow down"), WARNING),
    AttemptOutcome.UNREACHABLE: (_("Address cannot be reached"), BAD),
    AttemptOutcome.REFUSED: (_("Provider refused the content"), BAD),
    AttemptOutcome.MISCONFIGURED: (_("Account is misconfigured"), BAD),
    AttemptOutcome.LOST: (_("No answer known"), BAD),
}
RECEIPTS = {
    **dict.fromkeys(("sent", "delivered", "opened", "clicked"), OK),
    **dict.fromkeys(("undelivered", "unreachable", "complained"), BAD),
}
EVENTS = {
    "fallback": (_("Next channel of the route"), WARNING),
    "found": (_("Found at the provider: it was sent"), OK),
    "not_taken": (_("Looked up: the provider did not take it"), WARNING),
    "not_told": (_("Looked up: the provider cannot tell yet"), WARNING),
    "recalled": (_("Taken back by the provider"), OK),
    "not_recalled": (_("Could not be taken back any more"), BAD),
    "batch_recalled": (_("Provider asked to take back what had gone out"), NEUTRAL),
    "late_success": (_("Succeeded when the next channel had started"), WARNING),
    "lease_over": (_("Worker was lost; the delivery is in doubt"), BAD),
    "cancelled": (_("Cancelled"), NEUTRAL),
    "sent_again": (_("An operator had it sent again"), WARNING),
    "closed": (_("An operator closed the doubt"), BAD),
    "account_paused": (_("Its account is paused: the provider does not take the credentials"), BAD),
    "message_cancelled": (_("Message cancelled"), NEUTRAL),
    "batch_paused": (_("Batch paused"), WARNING),
    "batch_resumed": (_("Batch resumed"), OK),
    "batch_cancelled": (_("Batch cancelled"), NEUTRAL),
    "brake_slice": (_("Brake: a first slice goes out, and the rest waits"), NEUTRAL),
    "brake_opened": (_("Brake: the rest goes out"), OK),
    "batch_waits": (_("Broadcast waits"), WARNING),
    "left": (_("The person left this category"), WARNING),
    "came_back": (_("The person wants this category again"), OK),
    "late_answer": (_("The lost attempt answered after all"), WARNING),
}
STOPS = {
    StopKind.TEMPLATE: _("Its template"),
    StopKind.SYSTEM: _("Its system"),
    StopKind.LANE: _("Its lane"),
    StopKind.NON_CRITICAL: _("All that is not critical"),
}
# Ends that no attempt and no receipt tells of.
ENDS = {
    State.EXPIRED: (_("Expired"), BAD),
    State.IN_DOUBT: (_("Held: in doubt"), BAD),
    State.FAILED: (_("Failed"), BAD),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline. ``tier`` is ``access``, ``business`` or ``service``."""

    at: datetime
    tier: str
    kind: str
    title: str
    detail: str = ""
    channel: str = ""
    outcome: str = NEUTRAL
    data: Mapping[str, Any] = field(default_factory=dict)


def timeline(message: Message) -> list[Entry]:
    """All that happened, oldest first; steps of one moment in the order of the flow."""
    deliveries = list(message.deliveries.order_by("id"))
    channels = {each.pk: each.channel for each in deliveries}
    attempts = Attempt.objects.filter(delivery__in=channels).select_related("account").order_by("started_at")
    entries = [
        *_acceptance(message),
        *_routing(message),
        *(_event(each, channels) for each in message.events.order_by("id")),
        *(_event(each, {}) for each in _of_batch(message)),
        *_stops(message, deliveries),
        *(_attempt(each, channels) for each in attempts),
        *(_receipt(each, channels) for each in Receipt.objects.filter(delivery__in=channels).order_by("at")),
        *(_interaction(each, channels) for each in Interaction.objects.filter(delivery__in=channels)),
        *_waits_and_ends(deliveries),
        *_steps(message, deliveries),
    ]
    # The sort is stable, so what shares a moment stays in the order of the flow.
    return sorted(entries, key=lambda entry: entry.at)


def _by_whom(message: Message) -> str:
    known = {"system": message.system.code, "key": message.key.prefix if message.key else ""}
    if message.key_id is None and known["system"] in OWN_SYSTEMS:
        return gettext("by Push Center itself, as %(system)s") % known
    if not message.key:
        return gettext("system %(system)s, with a key since deleted") % known
    return gettext("system %(system)s, key %(key)s…") % known


def _acceptance(message: Message) -> Iterator[Entry]:
    yield Entry(
        at=message.accepted_at,
        tier="access",
        kind="gate",
        title=gettext("Let in"),
        detail=_by_whom(message),
        outcome=OK,
        data={"system": message.system.code, "test": message.is_test, "request_id": message.request_id},
    )
    yield Entry(
        at=message.accepted_at,
        tier="business",
        kind="accepted",
        title=gettext("Accepted and stored"),
        detail=gettext("template %(template)s, version %(version)s, lane %(lane)s")
        % {
            "template": message.template.code,
            "version": message.version.number,
            "lane": Lane(message.lane).label,
        },
        outcome=OK,
        data={
            "template": message.template.code,
            "version": message.version.number,
            "lane": message.lane,
            "category": message.category,
            "expires_at": message.expires_at.isoformat(),
        },
    )


def _routing(message: Message) -> Iterator[Entry]:
    for decision in message.plan:
        title, outcome = DECISIONS[decision["choice"]]
        reason = named(decision["reason"])
        yield Entry(
            at=message.accepted_at,
            tier="business",
            kind="routing",
            title=str(title),
            detail=": ".join(
                filter(None, [reason, retold(decision["detail"]) or chain.told(message.plan, decision)])
            ),
            channel=decision["channel"],
            outcome=outcome,
            data={
                "choice": decision["choice"],
                "reason": decision["reason"],
                **{name: decision[name] for name in ("until", "within") if decision.get(name)},
            },
        )


def _of_batch(message: Message) -> Iterable[BatchEvent]:
    return BatchEvent.objects.filter(batch=message.batch_id).order_by("id") if message.batch_id else ()


def _stops(message: Message, deliveries: Iterable[Delivery]) -> Iterator[Entry]:
    """What was stopped while it was under way, and what of that goes on again."""
    for each in stops.met(message, until := _until(message, deliveries)):
        what = STOPS[StopKind(each.kind)]
        at = max(each.at, message.accepted_at)
        title = gettext("%(what)s is stopped") % {"what": what}
        yield _stop_line(each, at, "paused", title, WARNING, each.by, each.reason)
        if each.ended_at and each.ended_at <= until:
            title = gettext("%(what)s goes on") % {"what": what}
            yield _stop_line(each, each.ended_at, "resumed", title, OK, each.ended_by, each.end_reason)


def _until(message: Message, deliveries: Iterable[Delivery]) -> datetime:
    """When the last of it ended; now, if something is under way."""
    ends = [each.ended_at or message.accepted_at for each in deliveries if each.state not in IN_FLIGHT]
    is_under_way = any(each.state in IN_FLIGHT for each in deliveries)
    return timezone.now() if is_under_way else max(ends, default=message.accepted_at)


def _stop_line(stop: Stop, at: datetime, kind: str, title: str, outcome: str, by: str, reason: str) -> Entry:
    return Entry(
        at=at,
        tier="service",
        kind=kind,
        title=title,
        detail=_facts({"by": by, **({"reason": reason} if reason else {})}),
        outcome=outcome,
        data={"what": stop.kind, "by": by, "reason": reason, "since": stop.at.isoformat()},
    )


def _event(event: Event | BatchEvent, channels: Mapping[Any, str]) -> Entry:
    title, outcome = EVENTS.get(event.kind, (named(event.kind).capitalize(), NEUTRAL))
    return Entry(
        at=event.at,
        tier="service",
        kind=event.kind,
        title=str(title),
        detail=_facts(event.data),
        channel=channels.get(getattr(event, "delivery_id", None), ""),
        outcome=outcome,
        data=event.data,
    )


def _facts(facts: Mapping[str, Any]) -> str:
    """What is known, in one line: ``by olga, reason an attack``."""
    return ", ".join(f"{named(name)} {_words(value)}" for name, value in facts.items())


def _words(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else retold(str(value))


def _attempt(attempt: Attempt, channels: Mapping[Any, str]) -> Entry:
    title, outcome = ATTEMPTS[AttemptOutcome(attempt.outcome)]
    answer = ": ".join(filter(None, [attempt.code, retold(attempt.detail)]))
    return Entry(
        at=attempt.finished_at,
        tier="service",
        kind="attempt",
        title=str(title),
        detail=_tried(attempt) + (f"; {answer}" if answer else ""),
        channel=channels[attempt.delivery_id],
        outcome=outcome,
        data={
            "number": attempt.number,
            "adapter": attempt.adapter,
            "account": attempt.account.name if attempt.account else "",
            "outcome": attempt.outcome,
            "code": attempt.code,
            "answer": attempt.detail,
            "provider_id": attempt.provider_id,
            "milliseconds": attempt.milliseconds,
        },
    )


def _tried(attempt: Attempt) -> str:
    known: dict[str, Any] = {"number": attempt.number, "milliseconds": attempt.milliseconds}
    if attempt.account is None:
        return gettext("attempt %(number)s, %(milliseconds)s ms") % known
    known |= {"account": attempt.account.name}
    return gettext("attempt %(number)s through %(account)s, %(milliseconds)s ms") % known


def _receipt(receipt: Receipt, channels: Mapping[Any, str]) -> Entry:
    return Entry(
        at=receipt.at,
        tier="service",
        kind="receipt",
        title=gettext("Receipt: %(outcome)s") % {"outcome": named(receipt.outcome)},
        detail=": ".join(filter(None, [receipt.code, retold(receipt.reason)])),
        channel=channels[receipt.delivery_id],
        outcome=RECEIPTS.get(receipt.outcome, WARNING),
        data={"outcome": receipt.outcome, "code": receipt.code, "provider_id": receipt.provider_id},
    )


def _interaction(interaction: Interaction, channels: Mapping[Any, str]) -> Entry:
    is_reported = interaction.kind == InteractionKind.CONVERTED
    told = gettext("reported by %(source)s") if is_reported else gettext("seen by %(source)s")
    source = told % {"source": interaction.source} if interaction.source else ""
    return Entry(
        at=interaction.at,
        tier="service",
        kind="interaction",
        title=interaction.get_kind_display().capitalize(),
        detail=", ".join(filter(None, [_worth(interaction.data), source])),
        channel=channels[interaction.delivery_id],
        outcome=OK,
        data={"kind": interaction.kind, **interaction.data},
    )


def _worth(data: Mapping[str, Any]) -> str:
    """What a conversion was, and its value: ``purchase, 249.00 EUR``."""
    value = " ".join(filter(None, [data.get("value", ""), data.get("currency", "")]))
    return ", ".join(filter(None, [data.get("event", ""), value]))


def _waits_and_ends(deliveries: Iterable[Delivery]) -> Iterator[Entry]:
    for each in deliveries:
        state = State(each.state)
        if state is State.PENDING:
            title = gettext("Retry is due") if each.attempts else gettext("Due")
            detail = ": ".join(filter(None, [each.code, retold(each.reason)])) if each.code else ""
            yield _line(each, each.due_at, "due", title, NEUTRAL, detail)
        elif state in ENDS and each.ended_at and (state is not State.FAILED or each.code == "render_error"):
            ending, outcome = ENDS[state]
            yield _line(each, each.ended_at, state.value, str(ending), outcome, retold(each.reason))


def _steps(message: Message, deliveries: Iterable[Delivery]) -> Iterator[Entry]:
    """When the chain will go on, as far as that is known."""
    for each in deliveries:
        if each.step_until is not None:
            wanted = chain.until(message.plan, each.channel).value
            detail = gettext("unless it is %(state)s by then") % {"state": named(wanted)}
            yield _line(each, each.step_until, "step", gettext("Next channel starts"), NEUTRAL, detail)


def _line(delivery: Delivery, at: datetime, kind: str, title: str, outcome: str, detail: str) -> Entry:
    return Entry(
        at=at,
        tier="service",
        kind=kind,
        title=title,
        detail=detail,
        channel=delivery.channel,
        outcome=outcome,
        data={"code": delivery.code, "maybe_duplicate": delivery.maybe_duplicate},
    )
