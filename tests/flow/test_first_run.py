"""A first and a second run of everything, as a newcomer sees them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.flow.world import free_port

ROOT = Path(__file__).parents[2]
CHANNELS = ("inbox", "email", "webhook")


def environment(data: Path) -> dict[str, str]:
    ports = {name: str(free_port()) for name in ("PORT", "DEMO_SMTP_PORT", "DEMO_HTTP_PORT")}
    return {**os.environ, **ports, "PUSHCENTER_DATA": str(data), "WEB_WORKERS": "1", "WORKERS": "1"}


def up_once(data: Path) -> str:
    ended = subprocess.run(
        [sys.executable, "manage.py", "up", "--once"],
        env=environment(data),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def processes_of(data: Path) -> list[int]:
    """Those that were started for this data folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PUSHCENTER_DATA") == str(data) and process.pid != os.getpid():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_the_first_run_delivers_on_three_channels_and_the_second_keeps_the_data(tmp_path: Path) -> None:
    first = up_once(tmp_path)
    for channel in CHANNELS:
        assert f"{channel}" in first
    assert first.count("Provider took it") == len(CHANNELS)
    assert "is in the mail sink: http://127.0.0.1:" in first
    assert "/mail/1" in first
    assert "was received and its signature verified" in first
    assert "inbox    is delivered" in first
    assert processes_of(tmp_path) == []

    key = (tmp_path / "demo" / "key").read_text()
    started = time.monotonic()
    second = up_once(tmp_path)
    assert "/mail/2" in second
    assert "/webhook/2" in second
    assert (tmp_path / "demo" / "key").read_text() == key
    assert time.monotonic() - started < 60
