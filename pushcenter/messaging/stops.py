"""Stops of templates, systems and lanes, and of all that is not critical: who stops what, why, and how it goes on.

A stop is one row, whatever waits. Workers ask twice a second what is stopped: a stopped lane is not claimed from at
all; deliveries of a stopped template or system are put aside when they are met (:mod:`pushcenter.messaging.aside`).
When such a stop ends, a worker makes them due again, in pieces.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from pushcenter import prepared
from pushcenter.lanes import Lane
from pushcenter.messaging import queue
from pushcenter.messaging.brake import WATCHED
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.models import Batch, Delivery, Message, Stop, StopKind

WORK = "pushcenter.messaging.stops.let_go"
#: Seconds for which the answer of the database holds.
ASK_EVERY = 0.5
#: By then every worker knows that a lane is served again.
KNOWN_BY_ALL = timedelta(seconds=1)
#: Held deliveries that one statement looks at.
GROUP = 2_000
#: Seconds after which a worker lets others have their turn.
TURN = 2.0
#: A stop that nobody has worked on for so long has been forgotten.
FORGOTTEN_AFTER = timedelta(minutes=1)
WITH_DELIVERIES_HELD = frozenset({StopKind.TEMPLATE, StopKind.SYSTEM})
HOLDS = "SELECT kind, target FROM messaging_stop WHERE ended_at IS NULL"
HOLDING = """
SELECT 1 FROM messaging_stop
 WHERE ended_at IS NULL AND kind IN ('template', 'system') AND target = ANY($1::text[]) FOR SHARE
"""
NON_CRITICAL = frozenset(Lane.values) - {Lane.CRITICAL.value}


@dataclass(frozen=True, slots=True)
class Stops:
    """What is stopped. ``lanes`` are not claimed from; ``ids`` are those of templates and systems."""

    lanes: frozenset[str] = frozenset()
    ids: frozenset[UUID] = frozenset()

    def holds(self, system_id: UUID, template_id: UUID) -> bool:
        """Whether deliveries of this system and template wait."""
        return bool(self.ids) and (system_id in self.ids or template_id in self.ids)

    def stops(self, lane: str, system_id: UUID, template_id: UUID) -> bool:
        """Whether nothing of it starts any more."""
        return lane in self.lanes or self.holds(system_id, template_id)

    def holds_claimed(self, claimed: Claimed) -> bool:
        """The same for what was claimed."""
        return bool(self.ids) and self.holds(UUID(claimed.system_id), UUID(claimed.template_id))


class _Watch:
    """What this process knows."""

    def __init__(self) -> None:
        self.known = Stops()
        self.asked = float("-inf")

    def ask(self) -> Stops:
        self.known = _of(prepared.rows(HOLDS))
        self.asked = time.monotonic()
        return self.known


_watch = _Watch()


def _of(rows: Iterable[prepared.Row]) -> Stops:
    lanes, ids = set[str](), set[UUID]()
    for kind, target in rows:
        if kind == StopKind.NON_CRITICAL:
            lanes |= NON_CRITICAL
        elif kind == StopKind.LANE:
            lanes.add(target or "")
        else:
            ids.add(UUID(target or ""))
    return Stops(frozenset(lanes), frozenset(ids))


def current() -> Stops:
    """What is stopped, at most half a second old; asks the database where it is older."""
    return _watch.known if time.monotonic() - _watch.asked < ASK_EVERY else _watch.ask()


def seen() -> Stops:
    """What :func:`current` found last, in whatever thread; for the event loop, which asks no database."""
    return _watch.known


def put_back(claimed: Sequence[Claimed]) -> None:
    """Undo claims of what is stopped, and hold it."""
    if claimed and Delivery.objects.put_back(claimed) < len(claimed):
        _watch.ask()  # a stop has ended: without this they would be claimed and put back until the next look


def stop(kind: StopKind, target: str = "", *, by: str, reason: str = "") -> Stop:
    """Start nothing of it any more; again is no fault."""
    found, _created = Stop.objects.get_or_create(
        kind=kind, target=target, ended_at=None, defaults={"by": by, "reason": reason}
    )
    return found


def resume(kind: StopKind, target: str = "", *, by: str, reason: str = "") -> Stop | None:
    """End a stop, and see to it that what has waited goes out; None where there was none."""
    with transaction.atomic():
        found = Stop.objects.select_for_update().filter(kind=kind, target=target, ended_at=None).first()
        if found is None:
            return None
        now = timezone.now()
        found.ended_at, found.ended_by, found.end_reason, found.worked_at = now, by, reason, now
        found.has_work = kind in WITH_DELIVERIES_HELD
        found.save()
        if found.has_work:
            queue.later(WORK, str(found.pk), at=now)
        for lane in _lanes_of(found):
            # Not by a wake-up that waits already: it could be used up by a worker that does not know yet.
            queue.later(queue.DISPATCH, lane, at=now + KNOWN_BY_ALL, key=lane)
    return found


def _lanes_of(ended: Stop) -> list[str]:
    if ended.kind == StopKind.NON_CRITICAL:
        return [lane for lane in Lane.values if lane in NON_CRITICAL]
    return [ended.target] if ended.kind == StopKind.LANE else []


def let_go(stop_id: str) -> None:
    """Make due again what an ended stop has held: the task in a worker. What is left, another task takes up."""
    until = time.monotonic() + TURN
    while time.monotonic() < until:
        if not _let_go_some(UUID(stop_id)):
            return
    queue.later(WORK, stop_id, at=timezone.now())


def _let_go_some(stop_id: UUID) -> bool:
    """One piece; False when there is nothing more to do, or somebody else is at it."""
    with transaction.atomic():
        ended = Stop.objects.select_for_update(skip_locked=True).filter(pk=stop_id, has_work=True).first()
        if ended is None:
            return False
        piece = Delivery.objects.let_go_after_stop(
            ended.target, due=ended.cursor_due, last=ended.cursor, limit=GROUP
        )
        if piece is None:
            ended.has_work = False
        else:
            ended.cursor_due, ended.cursor = piece.due, piece.last
            for lane in sorted(piece.lanes):
                queue.wake(lane)
        ended.worked_at = timezone.now()
        ended.save()
    return piece is not None


def wake_forgotten(now: datetime) -> int:
    """Ask a worker once more for each stop that nobody has worked on for a while; returns how many."""
    forgotten = Stop.objects.filter(has_work=True, worked_at__lt=now - FORGOTTEN_AFTER)
    ids = list(forgotten.values_list("pk", flat=True))
    for stop_id in ids:
        queue.later(WORK, str(stop_id), at=now)
    return len(ids)


def hold(system_id: UUID, template_id: UUID | None) -> bool:
    """Whether a stop holds them; it does not end before the end of the transaction."""
    return bool(prepared.rows(HOLDING, prepared.array(each for each in (system_id, template_id) if each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What a message waits for: a stop, or the pause of its batch."""

    what: str
    reason: str
    since: datetime


def pauses(
    *, lane: str, system_id: UUID, template_id: UUID, batch: Batch | None = None, is_held: bool = False
) -> list[Pause]:
    """What holds such a message at this moment; the oldest stop first."""
    holding = of(lane=lane, system_id=system_id, template_id=template_id).filter(ended_at=None)
    found = [Pause(what=each.kind, reason=each.reason, since=each.at) for each in holding]
    if batch and batch.paused_at:
        found.append(Pause(what="batch", reason=batch.pause_reason, since=batch.paused_at))
    elif batch and is_held and batch.pause_reason == WATCHED:
        found.append(Pause(what="brake", reason=batch.pause_reason, since=batch.accepted_at))
    return found


def met(message: Message, until: datetime) -> list[Stop]:
    """The stops that held while a message was under way."""
    rows = of(lane=message.lane, system_id=message.system_id, template_id=message.template_id)
    return [each for each in rows if each.overlaps(message.accepted_at, until)]


def of(*, lane: str, system_id: UUID, template_id: UUID) -> QuerySet[Stop]:
    """The stops, of whatever time, that such a message can meet with; oldest first."""
    own = Q(kind=StopKind.TEMPLATE, target=str(template_id)) | Q(kind=StopKind.SYSTEM, target=str(system_id))
    lanes = Q(kind=StopKind.LANE, target=lane)
    if lane in NON_CRITICAL:
        lanes |= Q(kind=StopKind.NON_CRITICAL)
    return Stop.objects.filter(own | lanes).order_by("id")
