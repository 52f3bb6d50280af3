"""What a worker does for batches: expand broadcasts, let go of what was held, end what was cancelled.

Each piece commits by itself. The mark ``has_work`` stays on the batch until all is done, so that the sweep finds what
a lost worker has left; ``worked_at`` is when somebody was at it last, or when to go on.
"""

import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import braking, broadcast, doubt, queue, stops, tally
from pushcenter.messaging.batches import WORK
from pushcenter.messaging.models import Batch, Brake, Delivery
from pushcenter.messaging.states import IN_FLIGHT, State

#: Deliveries that one statement changes; who wants to pause waits for no more than that.
GROUP = 2_000
#: Seconds after which a worker lets others have their turn.
TURN = 2.0
#: A batch that nobody has worked on for so long has been forgotten.
FORGOTTEN_AFTER = timedelta(minutes=1)


def run(batch_id: str) -> None:
    """Do what is to be done for a batch: the task in a worker. What is left after its turn, another task takes up."""
    until = time.monotonic() + TURN
    while time.monotonic() < until:
        if not _step(UUID(batch_id)):
            return
    queue.later(WORK, batch_id, at=timezone.now())


def _step(batch_id: UUID) -> bool:
    """Do one piece; False when there is nothing more to do now, or somebody else is at it."""
    if Batch.objects.filter(pk=batch_id, has_work=True, cancelled_at__isnull=False).exists():
        return _end_some(batch_id)
    with transaction.atomic():
        rows = Batch.objects.select_for_update(skip_locked=True, of=("self",)).select_related("system")
        batch = rows.filter(pk=batch_id, has_work=True, cancelled_at=None).first()
        if batch is None:
            return False
        now = timezone.now()
        at = None if batch.is_stopped else _go_on(batch, now)
        batch.has_work, batch.worked_at = at is not None, at or now
        batch.save(update_fields=["has_work", "worked_at"])
        if at and at > now:
            queue.later(WORK, str(batch_id), at=at)
    return at == now


def _go_on(batch: Batch, now: datetime) -> datetime | None:
    """One piece for a batch that is not stopped; when to do the next one, None where none is left."""
    brake = braking.on(batch)
    if brake is None:
        return _let_go(batch, GROUP, now) or (broadcast.expand(batch, now) if batch.is_expanding else None)
    return _slice(batch, brake, now) or braking.look(batch, brake, now)


def _slice(batch: Batch, brake: Brake, now: datetime) -> datetime | None:
    """One piece for the first slice of a batch; None where nothing is to be done for it."""
    if at := _let_go(batch, min(GROUP, braking.still_to_let_out(batch, brake)), now):
        return at
    people = brake.slice - batch.expanded
    if batch.is_expanding and people > 0:
        return broadcast.expand(batch, now, most=people) or now
    return None


def _let_go(batch: Batch, limit: int, now: datetime) -> datetime | None:
    """Make held deliveries due again; now where there were some."""
    if limit <= 0 or stops.hold(batch.system_id, batch.template_id):
        return None  # where a stop holds them, they are let go when it ends
    lanes = Delivery.objects.let_go(batch.pk, limit=limit)
    for lane in sorted(lanes):
        queue.wake(lane)
    return now if lanes else None


def _end_some(batch_id: UUID) -> bool:
    """End some deliveries of a cancelled batch. Its row is not locked meanwhile: every claim looks at it."""
    batch = Batch.objects.get(pk=batch_id)
    with transaction.atomic():
        ended = Delivery.objects.cancel_some(batch.pk, limit=GROUP)
        if batch.template_id and not batch.is_test:
            hour = batch.accepted_at.replace(minute=0, second=0, microsecond=0)
            figure = (hour, batch.system_id, batch.template_id)
            tally.store(
                {(*figure, channel, state.value): len(ids) for (channel, state), ids in ended.items()}
            )
        doubt.may_begin(
            [each for (_, state), ids in ended.items() if state is State.IN_DOUBT for each in ids]
        )
    left: dict[str, object] = {"worked_at": timezone.now()}
    if not ended and not Delivery.objects.filter(batch=batch, state__in=IN_FLIGHT).exists():
        left |= {"has_work": False, "is_stopped": False}
    Batch.objects.filter(pk=batch.pk).update(**left)
    # What is being sent at this moment may come back to wait; the sweep looks at it later.
    return bool(ended)


def wake_forgotten(now: datetime) -> int:
    """Ask a worker once more for each batch that nobody has worked on for a while; returns how many."""
    forgotten = Batch.objects.filter(has_work=True, worked_at__lt=now - FORGOTTEN_AFTER)
    ids = list(forgotten.values_list("pk", flat=True))
    for batch_id in ids:
        queue.later(WORK, str(batch_id), at=now)
    return len(ids)
