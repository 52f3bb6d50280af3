"""Batches and broadcasts on their way: pause, resume, cancel, and how far they are.

A batch is stopped by a mark on its own row, whatever its size: dispatch starts none of its deliveries from then on,
and puts aside those that it meets (``Delivery.held``). What has to be done for each delivery after that, a worker
does (:mod:`pushcenter.messaging.work`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.messaging import queue, recall
from pushcenter.messaging.models import Batch, BatchEvent, Brake, BrakeState, Delivery
from pushcenter.messaging.states import IN_FLIGHT, State

WORK = "pushcenter.messaging.work.run"


class Status(models.TextChoices):
    EXPANDING = "expanding", _("expanding")
    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    CANCELLED = "cancelled", _("cancelled")
    DONE = "done", _("done")


class IsCancelled(Exception):
    """A batch that was cancelled is neither paused nor resumed."""


def pause(batch_id: UUID, *, by: str, reason: str = "") -> Batch:
    """Start none of its deliveries any more, and look at no more people; again is no fault.

    Raises :class:`IsCancelled`.
    """
    with transaction.atomic():
        batch = _open(batch_id)
        if batch.paused_at is None:
            batch.paused_at, batch.pause_reason, batch.is_stopped = timezone.now(), reason, True
            batch.save(update_fields=["paused_at", "pause_reason", "is_stopped"])
            note(batch, "batch_paused", by=by, reason=reason)
    return batch


def resume(batch_id: UUID, *, by: str) -> Batch:
    """Go on with a paused batch; where it is not paused, nothing changes. Raises :class:`IsCancelled`."""
    with transaction.atomic():
        batch = _open(batch_id)
        if batch.paused_at is not None:
            batch.paused_at, batch.pause_reason, batch.is_stopped = None, "", False
            batch.save(update_fields=["paused_at", "pause_reason", "is_stopped"])
            note(batch, "batch_resumed", by=by)
            # What the brake has stopped goes out, and is watched anew.
            pulled = Brake.objects.filter(batch=batch, state=BrakeState.PULLED)
            pulled.update(state=BrakeState.OPEN, reason="", base_ended=None)
            ask_for_work(batch)
    return batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What cancelling came to: how many deliveries will not go out, the states of the others, how many people of a
    broadcast had not been looked at, and how many deliveries providers are asked to take back.
    """

    batch: Batch
    cancelled: int
    too_late: Mapping[str, int]
    not_expanded: int
    recalling: int


def cancel(batch_id: UUID, *, by: str) -> Cancelled:
    """Start none of its deliveries any more; a worker ends those that wait. Again is no fault."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.cancelled_at is None:
            batch.cancelled_at, batch.is_stopped = timezone.now(), True
            batch.paused_at, batch.pause_reason = None, ""
            batch.save(update_fields=["cancelled_at", "is_stopped", "paused_at", "pause_reason"])
            note(batch, "batch_cancelled", by=by)
            ask_for_work(batch)
            recall.plan_batch(batch)
    counts = Counter(Delivery.objects.by_state(batch.pk))
    # A worker ends these in doubt.
    doubtful = Delivery.objects.filter(batch=batch, state=State.PENDING, maybe_sent=True).count()
    if doubtful:
        counts.update({State.PENDING: -doubtful, State.IN_DOUBT: doubtful})
    waiting = counts.pop(State.PENDING, 0) + counts.pop(State.CANCELLED, 0)
    counts.pop(State.SKIPPED, None)
    missing = 0 if batch.expanded_at else max(0, batch.people - batch.expanded)
    recalling = recall.possible(Delivery.objects.filter(batch=batch)).count()
    return Cancelled(
        batch=batch, cancelled=waiting, too_late=counts, not_expanded=missing, recalling=recalling
    )


def ask_for_work(batch: Batch, at: datetime | None = None) -> None:
    """Have a worker look at a batch soon, or at a time; to be called in the transaction that gives reason for it."""
    batch.has_work, batch.worked_at = True, at or timezone.now()
    batch.save(update_fields=["has_work", "worked_at"])
    queue.later(WORK, str(batch.pk), at=batch.worked_at)


def _open(batch_id: UUID) -> Batch:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.cancelled_at is not None:
        raise IsCancelled
    return batch


def note(batch: Batch, kind: str, **data: str) -> None:
    said = {name: value for name, value in data.items() if value}
    BatchEvent.objects.create(batch=batch, kind=kind, data=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch is. ``deliveries`` counts them by state."""

    batch: Batch
    deliveries: Mapping[str, int] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        return status(self.batch, in_flight=any(self.deliveries.get(state) for state in IN_FLIGHT))


def progress(batch: Batch) -> Progress:
    """How far it is at this moment."""
    return Progress(batch=batch, deliveries=Delivery.objects.by_state(batch.pk))


def status(batch: Batch, *, in_flight: bool) -> Status:
    """One word for a batch."""
    if batch.cancelled_at:
        return Status.CANCELLED
    if batch.paused_at:
        return Status.PAUSED
    if batch.pause_reason and (in_flight or batch.is_expanding):
        return Status.WAITING
    if batch.is_expanding:
        return Status.EXPANDING
    return Status.RUNNING if in_flight else Status.DONE


def listed(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """With all that a list shows; ``in_flight`` says whether a delivery of it waits or is being sent."""
    open_ones = Delivery.objects.filter(batch=OuterRef("pk"), state__in=IN_FLIGHT)
    return batches.select_related("template", "system", "brake").annotate(in_flight=Exists(open_ones))
