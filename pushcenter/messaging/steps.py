"""The time of a step: where a channel of a chain has not succeeded by then, the next one starts.

The clock of a step starts with its first attempt, so that neither a long queue nor a paused batch sends a message
over two channels. ``Delivery.step_until`` says when it is up; one waiting task stands for the earliest of all.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from pushcenter.messaging import cancelled, chain, stops, tally
from pushcenter.messaging.appointment import STEPS
from pushcenter.messaging.deliveries import Before, DeliveryQuerySet
from pushcenter.messaging.fallback import IN_A_MOMENT, Left, go_on
from pushcenter.messaging.models import Delivery, Event
from pushcenter.messaging.states import State
from templates_app import steps
from templates_app.steps import Until

#: Deliveries that are looked at in one transaction.
GROUP = 200
#: Seconds after which others have their turn.
TURN = 2.0
#: The event of a step that succeeded when the next one had started.
LATE = "late_success"
WHY = {
    Until.SENT: "not sent within {span}",
    Until.DELIVERED: "not known to be delivered within {span}",
    Until.READ: "not known to be read within {span}",
}


def started(before: Iterable[Before]) -> None:
    """The clocks of recorded deliveries run: have somebody look when the first is up."""
    moments = [each.step_until for each in before if each.step_until]
    if moments:
        STEPS.at(min(moments))


def run() -> int:
    """Start the next channel of all whose time is up: the task. Returns how many were looked at."""
    until, looked_at = time.monotonic() + TURN, 0
    while time.monotonic() < until:
        number = _group(timezone.now())
        if not number:
            STEPS.settle()
            number = _group(timezone.now())
        looked_at += number
        if not number:
            break
    plan_next()
    return looked_at


def plan_next() -> None:
    """Have somebody look when the next time is up; where none waits, nobody is asked for."""
    at = _waiting().aggregate(at=Min("step_until"))["at"]
    if at is not None:
        with transaction.atomic():
            STEPS.at(max(at, timezone.now() + IN_A_MOMENT))


def _waiting() -> DeliveryQuerySet:
    # What is being sent is looked at when it is recorded.
    return Delivery.objects.filter(step_until__isnull=False).exclude(state=State.SENDING)


@transaction.atomic
def _group(now: datetime) -> int:
    """Look at some deliveries whose time is up; returns how many are done with."""
    due = _waiting().filter(step_until__lte=now).select_related("message", "batch").order_by("step_until")
    rows = list(due.select_for_update(skip_locked=True, of=("self",))[:GROUP])
    if not rows:
        return 0
    stopped = [row for row in rows if _is_stopped(row)]
    _give_more_time(stopped, now)
    gone = cancelled.among(row.message for row in rows)
    lefts = [
        Left(message=row.message, delivery=row, why=_why(row))
        for row in rows
        if row not in stopped
        and row.state != State.CANCELLED
        and row.message_id not in gone
        and not chain.has_succeeded(row.message.plan, row)
    ]
    done = go_on(lefts)
    _end_waiting([each.delivery for each in lefts if each.delivery.pk in done.started], now)
    over = [row for row in rows if row not in stopped and row.pk not in done.blocked]
    Delivery.objects.filter(pk__in=[row.pk for row in over]).update(step_until=None)
    return len(over) + len(stopped)


def _is_stopped(row: Delivery) -> bool:
    """One that waits because somebody has stopped it is given no blame for that."""
    if row.state != State.PENDING:
        return False
    message = row.message
    is_held = row.held or bool(row.batch and row.batch.is_stopped)
    return is_held or stops.current().stops(row.lane, message.system_id, message.template_id)


def _give_more_time(rows: Sequence[Delivery], now: datetime) -> None:
    for row in rows:
        row.step_until = now + timedelta(seconds=row.step_within or 0) + IN_A_MOMENT
    Delivery.objects.bulk_update(rows, ["step_until"])


def _why(row: Delivery) -> str:
    """Why the chain goes on; empty for one that has failed, and was only looked at again."""
    if row.state in {State.FAILED, State.UNDELIVERED} or row.step_within is None:
        return ""
    wanted = chain.until(row.message.plan, row.channel)
    return WHY[wanted].format(span=steps.span(row.step_within))


def _end_waiting(rows: Sequence[Delivery], now: datetime) -> None:
    """One that waited for another try gets none, now that the next channel has taken over."""
    waiting = [row for row in rows if row.state == State.PENDING]
    Delivery.objects.pass_over(waiting, now)
    tally.write(tally.given_up(waiting, State.FAILED))


def moved(delivery: Delivery, at: datetime, *, was_sent: bool) -> None:
    """A receipt has moved a locked delivery on; in the transaction that did so, with the delivery as it is now."""
    if not was_sent and not chain.has_succeeded(delivery.message.plan, delivery):
        until = Delivery.objects.start_step(delivery, at)
        if until is not None:
            STEPS.at(until)
    reached(delivery)


def reached(delivery: Delivery) -> None:
    """A receipt or the person has moved a locked delivery on: if its step has succeeded by that, nothing follows."""
    plan = delivery.message.plan
    if not chain.kept(plan) or not chain.has_succeeded(plan, delivery):
        return
    if delivery.step_until is not None:
        Delivery.objects.filter(pk=delivery.pk).update(step_until=None)
    others = Delivery.objects.filter(message=delivery.message_id).exclude(pk=delivery.pk)
    begun = list(others.values_list("channel", flat=True))
    after = chain.has_gone_on(plan, begun, delivery)
    told = Event.objects.filter(message=delivery.message_id, delivery=delivery, kind=LATE)
    if not after or told.exists():
        return
    stopped = _take_back(delivery, [each for each in begun if chain.has_gone_on(plan, [each], delivery)])
    data = {"after": after, **({"stopped": stopped} if stopped else {})}
    Event.objects.create(message=delivery.message, delivery=delivery, kind=LATE, data=data)


def _take_back(delivery: Delivery, later: Sequence[str]) -> list[str]:
    """End those of the later steps that still wait and were never tried; nobody who is at one is waited for."""
    waiting = Delivery.objects.filter(
        Q(step_until=None), message=delivery.message_id, channel__in=later, state=State.PENDING, attempts=0
    )
    rows = list(waiting.select_related("message").select_for_update(skip_locked=True, of=("self",)))
    now = timezone.now()
    Delivery.objects.not_needed(rows, now, reason=f"{delivery.channel} succeeded after all")
    tally.write(tally.given_up(rows, State.CANCELLED))
    return [row.channel for row in rows]
