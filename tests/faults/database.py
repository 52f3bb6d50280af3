"""The database under fire: the bundled server with fsync on, in a folder of its own, kept up by its guard."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from pushcenter.embedded import home, server

OURS = "faults"
START_WITHIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    data: Path
    params: dict[str, Any]

    @property
    def url(self) -> str:
        """For the setting DATABASE_URL."""
        at = f"host={quote(self.params['host'], safe='')}&port={self.params['port']}"
        return f"postgres://{self.params['user']}@/{self.params['dbname']}?{at}"

    def rows(self, query: str, *values: Any) -> Sequence[Any]:
        """What a query gives; raises ``psycopg.OperationalError`` while the server is away."""
        with psycopg.connect(**self.params, application_name=OURS, autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def patient_rows(self, query: str, *values: Any) -> Sequence[Any]:
        """The same, waiting for a server that is away."""
        until = time.monotonic() + START_WITHIN_S
        while True:
            try:
                return self.rows(query, *values)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def shut_down_at_once(self) -> int:
        """Immediate shutdown, as when the machine loses power; the guard starts the server again."""
        found = home.find(self.data)
        assert found is not None
        pid = int((found.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT)
        return pid

    def terminate_some(self, dice: random.Random, most: int) -> list[int]:
        """End connections, as an administrator or a proxy does."""
        chosen = self._some_backends(dice, most)
        self.rows("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", chosen)
        return chosen

    def crash(self, dice: random.Random) -> list[int]:
        """Kill one server process, upon which PostgreSQL restarts all of itself."""
        chosen = self._some_backends(dice, 1)
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
        return chosen

    def _some_backends(self, dice: random.Random, most: int) -> list[int]:
        found = self.rows(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> %s",
            OURS,
        )
        pids = [pid for (pid,) in found]
        return dice.sample(pids, min(most, len(pids)))


@contextmanager
def database(data: Path) -> Iterator[Database]:
    """A server that writes down when each transaction was committed; it ends with the block."""
    server.ensure_running(data, fsync=True)
    try:
        found = Database(data=data, params=server.connection_params(data))
        _set_up(found)
        yield found
    finally:
        server.leave(data, timeout=60)


def _set_up(found: Database) -> None:
    """Let the server note the time of each commit, which takes a restart, and come back soon after a crash."""
    with psycopg.connect(**found.params, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        if sys.platform == "linux":
            # One call for all files, which else are opened and synchronised one by one.
            connection.execute("ALTER SYSTEM SET recovery_init_sync_method = syncfs")
    found.shut_down_at_once()
    while found.patient_rows("SHOW track_commit_timestamp") != [("on",)]:
        time.sleep(0.05)
