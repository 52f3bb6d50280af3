"""One waiting task for many moments: it stands for the earliest of them, and its function plans the next.

As with the wake-ups of lanes, who relies on a task that waits holds a shared lock until its commit, so that the task
does not look away too early.
"""

from dataclasses import dataclass
from datetime import datetime

from pushcenter.messaging import queue


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
        if not queue.somebody_will_look(self.key, moment, number=self.number):
            queue.later(self.function, at=moment, key=self.key)

    def settle(self) -> None:
        """Wait until all who rely on the task that is now running have committed what they planned."""
        queue.settle_locks([self.number])


DOUBT = Appointment(name="doubt", function="pushcenter.messaging.doubt.run", number=101)
STEPS = Appointment(name="steps", function="pushcenter.messaging.steps.run", number=100)
