"""The full-link timeline of a message: gate, intake, routing, attempts, receipts, interactions, in order."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

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
from pushcenter.messaging.states import IN_FLIGHT, State

OK, WARNING, BAD, NEUTRAL = "ok", "warning", "bad", "neutral"

DECISIONS = {
    "chosen": ("Channel chosen", OK),
    "fallback": ("Kept as fallback", NEUTRAL),
    "skipped": ("Channel skipped", WARNING),
}
ATTEMPTS = {
    AttemptOutcome.SENT: ("Provider took it", OK),
    AttemptOutcome.TEMPORARY: ("Attempt failed for now", WARNING),
    AttemptOutcome.THROTTLED: ("Provider asked us to slow down", WARNING),
    AttemptOutcome.UNREACHABLE: ("Address cannot be reached", BAD),
    AttemptOutcome.REFUSED: ("Provider refused the content", BAD),
    AttemptOutcome.MISCONFIGURED: ("Account is misconfigured", BAD),
    AttemptOutcome.LOST: ("No answer known", BAD),
}
RECEIPTS = {"delivered": OK, "sent": OK, "opened": OK, "clicked": OK, "undelivered": BAD, "complained": BAD}
EVENTS = {
    "fallback": ("Next channel of the route", WARNING),
    "found": ("Found at the provider: it was sent", OK),
    "not_taken": ("Looked up: the provider did not take it", WARNING),
    "not_told": ("Looked up: the provider cannot tell yet", WARNING),
    "recalled": ("Taken back by the provider", OK),
    "not_recalled": ("Could not be taken back any more", BAD),
    "batch_recalled": ("Provider asked to take back what had gone out", NEUTRAL),
    "late_success": ("Succeeded when the next channel had started", WARNING),
    "lease_over": ("Worker was lost; the delivery is in doubt", BAD),
    "cancelled": ("Cancelled", NEUTRAL),
    "sent_again": ("An operator had it sent again", WARNING),
    "closed": ("An operator closed the doubt", BAD),
    "account_paused": ("Its account is paused: the provider does not take the credentials", BAD),
    "message_cancelled": ("Message cancelled", NEUTRAL),
    "batch_paused": ("Batch paused", WARNING),
    "batch_resumed": ("Batch resumed", OK),
    "batch_cancelled": ("Batch cancelled", NEUTRAL),
    "brake_slice": ("Brake: a first slice goes out, and the rest waits", NEUTRAL),
    "brake_opened": ("Brake: the rest goes out", OK),
    "batch_waits": ("Broadcast waits", WARNING),
    "late_answer": ("The lost attempt answered after all", WARNING),
}
STOPS = {
    StopKind.TEMPLATE: "Its template",
    StopKind.SYSTEM: "Its system",
    StopKind.LANE: "Its lane",
    StopKind.NON_CRITICAL: "All that is not critical",
}
# Ends that no attempt and no receipt tells of.
ENDS = {
    State.EXPIRED: ("Expired", BAD),
    State.IN_DOUBT: ("Held: in doubt", BAD),
    State.FAILED: ("Failed", BAD),
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


def _acceptance(message: Message) -> Iterator[Entry]:
    yield Entry(
        at=message.accepted_at,
        tier="access",
        kind="gate",
        title="Let in",
        detail=f"system {message.system.code}, key {message.key.prefix if message.key else 'since deleted'}…",
        outcome=OK,
        data={"system": message.system.code, "test": message.is_test, "request_id": message.request_id},
    )
    yield Entry(
        at=message.accepted_at,
        tier="business",
        kind="accepted",
        title="Accepted and stored",
        detail=f"template {message.template.code}, version {message.version.number}, lane {message.lane}",
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
        reason = decision["reason"].replace("_", " ")
        yield Entry(
            at=message.accepted_at,
            tier="business",
            kind="routing",
            title=title,
            detail=": ".join(
                filter(None, [reason, decision["detail"] or chain.told(message.plan, decision)])
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
        yield _stop_line(each, at, "paused", f"{what} is stopped", WARNING, each.by, each.reason)
        if each.ended_at and each.ended_at <= until:
            title = f"{what} goes on"
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
        detail=", ".join(filter(None, [f"by {by}", reason and f"reason {reason}"])),
        outcome=outcome,
        data={"what": stop.kind, "by": by, "reason": reason, "since": stop.at.isoformat()},
    )


def _event(event: Event | BatchEvent, channels: Mapping[Any, str]) -> Entry:
    title, outcome = EVENTS.get(event.kind, (event.kind.replace("_", " ").capitalize(), NEUTRAL))
    return Entry(
        at=event.at,
        tier="service",
        kind=event.kind,
        title=title,
        detail=", ".join(f"{name.replace('_', ' ')} {_words(value)}" for name, value in event.data.items()),
        channel=channels.get(getattr(event, "delivery_id", None), ""),
        outcome=outcome,
        data=event.data,
    )


def _words(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _attempt(attempt: Attempt, channels: Mapping[Any, str]) -> Entry:
    title, outcome = ATTEMPTS[AttemptOutcome(attempt.outcome)]
    account = f" through {attempt.account.name}" if attempt.account else ""
    answer = ": ".join(filter(None, [attempt.code, attempt.detail]))
    return Entry(
        at=attempt.finished_at,
        tier="service",
        kind="attempt",
        title=title,
        detail=f"attempt {attempt.number}{account}, {attempt.milliseconds} ms"
        + (f"; {answer}" if answer else ""),
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


def _receipt(receipt: Receipt, channels: Mapping[Any, str]) -> Entry:
    return Entry(
        at=receipt.at,
        tier="service",
        kind="receipt",
        title=f"Receipt: {receipt.outcome.replace('_', ' ')}",
        detail=": ".join(filter(None, [receipt.code, receipt.reason])),
        channel=channels[receipt.delivery_id],
        outcome=RECEIPTS.get(receipt.outcome, WARNING),
        data={"outcome": receipt.outcome, "code": receipt.code, "provider_id": receipt.provider_id},
    )


def _interaction(interaction: Interaction, channels: Mapping[Any, str]) -> Entry:
    verb = "reported" if interaction.kind == InteractionKind.CONVERTED else "seen"
    source = f"{verb} by {interaction.source}" if interaction.source else ""
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
            title = "Retry is due" if each.attempts else "Due"
            detail = ": ".join(filter(None, [each.code, each.reason])) if each.code else ""
            yield _line(each, each.due_at, "due", title, NEUTRAL, detail)
        elif state in ENDS and each.ended_at and (state is not State.FAILED or each.code == "render_error"):
            title, outcome = ENDS[state]
            yield _line(each, each.ended_at, state.value, title, outcome, each.reason)


def _steps(message: Message, deliveries: Iterable[Delivery]) -> Iterator[Entry]:
    """When the chain will go on, as far as that is known."""
    for each in deliveries:
        if each.step_until is not None:
            wanted = chain.until(message.plan, each.channel).value
            detail = f"unless it is {wanted} by then"
            yield _line(each, each.step_until, "step", "Next channel starts", NEUTRAL, detail)


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
