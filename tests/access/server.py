"""Gunicorn with the settings of the project, on the database of a test."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

PATIENCE_S = 30


@contextmanager
def serving(*options: str) -> Iterator[int]:
    """The port of a server with one process, unless options say otherwise; it ends as an operator would end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "-c", "python:pushcenter.gunicorn_conf", "pushcenter.wsgi"]
    place = ["--bind", f"127.0.0.1:{port}", "--workers", "1", *options]
    with subprocess.Popen([*command, *place], cwd=settings.BASE_DIR, env=environment()) as process:
        await_answer(process, port)
        yield port
        process.terminate()
        process.wait(PATIENCE_S)


def environment() -> dict[str, str]:
    found = connection.get_connection_params()
    name = connection.settings_dict["NAME"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "pushcenter.settings",
        "DATABASE_URL": f"postgres://{found['user']}@/{name}?host={quote(str(found['host']))}",
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
        "PYTHONPATH": str(Path(settings.BASE_DIR)),
    }


def await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
    pytest.fail("gunicorn does not start")
