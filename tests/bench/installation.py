"""A Push Center of its own for measuring: bundled PostgreSQL with fsync on, gunicorn, and workers when asked for."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.flow.world import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def prepare() -> Path:
    """Settle the environment before Django reads it; returns the data folder."""
    data = Path(tempfile.mkdtemp(prefix="pushcenter-bench-"))
    data.chmod(0o711)
    for name in ("DATABASE_URL", "SECRET_KEY", "FIELD_KEYS"):
        os.environ.pop(name, None)
    os.environ |= {
        "PUSHCENTER_DATA": str(data),
        "PORT": str(free_port()),
        "DJANGO_SETTINGS_MODULE": "pushcenter.settings",
        "PYTHONPATH": str(ROOT),
    }
    return data


def remove(data: Path) -> None:
    from django.db import connections

    from pushcenter.embedded import server

    connections.close_all()
    server.leave(data)
    shutil.rmtree(data, ignore_errors=True)


def seed() -> str:
    """What the measurements send; returns the secret of a key."""
    from tests import factories

    factories.template("order-paid", ["email"])
    factories.account("email", "simulated")
    factories.recipient("u-1001")
    return factories.key()[1]


@contextmanager
def web() -> Iterator[psutil.Process]:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:pushcenter.gunicorn_conf",
        "pushcenter.wsgi",
    ]
    with _running(command) as process:
        _wait_for(f"http://127.0.0.1:{os.environ['PORT']}/readyz")
        yield process


@contextmanager
def workers() -> Iterator[psutil.Process]:
    with _running([sys.executable, "manage.py", "qcluster"]) as process:
        yield process


@contextmanager
def _running(command: list[str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for(url: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)
