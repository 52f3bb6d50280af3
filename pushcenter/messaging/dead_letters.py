"""Dead letters: what failed for good, grouped by cause, channel, account and template, and sent again as a whole.

A click begins it and a worker does it, in pieces: however many there are, nobody waits. Each delivery is sent again as
a new attempt, and its trace says who wanted that.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from pushcenter.messaging import operate, queue
from pushcenter.messaging.models import Delivery, Resend
from pushcenter.messaging.states import State

TASK = "pushcenter.messaging.dead_letters.run"
#: So many of the newest are grouped; more would make people wait for the page.
GROUPED = 50_000
GROUPS = 100
SAMPLES = 3
#: Further ones are not counted before they are sent again.
COUNTED = 100_000
#: Deliveries in one transaction.
PIECE = 500
#: Seconds after which a worker lets others have their turn.
TURN = 2.0
FORGOTTEN_AFTER = timedelta(minutes=1)

# Of a route that uses the first channel that succeeds, another one may have the message by now.
CAN_BE_SENT = """
d.expires_at > statement_timestamp()
AND NOT EXISTS (
  SELECT 1 FROM messaging_delivery o JOIN templates_app_template t ON t.id = m.template_id
   WHERE o.message_id = d.message_id AND o.id <> d.id AND t.route_mode = 'first'
     AND o.state IN ('pending', 'sending', 'sent', 'delivered', 'in_doubt'))
"""
GROUP = """
WITH newest AS (
    SELECT d.id, d.message_id, d.code, d.channel, d.account_id, d.reason, d.ended_at, d.expires_at
      FROM messaging_delivery d
     WHERE d.state = 'failed' AND d.ended_at >= %(since)s
     ORDER BY d.ended_at DESC LIMIT %(limit)s
)
SELECT d.code, d.channel, d.account_id, m.template_id, count(*), count(*) FILTER (WHERE {can_be_sent}),
       min(d.ended_at), max(d.ended_at), (array_agg(d.message_id ORDER BY d.ended_at DESC))[1:{samples}],
       (array_agg(d.reason ORDER BY d.ended_at DESC))[1]
  FROM newest d JOIN messaging_message m ON m.id = d.message_id
 WHERE NOT m.is_test
 GROUP BY 1, 2, 3, 4
 ORDER BY 5 DESC, 8 DESC LIMIT {groups}
"""
OF_GROUP = """
  FROM messaging_delivery d JOIN messaging_message m ON m.id = d.message_id
 WHERE d.state = 'failed' AND d.ended_at >= %(since)s AND d.ended_at <= %(until)s
   AND d.code = %(code)s AND d.channel = %(channel)s AND d.account_id IS NOT DISTINCT FROM %(account)s::uuid
   AND m.template_id = %(template)s AND NOT m.is_test
"""
COUNT = "SELECT count(*) FROM (SELECT 1 {of_group} LIMIT {counted}) AS found"
NEXT = """
SELECT d.id, d.ended_at,
       {can_be_sent}
       AND NOT EXISTS (SELECT 1 FROM messaging_batch b WHERE b.id = m.batch_id AND b.cancelled_at IS NOT NULL)
       AND NOT EXISTS (SELECT 1 FROM messaging_event e WHERE e.message_id = m.id AND e.kind = 'message_cancelled')
       {of_group}
   AND (d.ended_at, d.id) > (%(after)s, %(cursor)s::uuid)
 ORDER BY d.ended_at, d.id LIMIT {piece}
"""
FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failed deliveries with one cause. ``can_be_sent`` counts those that it makes sense to send again."""

    code: str
    channel: str
    account_id: UUID | None
    template_id: UUID
    number: int
    can_be_sent: int
    first: datetime
    last: datetime
    samples: list[UUID]
    reason: str


def groups(since: datetime) -> list[Group]:
    """The largest groups among the newest ``GROUPED`` that failed since then."""
    statement = GROUP.format(can_be_sent=CAN_BE_SENT, samples=SAMPLES, groups=GROUPS)
    return [
        Group(**dict(zip(Group.__dataclass_fields__, row, strict=True)))
        for row in _rows(statement, {"since": since, "limit": GROUPED})
    ]


def number(since: datetime) -> int:
    """How many failed since then, to ``COUNTED``; those of test keys, too."""
    return Delivery.objects.filter(state=State.FAILED, ended_at__gte=since).order_by()[:COUNTED].count()


def send_again(
    *, code: str, channel: str, account_id: UUID | None, template_id: UUID, since: datetime, by: str
) -> Resend:
    """Begin to send a group again; a worker goes on with what is left after the first piece."""
    now = timezone.now()
    job = Resend(
        code=code,
        channel=channel,
        account_id=account_id,
        template_id=template_id,
        since=since,
        until=now,
        by=by,
    )
    [(job.expected,)] = _rows(COUNT.format(of_group=OF_GROUP, counted=COUNTED), _criteria(job))
    job.save()
    if _step(job.pk):
        queue.later(TASK, str(job.pk), at=now)
    job.refresh_from_db()
    return job


def stop(job_id: UUID) -> bool:
    """Send no more of a group again; what was, was."""
    return bool(
        Resend.objects.filter(pk=job_id, ended_at=None).update(ended_at=timezone.now(), was_stopped=True)
    )


def run(job_id: str) -> None:
    """Go on with a group: the task in a worker. What is left after its turn, another task takes up."""
    until = time.monotonic() + TURN
    while time.monotonic() < until:
        if not _step(UUID(job_id)):
            return
    queue.later(TASK, job_id, at=timezone.now())


def wake_forgotten(now: datetime) -> int:
    """Ask a worker once more for what nobody has worked on for a while; returns for how many groups."""
    forgotten = Resend.objects.filter(ended_at=None, worked_at__lt=now - FORGOTTEN_AFTER)
    ids = list(forgotten.values_list("pk", flat=True))
    for job_id in ids:
        queue.later(TASK, str(job_id), at=now)
    return len(ids)


def _step(job_id: UUID) -> bool:
    """Send one piece again; False when nothing is left, or somebody else is at it."""
    with transaction.atomic():
        job = Resend.objects.select_for_update(skip_locked=True).filter(pk=job_id, ended_at=None).first()
        if job is None:
            return False
        statement = NEXT.format(can_be_sent=CAN_BE_SENT, of_group=OF_GROUP, piece=PIECE)
        rows = _rows(statement, _criteria(job))
        sent = operate.send_again([pk for pk, _at, can_be_sent in rows if can_be_sent], by=job.by)
        job.sent += sent
        job.left += len(rows) - sent
        if rows:
            job.cursor, job.cursor_at, _fits = rows[-1]
        job.worked_at = timezone.now()
        job.ended_at = job.worked_at if len(rows) < PIECE else None
        job.save(update_fields=["sent", "left", "cursor", "cursor_at", "worked_at", "ended_at"])
    return job.ended_at is None


def _criteria(job: Resend) -> dict[str, Any]:
    return {
        "code": job.code,
        "channel": job.channel,
        "account": job.account_id,
        "template": job.template_id,
        "since": job.since,
        "until": job.until,
        "after": job.cursor_at or job.since,
        "cursor": job.cursor or FIRST,
    }


def _rows(statement: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()
