"""What workers do about the brake: look at the first slice, let the rest go or stop it, and watch the rest.

All of it stands in the rows of brake and batch, and each step commits by itself, so that a worker may die at any
moment. Who works on a brake has locked its batch.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import alerts, batches, brake
from pushcenter.messaging.brake import LOOK_EVERY, SAMPLE, STOPPED_BY, WATCHED, Figures
from pushcenter.messaging.models import Batch, Brake, BrakeState, Delivery
from pushcenter.messaging.states import IN_FLIGHT


def on(batch: Batch) -> Brake | None:
    """The brake of a locked batch, where its rest has to wait. From one that was just resumed, the watch begins."""
    found = Brake.objects.filter(batch=batch, state__in=(BrakeState.SLICE, BrakeState.OPEN)).first()
    if found is not None and found.state == BrakeState.OPEN and found.base_ended is None:
        _begin(found, brake.figures(batch))
    return found if found is not None and found.state == BrakeState.SLICE else None


def still_to_let_out(batch: Batch, found: Brake) -> int:
    """How many of the deliveries that are held belong to the slice: those that a pause has put aside."""
    return batch.people if batch.is_broadcast else max(0, found.let_out - brake.figures(batch).out)


def look(batch: Batch, found: Brake, now: datetime) -> datetime | None:
    """Judge the first slice; when to look again, now where the rest goes out, None where it was stopped."""
    seen = brake.figures(batch)
    _keep(found, seen, now)
    is_time = now >= found.wait_until
    # Before the time is up, those still to come count as good ones.
    of = seen.ended if is_time else max(seen.out, found.let_out)
    if reason := brake.fault(seen, of=of):
        _pull(batch, found, reason)
        return None
    if is_time and (seen.ended * 2 >= seen.out):
        _open(batch, found, seen, by=STOPPED_BY, said=f"{seen.failed} of {seen.ended} deliveries failed")
        return now
    if batch.pause_reason != WATCHED:
        batch.pause_reason = WATCHED
        batch.save(update_fields=["pause_reason"])
    at = now + timedelta(seconds=LOOK_EVERY)
    return at if is_time else min(at, found.wait_until)


def release(batch_id: UUID | str, *, by: str) -> bool:
    """Let the rest go without waiting; False where nothing waits for the brake. Raises ``IsCancelled``."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.cancelled_at is not None:
            raise batches.IsCancelled
        found = on(batch)
        if found is None:
            return False
        _open(batch, found, brake.figures(batch), by=by)
        batches.ask_for_work(batch)
    return True


def watch(now: datetime) -> int:
    """Look at what goes out behind each brake, once a minute; returns how many were looked at."""
    ids = list(Brake.objects.exclude(state=BrakeState.OVER).values_list("batch", flat=True))
    return sum(_watch(batch_id, now) for batch_id in ids)


def _watch(batch_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        batch = Batch.objects.select_for_update(skip_locked=True).filter(pk=batch_id).first()
        found = Brake.objects.filter(batch=batch_id).first() if batch else None
        if batch is None or found is None:
            return False
        if batch.cancelled_at is not None:
            _end(found)
        elif found.state == BrakeState.OPEN and not batch.is_stopped:
            _judge_rest(batch, found, now)
    return True


def _judge_rest(batch: Batch, found: Brake, now: datetime) -> None:
    if found.base_ended is None:
        return  # it was resumed just now: its worker begins
    seen = brake.figures(batch)
    _keep(found, seen, now)
    new = seen.since(found)
    if new.ended >= SAMPLE:
        if reason := brake.fault(new, of=new.ended):
            _pull(batch, found, reason)
            return
        _begin(found, seen)
    if not batch.is_expanding and not Delivery.objects.filter(batch=batch, state__in=IN_FLIGHT).exists():
        _end(found)


def _keep(found: Brake, seen: Figures, now: datetime) -> None:
    found.looked_at = now
    found.ended, found.failed, found.complaints = seen.ended, seen.failed, seen.complaints
    found.save()


def _begin(found: Brake, seen: Figures) -> None:
    """From now on it counts what comes after these figures."""
    found.base_ended, found.base_failed, found.base_complaints = seen.ended, seen.failed, seen.complaints
    found.save()
    alerts.resolve(_key(found.batch))


def _pull(batch: Batch, found: Brake, reason: str) -> None:
    found.state, found.reason = BrakeState.PULLED, reason
    found.save()
    batches.pause(batch.pk, by=STOPPED_BY, reason=reason)
    what = "broadcast" if batch.is_broadcast else "batch"
    text = f"The {what} {batch.reference or batch.pk} stopped itself: {reason}."
    data = {"batch": str(batch.pk), "ended": found.ended, "failed": found.failed, "slice": found.slice}
    alerts.raise_alert(_key(batch), alerts.Severity.CRITICAL, text, data)


def _open(batch: Batch, found: Brake, seen: Figures, *, by: str, said: str = "") -> None:
    found.state, found.reason = BrakeState.OPEN, ""
    _keep(found, seen, timezone.now())
    _begin(found, seen)
    batch.pause_reason = ""
    batch.save(update_fields=["pause_reason"])
    batches.note(batch, "brake_opened", by=by, reason=said)


def _end(found: Brake) -> None:
    found.state = BrakeState.OVER
    found.save()
    alerts.resolve(_key(found.batch))


def _key(batch: Batch) -> str:
    return f"brake:{batch.pk}"
