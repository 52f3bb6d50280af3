"""The API under its real server: what only shows where bytes come over a line."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from pushcenter.access.problems import CONTENT_TYPE
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, order, stored

PATIENCE_S = 30


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """Gunicorn with the settings of the project, on the database of this test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "-c", "python:pushcenter.gunicorn_conf", "pushcenter.wsgi"]
    options = ["--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with subprocess.Popen([*command, *options], cwd=settings.BASE_DIR, env=environment()) as process:
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


def call(port: int, body: Any, headers: dict[str, str], *, chunked: bool = False) -> tuple[int, str, bytes]:
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    line.request("POST", MESSAGES, body, headers, encode_chunked=chunked)
    with line.getresponse() as response:
        answer = response.status, response.headers["Content-Type"], response.read()
    line.close()
    return answer


def test_calls_over_a_real_line_are_taken_or_refused(port: int) -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    headers = {"Authorization": f"Bearer {factories.key()[1]}", "Content-Type": "application/json"}
    body = json.dumps(order()).encode()
    big = b"{}" + b" " * settings.MAX_BODY_BYTES

    refused = {
        "chunked": (call(port, iter([body]), {**headers, "Transfer-Encoding": "chunked"}, chunked=True), 411),
        "too large": (call(port, big, headers), 413),
        "not JSON": (call(port, b"\xff\xfe", headers), 400),
        "no key": (call(port, body, {"Content-Type": "application/json"}), 401),
    }
    for name, ((status, kind, content), expected) in refused.items():
        assert (status, kind) == (expected, CONTENT_TYPE), name
        assert json.loads(content)["status"] == expected, name

    # A head of this size never reaches the application: the server itself ends the call.
    status, _kind, _content = call(port, body, {**headers, "X-Long": "a" * 100_000})
    assert status in {400, 431}
    assert stored() == NOTHING

    assert call(port, body, headers)[0] == 202
    assert stored()["messages"] == 1
