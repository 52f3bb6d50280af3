"""The lines of the README, and those of docs/api.md, do what they say: real bash, real curl, a real server."""

import io
import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Message
from tests.docs.pages import DOCS, README, block, blocks

API = DOCS / "api.md"
#: Every call says its status on standard error, beside whatever it prints.
CURLRC = 'write-out = "%{stderr}%{http_code}\\n"\n'

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are for people who have curl"),
]


class Shell:
    """A terminal: what one block exports, the next one sees."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        (folder / ".curlrc").write_text(CURLRC)
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        (folder / "exported").write_text("".join(lines))

    def run(self, script: str) -> tuple[str, list[int]]:
        """What the block prints, and the statuses of its calls."""
        run = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f". ./exported\n{script}\nexport -p > exported"],
            cwd=self.folder,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self.folder),
                "CURL_HOME": str(self.folder),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr + run.stdout
        return run.stdout, [int(line) for line in run.stderr.split()]


def key_of(script: str, *more: str) -> str:
    """The key that the README's own command makes."""
    line = next(line for line in script.splitlines() if "create_key" in line)
    _, _, arguments = line.rstrip(")").partition("manage.py create_key ")
    out = io.StringIO()
    call_command("create_key", *shlex.split(arguments), *more, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def terminal(live_server: LiveServer, tmp_path: Path) -> Callable[..., Shell]:
    call_command("seed_demo", stdout=io.StringIO())
    return lambda *more: Shell(tmp_path, URL=live_server.url, KEY=key_of(block(README, "key"), *more))


def deliver(message: Message) -> None:
    """What a worker does when it is woken."""
    dispatch.run(message.lane)


def test_the_first_message_is_sent_read_and_followed(terminal: Callable[..., Shell]) -> None:
    shell = terminal()
    send, read, follow = (each.text for each in blocks(README, "curl"))

    out, statuses = shell.run(send)
    message = Message.objects.get()
    assert (out.strip(), statuses) == (str(message.pk), [202])
    deliver(message)

    told = _json(shell.run(read))
    assert told["id"] == str(message.pk)
    assert {"inbox": "delivered"}.items() <= {
        each["channel"]: each["state"] for each in told["deliveries"]
    }.items()

    kinds = [entry["kind"] for entry in _json(shell.run(follow))["entries"]]
    assert kinds[:2] == ["gate", "accepted"]
    assert {"routing", "attempt"} <= set(kinds)


def test_the_call_of_the_api_page_is_accepted(terminal: Callable[..., Shell]) -> None:
    out, statuses = terminal().run(block(API, "curl"))
    assert statuses == [202]
    assert json.loads(out)["status"] == "pending"


def test_the_batch_of_the_api_page_is_accepted_once(terminal: Callable[..., Shell]) -> None:
    shell = terminal()
    first, second = (shell.run(block(API, "curl-batch")) for _ in range(2))
    assert (json.loads(first[0])["accepted"], first[1]) == (2, [202])
    assert second == first
    assert Message.objects.count() == 2


def test_a_test_key_gets_the_outcome_that_the_address_names(terminal: Callable[..., Shell]) -> None:
    out, statuses = terminal("--test").run(block(API, "curl-test-key"))
    assert statuses == [202]
    message = Message.objects.get(pk=json.loads(out)["id"])
    deliver(message)
    assert [each.state for each in message.deliveries.all()] == ["undelivered"]


def _json(result: tuple[str, list[int]]) -> Any:
    out, statuses = result
    assert statuses == [200]
    return json.loads(out)
