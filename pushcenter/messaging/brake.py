"""The brake: a large batch or broadcast first sends a slice, and the rest waits for what becomes of it.

Putting it on is part of accepting; what follows is done by workers (:mod:`pushcenter.messaging.braking`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from pushcenter.messaging import batches
from pushcenter.messaging.models import Batch, Brake, Delivery, Receipt
from pushcenter.messaging.states import State

#: Seconds between two looks at a first slice.
LOOK_EVERY = 5.0
#: Why a batch waits.
WATCHED = "a first slice is watched before the rest goes out"
#: Deliveries of the rest that say something about it.
SAMPLE = 20
STOPPED_BY = "brake"
ENDED = (State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED, State.IN_DOUBT)
FAILED = (State.UNDELIVERED, State.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What became of deliveries so far. ``out`` are those that went out or are due; ``failed`` includes bounces."""

    out: int
    ended: int
    failed: int
    complaints: int

    def since(self, brake: Brake) -> "Figures":
        """What came after the brake was opened."""
        return Figures(
            out=self.out,
            ended=self.ended - (brake.base_ended or 0),
            failed=self.failed - brake.base_failed,
            complaints=self.complaints - brake.base_complaints,
        )


def slice_of(number: int) -> int | None:
    """How many of so many messages go first; None where all do."""
    is_large = 0 < settings.BRAKE_ABOVE < number
    return settings.BRAKE_SLICE if is_large and number > settings.BRAKE_SLICE else None


def put_on(batch: Batch, size: int, *, starts: datetime) -> None:
    """Brake a batch; to be called in the transaction that stores it, after its deliveries. ``starts`` is when the
    first of them are due.
    """
    let_out = Delivery.objects.filter(batch=batch, state=State.PENDING, held=False).count()
    wait_until = starts + timedelta(seconds=settings.BRAKE_WAIT)
    Brake.objects.create(batch=batch, slice=size, let_out=let_out, wait_until=wait_until)
    batches.note(
        batch, "brake_slice", reason=f"{size} go first, the rest in {settings.BRAKE_WAIT} s or later"
    )
    if not batch.is_broadcast:
        batch.pause_reason = WATCHED
        batch.save(update_fields=["pause_reason"])
        batches.ask_for_work(batch, at=min(wait_until, starts + timedelta(seconds=LOOK_EVERY)))


def figures(batch: Batch) -> Figures:
    """Counted at this moment."""
    states = Delivery.objects.by_state(batch.pk)
    held = Delivery.objects.filter(batch=batch, state=State.PENDING, held=True).count()
    ended, failed = (sum(states.get(each, 0) for each in kinds) for kinds in (ENDED, FAILED))
    waiting = states.get(State.PENDING, 0) - held + states.get(State.SENDING, 0)
    complaints = Receipt.objects.filter(
        outcome="complained", received_at__gte=batch.accepted_at, delivery__batch=batch
    )
    return Figures(
        out=ended + waiting,
        ended=ended,
        failed=failed,
        complaints=complaints.values("delivery").distinct().count(),
    )


def fault(seen: Figures, *, of: int) -> str:
    """What is wrong with figures, among so many deliveries, in words; empty where nothing is."""
    for number, limit, what in (
        (seen.complaints, settings.BRAKE_COMPLAINTS, "met with a complaint"),
        (seen.failed + seen.complaints, settings.BRAKE_FAILURES, "failed, bounced or met with a complaint"),
    ):
        if of and number > limit * of:
            return f"{number} of {of} deliveries {what} ({_percent(number / of)}, at most {_percent(limit)})"
    return ""


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
