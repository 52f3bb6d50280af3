"""The next channel of a chain, after one has failed or its time is up.

Who decides has locked every delivery of the message. Where somebody else holds one of them, at whose end the decision
may be another, nobody waits for the lock, which two that wait for each other would do for ever: the delivery is marked
to be looked at again in a moment (``step_until``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from pushcenter.ids import uuid7
from pushcenter.messaging import appointment, cancelled, chain, queue, tally
from pushcenter.messaging.models import Delivery, Event, Message
from templates_app.locales import normalise

#: When to look again where somebody else was at it.
IN_A_MOMENT = timedelta(milliseconds=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A delivery that the chain leaves behind, locked by the caller; ``why`` where it has not failed."""

    message: Message
    delivery: Delivery
    why: str = ""


@dataclass(slots=True)
class GoneOn:
    """What was started, by the delivery that was left; and the deliveries to look at again."""

    started: dict[UUID, Delivery]
    blocked: set[UUID]


def fall_back(message: Message, failed: Delivery) -> Delivery | None:
    """Start the next channel that the plan kept back; None where there is none, no time, or another is at it, and
    where the message was cancelled.

    To be called in the transaction that ends the failed delivery.
    """
    return go_on([Left(message=message, delivery=failed)]).started.get(failed.pk)


def go_on(lefts: Sequence[Left]) -> GoneOn:
    """Start the next channel of each message, where there is one to start; in the caller's transaction."""
    lefts = [each for each in lefts if chain.kept(each.message.plan)]
    if not lefts:
        return GoneOn(started={}, blocked=set())
    now = timezone.now()
    rows, blocked = _locked({each.message.pk for each in lefts})
    gone = cancelled.among(each.message for each in lefts)
    done = GoneOn(started={}, blocked={each.delivery.pk for each in lefts if each.message.pk in blocked})
    events = []
    for each in lefts:
        message = each.message
        if message.pk in blocked or message.pk in gone or message.expires_at <= now:
            continue
        delivery = _next(each, rows[message.pk], now)
        if delivery is not None:
            rows[message.pk].append(delivery)
            done.started[each.delivery.pk] = delivery
            events.append(_event(each, delivery))
    _store(done, lefts, events, now)
    return done


def _locked(ids: set[UUID]) -> tuple[Mapping[UUID, list[Delivery]], set[UUID]]:
    """All deliveries of these messages, locked; and the messages that somebody else holds a delivery of."""
    rows: dict[UUID, list[Delivery]] = defaultdict(list)
    found = Delivery.objects.filter(message__in=ids)
    for row in found.order_by("pk").select_for_update(skip_locked=True):
        rows[row.message_id].append(row)
    counted = found.order_by("message").values_list("message").annotate(number=Count("pk"))
    number: Counter[UUID] = Counter(dict(counted))
    return rows, {each for each in ids if len(rows[each]) != number[each]}


def _next(left: Left, rows: Iterable[Delivery], now: datetime) -> Delivery | None:
    message = left.message
    decision = chain.following(message.plan, rows, left.delivery)
    if decision is None:
        return None
    return Delivery(
        id=uuid7(),
        message=message,
        is_test=message.is_test,
        batch_id=message.batch_id,
        recipient_id=message.recipient_id,
        channel=decision["channel"],
        kind=decision["kind"],
        address=decision["address"],
        locale=normalise(message.to.get("locale", "")),
        lane=message.lane,
        due_at=now,
        expires_at=message.expires_at,
        accepted_at=message.accepted_at,
        step_within=decision.get("within"),
    )


def _event(left: Left, started: Delivery) -> Event:
    data = {"from": left.delivery.channel, "to": started.channel}
    if left.why:
        data["because"] = left.why
    return Event(message=left.message, delivery=started, kind="fallback", data=data)


def _store(done: GoneOn, lefts: Sequence[Left], events: Sequence[Event], now: datetime) -> None:
    Delivery.objects.bulk_create(done.started.values())
    Event.objects.bulk_create(events)
    tally.write(
        change
        for delivery in done.started.values()
        for change in tally.accepted(delivery.message, [delivery])
    )
    for lane in sorted({delivery.lane for delivery in done.started.values()}):
        queue.wake(lane)
    if done.blocked:
        Delivery.objects.filter(pk__in=done.blocked).update(step_until=now)
        appointment.STEPS.at(now + IN_A_MOMENT)
