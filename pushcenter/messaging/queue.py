"""Waking the workers: the only module that knows django-q2.

What has to be done stands in the rows themselves (``Delivery.due_at``); a wake-up only says "look at this
lane", so a lost or a doubled one does no harm. It is written in the transaction that gave reason for it, and
one that already waits serves for all.
"""

import gc
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.humanhash import uuid as task_name
from django_q.models import OrmQ, Schedule
from django_q.signals import post_execute_in_worker, post_spawn, pre_execute
from django_q.signing import SignedPackage

from pushcenter import prepared
from pushcenter.lanes import Lane
from pushcenter.messaging import busy

DISPATCH = busy.DISPATCH
#: The queue of housekeeping; served after all lanes.
HOUSEKEEPING = Conf.PREFIX
#: First half of our advisory locks' key, to keep clear of other users of the same database.
LOCK_CLASS = 0x7057
RUNNING = ":running"
#: Seconds after which a wake-up is for another worker, too, although one serves the lanes: it is not keeping up.
PATIENCE = 0.3
#: Seconds after which a task that was taken has begun.
ON_ITS_WAY = 0.3
#: Seconds after which a database that is away is asked again.
AWAY = 0.5
log = logging.getLogger(__name__)

# A row in work gets another key, so that "a wake-up waits" and "a worker is at it" are never confused. If its
# worker dies, the row turns up again when its lock is over, as django-q2 has it. While a worker of this cluster serves
# the lanes, which it all does at once, a wake-up is for another one only when it has waited for a while.
DEQUEUE = """
UPDATE django_q_ormq
   SET key = split_part(key, ':', 1) || ':running', lock = statement_timestamp() + make_interval(secs => %(retry)s)
 WHERE id = ANY(ARRAY(
         SELECT id FROM django_q_ormq
          WHERE lock <= statement_timestamp() AND split_part(key, ':', 1) = ANY(%(keys)s::text[])
            AND (split_part(key, ':', 1) = %(housekeeping)s
                 OR lock <= statement_timestamp() - make_interval(secs => %(patience)s))
          ORDER BY array_position(%(keys)s::text[], split_part(key, ':', 1)), lock
          LIMIT %(bulk)s
            FOR UPDATE SKIP LOCKED))
RETURNING id, payload, split_part(key, ':', 1)
"""

# The shared lock tells a dispatcher that is about to stop that somebody relies on the wake-up that waits. Where
# it cannot be had at once, a dispatcher is stopping: then a wake-up of our own is the safe answer.
RELY = """
SELECT pg_try_advisory_xact_lock_shared($1::int, $2::int)
"""
WAITING = """
SELECT EXISTS (SELECT 1 FROM django_q_ormq
                WHERE key = $1 AND lock <= GREATEST($2::timestamptz, clock_timestamp()))
"""

CALLED = "SELECT EXISTS (SELECT 1 FROM django_q_ormq WHERE key = $1 AND lock <= $2::timestamptz)"
#: The channel of PostgreSQL on which clusters hear of new work, at the commit that brings it.
WORK = "pushcenter_work"
TELL = "SELECT pg_notify($1, '')"
SETTLE = """
SELECT pg_advisory_xact_lock($1::int, number) FROM unnest($2::int[]) AS number
"""


class LaneBroker(ORM):
    """django-q2's database broker, taking the most urgent lane first, in one statement that never waits.

    Of several workers one is kept free for the lanes and one for housekeeping, so that neither waits for the other.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken: dict[int, tuple[str, float]] = {}
        self._listens_on: object = None

    def dequeue(self) -> list[tuple[int, str]] | None:
        try:
            tasks = self._take()
            if not tasks:
                self._rest()
        except (InterfaceError, OperationalError) as error:
            # django-q2 would let ten seconds pass, with nobody served.
            log.warning("the database is away: %s", type(error).__name__)
            connection.close()
            sleep(AWAY)
            return None
        return tasks or None

    def _rest(self) -> None:
        """Until there is word of new work, or for a while: of what becomes due by time there is none."""
        if connection.in_atomic_block:  # no word comes within a transaction
            sleep(Conf.POLL)
            return
        connection.ensure_connection()
        with connection.wrap_database_errors:
            opened = connection.connection
            if self._listens_on is not opened:
                opened.execute(f"LISTEN {WORK}")
                self._listens_on = opened
            for _ in opened.notifies(timeout=Conf.POLL, stop_after=1):
                pass

    def _take(self) -> list[tuple[int, str]]:
        keys, is_served = self._keys()
        self.get_connection()
        wanted = {
            "keys": keys,
            "housekeeping": HOUSEKEEPING,
            "patience": PATIENCE if is_served else 0.0,
            "bulk": Conf.BULK,
            "retry": Conf.RETRY,
        }
        with connection.cursor() as cursor:
            cursor.execute(DEQUEUE, wanted)
            tasks = cursor.fetchall()
        for task_id, _, key in tasks:
            self._taken[task_id] = (key, monotonic())
        return [(task_id, payload) for task_id, payload, _ in tasks]

    def _keys(self) -> tuple[list[str], bool]:
        """What may be taken now, nothing that would occupy the last worker of the other kind; are lanes served?"""
        lanes = [*settings.LANES]
        if Conf.WORKERS < 2:
            return [*lanes, HOUSEKEEPING], False
        at_work = busy.at_work()
        for key, _ in self._on_their_way().values():
            at_work[busy.kind_of(key)] += 1
        most = Conf.WORKERS - 1
        keys = lanes if at_work[busy.LANES] < most else []
        keys = [*keys, HOUSEKEEPING] if at_work[busy.CHORES] < most else keys
        return keys, at_work[busy.LANES] > 0

    def _on_their_way(self) -> dict[int, tuple[str, float]]:
        """What this cluster has taken a moment ago and not yet done: a worker may not yet have begun it."""
        since = monotonic() - ON_ITS_WAY
        recent = {task_id: taken for task_id, taken in self._taken.items() if taken[1] > since}
        left = set(OrmQ.objects.filter(pk__in=recent).values_list("pk", flat=True)) if recent else set()
        self._taken = {task_id: taken for task_id, taken in recent.items() if task_id in left}
        return self._taken

    def queue_size(self) -> int:
        return self.get_connection().filter(lock__lte=timezone.now()).count()

    def lock_size(self) -> int:
        return self.get_connection().filter(key__endswith=RUNNING).count()


def spare_the_collector() -> None:
    """From now on a worker's garbage collector leaves alone what was loaded before its first task."""
    post_spawn.connect(_freeze)


def _freeze(**_others: object) -> None:
    # Calls under way are many objects that live for some milliseconds, and make no circles: at the usual threshold the
    # collector would look through all of them, and through all of Django, hundreds of times a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


def note_who_is_busy() -> None:
    """From now on a worker tells when it begins a task and when it is done."""
    pre_execute.connect(busy.begin)
    post_execute_in_worker.connect(busy.end)


def wake(lane: str, at: datetime | None = None) -> None:
    """See to it that a worker looks at this lane, now or at a time; call it in the transaction that has the work.

    Costs two small statements where a wake-up already waits, and one row more where none does.
    """
    moment = at or timezone.now()
    if not somebody_will_look(lane, moment, number=Lane.values.index(lane)):
        later(DISPATCH, lane, at=moment, key=lane)


def call_for_help(lane: str) -> None:
    """See to it that another worker serves this lane as well, at once if one is free."""
    at = timezone.now() - timedelta(seconds=PATIENCE)
    if prepared.rows(CALLED, lane, at.isoformat()) != [("t",)]:
        later(DISPATCH, lane, at=at, key=lane)


def somebody_will_look(key: str, at: datetime, *, number: int) -> bool:
    """Whether a task with this key waits for this moment, or an earlier one, that the caller may rely on until its
    commit; ``number`` is that of its lock.
    """
    if prepared.rows(RELY, str(LOCK_CLASS), str(number)) != [("t",)]:
        return False
    return prepared.rows(WAITING, key, at.isoformat()) == [("t",)]


def settle(lanes: Iterable[str]) -> None:
    """Wait until all who rely on a wake-up that this worker has taken have committed what they wanted done."""
    settle_locks(Lane.values.index(lane) for lane in lanes)


def settle_locks(numbers: Iterable[int]) -> None:
    """The same for tasks by the numbers of their locks."""
    with transaction.atomic():
        prepared.rows(SETTLE, str(LOCK_CLASS), prepared.array(sorted(numbers)))


def later(function: str, *args: Any, at: datetime, key: str = HOUSEKEEPING) -> None:
    """Run a function, named by its dotted path, in a worker at a time; commits with the caller's transaction."""
    name, task_id = task_name()
    task = {
        "id": task_id,
        "name": name,
        "func": function,
        "args": args,
        "kwargs": {},
        "started": timezone.now(),
        "ack_failure": True,
    }
    OrmQ.objects.create(key=key, payload=SignedPackage.dumps(task), lock=at)
    if at <= timezone.now():
        prepared.rows(TELL, WORK)


def every_minute(name: str, function: str) -> None:
    """Have a function run about once a minute, from the next migration on."""
    Schedule.objects.update_or_create(
        name=name, defaults={"func": function, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    )


def waiting() -> int:
    """How many wake-ups and tasks wait or run."""
    return OrmQ.objects.count()
