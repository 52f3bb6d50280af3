"""A Push Center of its own for measuring: bundled PostgreSQL with fsync on, web servers and workers when asked for."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.flow.world import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE = 1000
WEB_WORKERS = 2
WORKERS = 2

GUNICORN = ("gunicorn", "--config", "python:pushcenter.gunicorn_conf")
GRANIAN = (
    "granian",
    "--interface",
    "wsgi",
    "--workers",
    str(WEB_WORKERS),
    "--no-ws",
    "--blocking-threads",
    "16",
    "--log-level",
    "warning",
)
YARDSTICK = {"DJANGO_SETTINGS_MODULE": "tests.bench.yardstick.settings"}


def prepare() -> Path:
    """Settle the environment before Django reads it; returns the data folder."""
    data = Path(tempfile.mkdtemp(prefix="pushcenter-bench-"))
    data.chmod(0o711)
    for name in ("DATABASE_URL", "SECRET_KEY", "FIELD_KEYS"):
        os.environ.pop(name, None)
    os.environ |= {
        "PUSHCENTER_DATA": str(data),
        "PORT": str(free_port()),
        "BENCH_PROVIDER_PORT": str(free_port()),
        "WEB_WORKERS": str(WEB_WORKERS),
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
    """What the measurements send; returns the secret of a key that may send as fast as it can."""
    from django.db import connection

    from channels_app.adapters.http import HttpAdapter
    from pushcenter.access.models import System
    from pushcenter.recipients.models import Address, Recipient
    from tests import factories
    from tests.bench import stock
    from tests.bench.bodies import HOOK, PAID

    factories.template(PAID, ["email"])
    factories.account("email", "simulated")
    factories.template(HOOK, ["webhook"])
    secret_of_hooks = HttpAdapter.specimen.config["secret"]
    factories.account("webhook", "http", config={"secret": secret_of_hooks})
    stock.people(PEOPLE)
    Address.objects.bulk_create(
        Address(recipient=each, kind="url", value=f"{provider_url()}/hook")
        for each in Recipient.objects.all()
    )
    secret = factories.key()[1]
    System.objects.update(rate=1_000_000, burst=1_000_000)
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE yardstick")
    environment = {**os.environ, "BENCH_SECRET": secret, "BENCH_PEOPLE": str(PEOPLE)}
    subprocess.run(
        [sys.executable, "-m", "tests.bench.yardstick.seed"], cwd=ROOT, env=environment, check=True
    )
    return secret


@contextmanager
def gunicorn(application: str = "pushcenter.wsgi", **environment: str) -> Iterator[psutil.Process]:
    """The documented server, with two workers."""
    with _web([*GUNICORN, application], environment) as process:
        yield process


@contextmanager
def granian() -> Iterator[psutil.Process]:
    """The fastest server offered, with two workers."""
    command = [*GRANIAN, "--host", "127.0.0.1", "--port", os.environ["PORT"], "pushcenter.wsgi:application"]
    with _web(command, {}) as process:
        yield process


@contextmanager
def _web(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    with _running([sys.executable, "-m", *command], environment) as process:
        _wait_for(url("/readyz"))
        yield process


@contextmanager
def workers(number: int = WORKERS, **environment: str) -> Iterator[psutil.Process]:
    """A cluster with so many worker processes."""
    # One process of a cluster is kept free for housekeeping.
    given = {"WORKERS": str(number + 1), **environment}
    with _running([sys.executable, "manage.py", "qcluster"], given) as process:
        yield process


@contextmanager
def provider(latency_ms: int = 0) -> Iterator[psutil.Process]:
    """The provider of the webhooks, which takes so long for each."""
    port = os.environ["BENCH_PROVIDER_PORT"]
    command = [sys.executable, "-m", "tests.bench.provider", port, str(latency_ms)]
    with _running(command, {}) as process:
        _wait_for(f"{provider_url()}/received")
        yield process


def url(path: str) -> str:
    """Where a path of the web server is."""
    return f"http://127.0.0.1:{os.environ['PORT']}{path}"


def provider_url() -> str:
    return f"http://127.0.0.1:{os.environ['BENCH_PROVIDER_PORT']}"


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_for(url: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)
