"""A real worker cluster beside the test: its own processes, the test's database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def environment() -> dict[str, str]:
    """What a process needs to work on the test's own database."""
    params = connection.get_connection_params()
    host = quote(params["host"], safe="")
    name = connection.settings_dict["NAME"]
    return os.environ | {
        "DATABASE_URL": f"postgres://{params['user']}@/{name}?host={host}&port={params['port']}",
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "HTTPS": "off",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WORKERS": "1",
    }


@contextmanager
def cluster() -> Iterator[psutil.Process]:
    """A running ``qcluster``; whatever is left of it at the end is killed."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"], cwd=ROOT, env=environment(), start_new_session=True
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        for each in family(process.pid):
            each.kill()
        process.wait()
        wait_until(_nobody_writes, "the end of what the killed ones had begun")


def _nobody_writes() -> bool:
    """The server goes on with the last statement of whoever was killed, and would write into the next test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND xact_start IS NOT NULL"
        )
        return bool(cursor.fetchone() == (0,))


def family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants."""
    try:
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []


def caller_of(port: int, parent: psutil.Process) -> psutil.Process:
    """The worker that has a connection to a port of this machine."""
    for each in family(parent.pid):
        if any(link.raddr and link.raddr.port == port for link in each.net_connections()):
            return each
    raise AssertionError(f"no worker is connected to port {port}")


def kill(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.05)
