"""What an operator does by hand with deliveries: cancel, send again, close a doubt. Each leaves an event."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import cancelled, doubt, queue, recall, tally
from pushcenter.messaging.deliveries import end_of
from pushcenter.messaging.models import Delivery, Event, Message
from pushcenter.messaging.routing import Choice
from pushcenter.messaging.states import State


def cancel(ids: Iterable[UUID], *, by: str) -> int:
    """End deliveries that wait; one that is being sent, or was, is too late. Returns how many were cancelled.

    One that may have been sent ends in doubt, and is not counted.
    """
    with transaction.atomic():
        rows = Delivery.objects.in_state(ids, State.PENDING)
        Delivery.objects.cancel(rows, timezone.now())
        _tell(rows, "cancelled", by)
        _count_cancelled(rows)
    return len([row for row in rows if not row.maybe_sent])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What became of the deliveries of a cancelled message. ``kept_back`` names the channels that will not start;
    ``recalling`` are those of the late ones that their providers are asked to take back. One that waited after an
    attempt without a known end is late, and in doubt.
    """

    cancelled: Sequence[Delivery]
    too_late: Sequence[Delivery]
    recalling: Sequence[Delivery]
    kept_back: Sequence[str]

    def as_data(self) -> Mapping[str, object]:
        """In short, for the trace."""
        return {
            "cancelled": [row.channel for row in self.cancelled],
            "too_late": [f"{row.channel} ({row.state})" for row in self.too_late],
            "recalling": [row.channel for row in self.recalling],
            "kept_back": [*self.kept_back],
        }


def cancel_message(message: Message, *, by: str) -> Cancelled:
    """End what waits of a message, start no further channel, and repeat no attempt that is under way."""
    with transaction.atomic():
        rows = Delivery.objects.of_message(message.pk)
        waiting = [row for row in rows if row.state == State.PENDING]
        Delivery.objects.cancel(waiting, timezone.now())
        for row in waiting:
            row.state, row.message = end_of(row, State.CANCELLED), message
        done = _result(message, rows, [row for row in waiting if row.state == State.CANCELLED])
        if not cancelled.among([message]):
            data = {"by": by, **{name: value for name, value in done.as_data().items() if value}}
            Event.objects.create(message=message, kind=cancelled.EVENT, data=data)
        _count_cancelled(waiting)
    return done


def _count_cancelled(rows: Sequence[Delivery]) -> None:
    tally.write(tally.given_up(rows, State.CANCELLED))
    doubt.may_begin([row.pk for row in rows if row.maybe_sent])


def _result(message: Message, rows: Sequence[Delivery], ended: Sequence[Delivery]) -> Cancelled:
    used = {row.channel for row in rows}
    over = {State.SKIPPED, State.CANCELLED}
    return Cancelled(
        cancelled=ended,
        too_late=[row for row in rows if row.state not in over],
        recalling=[] if message.is_test else recall.plan_message(message.pk, rows),
        kept_back=[
            each["channel"]
            for each in message.plan
            if each["choice"] == Choice.FALLBACK and each["channel"] not in used
        ],
    )


def send_again(ids: Iterable[UUID], *, by: str) -> int:
    """Make deliveries due again that are in doubt or failed and still have time. Returns how many were.

    One that was in doubt is marked: the person may get it twice.
    """
    with transaction.atomic():
        now = timezone.now()
        in_doubt = _with_time(Delivery.objects.in_state(ids, State.IN_DOUBT), now)
        failed = _with_time(Delivery.objects.in_state(ids, State.FAILED), now)
        Delivery.objects.reopen(in_doubt, now, maybe_duplicate=True)
        Delivery.objects.reopen(failed, now, maybe_duplicate=False)
        _write_down(in_doubt, "sent_again", by, before=State.IN_DOUBT, after=State.PENDING)
        _write_down(failed, "sent_again", by, before=State.FAILED, after=State.PENDING)
        for lane in {row.lane for row in (*in_doubt, *failed)}:
            queue.wake(lane)
    return len(in_doubt) + len(failed)


def close_as_failed(ids: Iterable[UUID], *, by: str) -> int:
    """End the doubt of deliveries that the provider turned out not to have. Returns how many were ended."""
    with transaction.atomic():
        rows = Delivery.objects.in_state(ids, State.IN_DOUBT)
        Delivery.objects.give_up(rows, timezone.now())
        _write_down(rows, "closed", by, before=State.IN_DOUBT, after=State.FAILED)
    return len(rows)


def _with_time(rows: Iterable[Delivery], now: datetime) -> list[Delivery]:
    return [row for row in rows if row.expires_at > now]


def _write_down(rows: Sequence[Delivery], kind: str, by: str, *, before: State, after: State) -> None:
    _tell(rows, kind, by)
    tally.write(
        change for row in rows for change in tally.moved(row.message, row.channel, before=before, after=after)
    )


def _tell(rows: Sequence[Delivery], kind: str, by: str) -> None:
    Event.objects.bulk_create(
        Event(message_id=row.message_id, delivery=row, kind=kind, data={"by": by}) for row in rows
    )
