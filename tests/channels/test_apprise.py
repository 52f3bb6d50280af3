"""Apprise against a server of this machine: what it is asked, what becomes of an answer, and where it may not go."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from channels_app import registry
from channels_app.adapters.apprise import words
from channels_app.contract import (
    Address,
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from tests.channels.provider import Answer, Request, adapter, outgoing, play

CONTENT = {"format": "text", "title": "Order 42", "text": "Paid 订单"}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(address: str = "group:ops", content: Mapping[str, Any] | None = None) -> Outgoing:
    return outgoing("slack", address, content or CONTENT)


def send(
    answer: Answer, *, path: str = "", group: str = "ops", to_send: Outgoing | None = None
) -> tuple[Sent | ChannelError, list[Request]]:
    async def work(base_url: str) -> Sent | ChannelError:
        one = adapter("apprise", {"url": f"{base_url}/hook{path}", "group": group})
        try:
            [result] = await one.send_many([to_send or message()])
        finally:
            await one.close()
        return result

    return play({"/hook": answer}, work)


def test_a_message_is_handed_over_by_the_library() -> None:
    sent, [request] = send(Answer())
    assert sent == Sent()
    assert request.json["title"] == "Order 42"
    assert request.json["message"] == "Paid 订单"


class Log(logging.Handler):
    """All that reaches the root of the loggers, as the project's own handler would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_a_url_is_secret_and_does_not_get_into_the_log() -> None:
    log, root = Log(), logging.getLogger()
    root.addHandler(log)
    try:
        send(Answer(status=401), path="/very-secret")
        registry.adapter("apprise").Config({"url": "http:///very-secret", "group": "ops"}).is_valid()
    finally:
        root.removeHandler(log)
    assert "very-secret" not in "\n".join(log.lines)


def test_an_address_takes_its_place_in_the_url() -> None:
    sent, [request] = send(Answer(), path="/{to}", group="", to_send=message("a/b c"))
    assert sent == Sent()
    assert request.path == "/hook/a/b c"


@pytest.mark.parametrize(
    ("path", "group", "address", "taken"),
    [
        ("", "ops", "group:ops", True),
        ("", "ops", "group:other", False),
        ("", "ops", "ann", False),
        ("/{to}", "", "ann", True),
        ("/{to}", "", "group:ops", False),
    ],
)
def test_nothing_personal_lands_in_a_group(path: str, group: str, address: str, taken: bool) -> None:
    one = adapter("apprise", {"url": f"json://example.com{path}", "group": group})
    assert one.takes(Address(kind="slack", value=address)) is taken
    asyncio.run(one.close())


@pytest.mark.parametrize(
    ("status", "path", "kind"),
    [
        (400, "", Refused),
        (401, "", Misconfigured),
        (403, "", Misconfigured),
        (404, "", Misconfigured),
        (404, "/{to}", Unreachable),
        (410, "", Misconfigured),
        (302, "", Misconfigured),
        (429, "", Throttled),
        (500, "", Temporary),
        (503, "", Temporary),
    ],
)
def test_the_status_in_the_log_tells_the_reason(status: int, path: str, kind: type[ChannelError]) -> None:
    answer = Answer(status=status, headers={"location": "/hook"} if status == 302 else {})
    to_send, group = (message("ann"), "") if path else (message(), "ops")
    error, requests = send(answer, path=path, group=group, to_send=to_send)
    assert type(error) is kind
    assert len(requests) == 1


def test_a_connection_that_breaks_leaves_doubt() -> None:
    async def work(_base_url: str) -> Sent | ChannelError:
        one = adapter("apprise", {"url": "json://127.0.0.1:9/x", "group": "ops"})
        [result] = await one.send_many([message()])
        await one.close()
        return result

    error, _requests = play({}, work)
    assert isinstance(error, Temporary)
    assert error.maybe_sent


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1:9/x",
        "jsons://127.0.0.1:9/x",
        "jsons://localhost:9/x",
        "json://203.0.113.5/x",
        "ntfys://10.0.0.1/topic",
        "xmls://169.254.169.254/latest",
    ],
)
def test_a_service_inside_the_network_is_not_called(url: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    one = adapter("apprise", {"url": url, "group": "ops"})

    async def work() -> Sent | ChannelError:
        [result] = await one.send_many([message()])
        await one.close()
        return result

    error = asyncio.run(work())
    assert isinstance(error, Refused)
    assert error.code == "destination_denied"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text": "x", "title": "t"}, ("x", "t", "text")),
        ({"text": "x", "format": "markdown"}, ("x", "", "markdown")),
        ({"body": "x", "title": "t"}, ("x", "t", "text")),
        ({"html": "<p>x</p>", "subject": "s"}, ("<p>x</p>", "s", "html")),
        ({"html": "<p>x</p>", "text": "x", "subject": "s"}, ("x", "s", "text")),
    ],
)
def test_content_of_every_channel_has_a_text(content: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert words(content) == expected


def test_content_without_a_text_is_refused() -> None:
    error, requests = send(Answer(), to_send=message(content={"template_id": "T"}))
    assert isinstance(error, Refused)
    assert requests == []


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("url", {"url": "", "group": "ops"}),
        ("url", {"url": "nonsense", "group": "ops"}),
        ("url", {"url": "mailto://shop:pw@example.com?smtp=127.0.0.1", "group": "ops"}),
        ("url", {"url": "syslog://", "group": "ops"}),
        ("group", {"url": "json://example.com/x"}),
        ("group", {"url": "json://example.com/{to}", "group": "ops"}),
    ],
)
def test_a_wrong_setting_is_named(field: str, config: dict[str, str]) -> None:
    assert list(registry.adapter("apprise").Config(config).errors) == [field]


WITHOUT_APPRISE = """
import sys
sys.modules["apprise"] = None  # as if it were not installed
from importlib import util
found = util.find_spec
util.find_spec = lambda name, package=None: None if name == "apprise" else found(name, package)
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from channels_app import registry
form = registry.adapter("apprise").Config({"url": "json://example.com/x", "group": "ops"})
print(form.errors["url"][0])
"""


def test_without_the_library_the_registry_works_and_the_form_says_what_is_missing() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_APPRISE],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "not installed" in run.stdout
