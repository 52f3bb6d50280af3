"""Which workers of this cluster are busy with what: known from locks, which PostgreSQL lets go when a worker dies.

A worker holds an advisory lock of its session while it works at a task, under the number of its cluster.
"""

import os
import socket
from collections import Counter
from contextlib import suppress
from functools import cache
from typing import Any
from zlib import crc32

from django.db import Error, connection

from pushcenter import prepared
from pushcenter.lanes import Lane

#: The task that serves the lanes; all others are housekeeping.
DISPATCH = "pushcenter.messaging.dispatch.run"
#: First half of the locks' keys, by what is worked at.
LANES, CHORES = 0x7058, 0x7059
BUSY = """
SELECT classid, count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND granted AND objid = $1::oid AND classid = ANY($2::oid[])
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
 GROUP BY classid
"""
TAKE = "SELECT pg_advisory_lock_shared($1::int, $2::int)"
LEAVE = "SELECT pg_advisory_unlock_shared($1::int, $2::int)"


def at_work() -> "Counter[int]":
    """How many workers of this cluster are at a lane, and how many at other things."""
    rows = prepared.rows(BUSY, str(_cluster(os.getppid())), prepared.array((LANES, CHORES)))
    return Counter({int(kind or 0): int(number or 0) for kind, number in rows})


def kind_of(key: str) -> int:
    """What a task with this key in the queue is."""
    return LANES if key in Lane.values else CHORES


def begin(task: dict[str, Any], **_others: Any) -> None:
    """A worker begins a task: receives django-q2's ``pre_execute``."""
    _say(TAKE, task)


def end(task: dict[str, Any], **_others: Any) -> None:
    """It is done: receives ``post_execute_in_worker``."""
    _say(LEAVE, task)


def _say(statement: str, task: dict[str, Any]) -> None:
    kind = LANES if task["func"] == DISPATCH else CHORES
    with suppress(Error):  # without a database the task itself will tell
        if not connection.in_atomic_block:
            prepared.rows(statement, str(kind), str(_cluster(os.getppid())))


@cache
def _cluster(guard: int) -> int:
    """The number of a cluster: its processes are children of one guard."""
    return crc32(f"{socket.gethostname()}:{guard}".encode()) & 0x7FFF_FFFF
