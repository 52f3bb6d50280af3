"""One waiting task for many moments: it stands for the earliest of them, and its function plans the next.

As with the wake-ups of lanes, who relies on a task that waits holds a shared lock until its commit, so that the task
does not look away too early.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from pushcenter import prepared
from pushcenter.messaging import queue

RELY = "SELECT pg_try_advisory_xact_lock_shared($1::int, $2::int)"
WAITING = """
SELECT EXISTS (SELECT 1 FROM django_q_ormq
                WHERE key = $1 AND lock <= GREATEST($2::timestamptz, clock_timestamp()))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A function that a worker runs at the earliest of the moments it was asked for.

    ``number`` tells its lock from those of the lanes, which count from zero.
    """

    name: str
    function: str
    number: int

    @property
    def key(self) -> str:
        """Its rows in the queue are housekeeping."""
        return f"{queue.HOUSEKEEPING}:{self.name}"

    def at(self, moment: datetime) -> None:
        """See to it that it runs at this moment; commits with the caller's transaction."""
        if not self._somebody_will_look(moment):
            queue.later(self.function, at=moment, key=self.key)

    def _somebody_will_look(self, moment: datetime) -> bool:
        if prepared.rows(RELY, str(queue.LOCK_CLASS), str(self.number)) != [("t",)]:
            return False
        return prepared.rows(WAITING, self.key, moment.isoformat()) == [("t",)]

    def settle(self) -> None:
        """Wait until all who rely on the task that is now running have committed what they planned."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [queue.LOCK_CLASS, self.number])


DOUBT = Appointment(name="doubt", function="pushcenter.messaging.doubt.run", number=101)
STEPS = Appointment(name="steps", function="pushcenter.messaging.steps.run", number=100)
