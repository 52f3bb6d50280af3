"""A setting that cannot be meant ends every start with one sentence that names it, and with code 1."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from pushcenter.environment import Environment
from pushcenter.trial import trial_secrets
from tests.demo.test_startup import ROOT, ports, up
from tests.flow.world import free_port

PRODUCTION = {
    "SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz",
    "FIELD_KEYS": "b25seS1mb3ItdGhlLWNoZWNrcy1uZXZlci1hLXJlYWw=",
    "HTTPS": "off",
}


def worker(data: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "qcluster"],
        env={**os.environ, **PRODUCTION, "PUSHCENTER_DATA": str(data), "DATABASE_URL": url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("PORT", "abc", "write a whole number, or remove it to use the default"),
        ("DEBUG", "maybe", "write on or off"),
        ("TIME_ZONE", "Mars/Olympus", "write a time zone such as UTC or Asia/Shanghai"),
        ("LOG_LEVEL", "loud", "choose one of DEBUG, INFO, WARNING, ERROR"),
        ("LANES", "fast", "choose among critical, high, normal, low"),
        (
            "LANE_WINDOWS",
            "low=0",
            "write name=number with one of the names critical, high, normal, low",
        ),
    ],
)
def test_a_value_that_cannot_be_meant_is_named(tmp_path: Path, setting: str, value: str, hint: str) -> None:
    ended = up(tmp_path, **{**ports(), setting: value})
    assert ended.returncode == 1
    assert ended.stderr == f"pushcenter: {setting} is '{value}': {hint}\n"


def test_mistakes_are_told_together_before_anything_starts(tmp_path: Path) -> None:
    mistakes = {
        "FIELD_KEYS": "garbage",
        "LEASE_SECONDS": "1",
        "OUTBOUND_ALLOWED_NETWORKS": "foo",
        "WORKERS": "0",
    }
    ended = up(tmp_path, **ports(), **mistakes)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    told = ended.stderr.split("\n?: ")
    for setting in mistakes:
        assert any(setting in each and "HINT: " in each for each in told), setting


@pytest.mark.parametrize(
    "url", ["mysql://a@b/c", "nothing", "postgres://u:secret@h:port/x", "postgres://[h/x"]
)
def test_a_url_of_no_postgresql_server_is_refused_without_its_password(tmp_path: Path, url: str) -> None:
    ended = worker(tmp_path, url)
    assert ended.returncode == 1
    assert ended.stderr == (
        "pushcenter: DATABASE_URL must name a PostgreSQL server: postgres://user:password@host:port/name\n"
    )


def test_a_worker_without_its_database_says_so_in_one_line(tmp_path: Path) -> None:
    ended = worker(tmp_path, f"postgres://pushcenter@127.0.0.1:{free_port()}/pushcenter")
    assert ended.returncode == 1
    assert ended.stderr.startswith("pushcenter: the database cannot be used: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.django_db
def test_a_worker_without_tables_names_the_command_that_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    with pytest.raises(CommandError, match=r"manage.py migrate"):
        call_command("qcluster")


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SETTING", "")
    env = Environment()
    assert env.number("SOME_SETTING", default=7) == 7
    assert env.switch("SOME_SETTING", default=True) is True
    assert env.zone("SOME_SETTING", default="UTC") == "UTC"


@pytest.mark.parametrize(
    ("text", "meant"), [("on", True), ("True", True), ("1", True), ("OFF", False), ("0", False)]
)
def test_switches_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch, text: str, *, meant: bool) -> None:
    monkeypatch.setenv("SOME_SETTING", text)
    assert Environment().switch("SOME_SETTING", default=not meant) is meant


@pytest.mark.parametrize("text", ["../etc", "/etc/passwd", "Europe"])
def test_a_path_is_no_time_zone(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME_SETTING", text)
    with pytest.raises(ImproperlyConfigured, match="SOME_SETTING is"):
        Environment().zone("SOME_SETTING", default="UTC")


def test_a_disk_without_room_for_the_keys_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(json, "dump", full)
    for _attempt in range(2):  # settings are read twice before a command gives up
        with pytest.raises(ImproperlyConfigured, match=r"No space left on device.*set PUSHCENTER_DATA"):
            trial_secrets(tmp_path)
    assert list(tmp_path.iterdir()) == []
