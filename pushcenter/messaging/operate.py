"""What an operator does by hand with deliveries: cancel, send again, close a doubt. Each leaves an event."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import queue, tally
from pushcenter.messaging.models import Delivery, Event
from pushcenter.messaging.states import State


def cancel(ids: Iterable[UUID], *, by: str) -> int:
    """End deliveries that wait; one that is being sent, or was, is too late. Returns how many were cancelled."""
    with transaction.atomic():
        rows = Delivery.objects.in_state(ids, State.PENDING)
        Delivery.objects.cancel(rows, timezone.now())
        _write_down(rows, "cancelled", by, before=State.PENDING, after=State.CANCELLED)
    return len(rows)


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
    Event.objects.bulk_create(
        Event(message_id=row.message_id, delivery=row, kind=kind, data={"by": by}) for row in rows
    )
    tally.write(
        change for row in rows for change in tally.moved(row.message, row.channel, before=before, after=after)
    )
