"""``manage.py qcluster``: the worker; it looks for the database and its tables before its processes do."""

from multiprocessing import Event
from multiprocessing.process import BaseProcess
from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django_q import cluster
from django_q.management.commands import qcluster
from django_q.models import OrmQ
from django_q.queues import Queue

#: What the timer of a worker shows that waits for a task.
IDLE = -1


class Guard(cluster.Sentinel):
    """django-q2's guard, which also sees when a queue has died with a process.

    Whoever waits at a queue holds its lock, and ``kill -9`` leaves it locked for ever: whoever is started in place of
    that process would wait in vain, and nothing would be delivered any more.
    """

    def reincarnate(self, process: BaseProcess) -> None:
        if self._held_a_lock(process):
            self._begin_anew()
        elif process in (*self.pool, self.monitor, self.pusher):
            super().reincarnate(process)

    def _held_a_lock(self, process: Any) -> bool:
        was_killed = (process.exitcode or 0) < 0
        waited = process is self.monitor or (process in self.pool and process.timer.value == IDLE)
        return was_killed and waited

    def _begin_anew(self) -> None:
        """New queues need new processes. What the old ones had under way is settled as that of any lost worker."""
        cluster.logger.critical("a process was killed while it waited at a queue: all start anew")
        old = [*self.pool, self.monitor, self.pusher]
        for each in old:
            each.kill()
        for each in old:
            each.join()
        self.task_queue = Queue(maxsize=cluster.Conf.QUEUE_LIMIT)
        self.result_queue = Queue()
        self.event_out = Event()
        self.reincarnations += len(old)
        self.spawn_cluster()


class Command(qcluster.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        table = OrmQ._meta.db_table
        has_tables = table in connection.introspection.table_names()
        connection.close()  # nothing to share between the processes
        if not has_tables:
            raise CommandError("The database has no tables yet: run manage.py migrate first.")
        cluster.Sentinel = Guard
        super().handle(*args, **options)
