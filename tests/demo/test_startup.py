import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pushcenter.management.commands.up import ports as ports_of_a_start
from pushcenter.startup import CannotStart, only_one, require_ports, require_room
from tests.flow.world import free_port

ROOT = Path(__file__).parents[2]


def up(data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "up", "--once"],
        env={**os.environ, "PUSHCENTER_DATA": str(data), **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ports() -> dict[str, str]:
    return {name: str(free_port()) for name in ("PORT", "DEMO_SMTP_PORT", "DEMO_HTTP_PORT")}


def test_a_taken_port_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = up(tmp_path, **{**ports(), "DEMO_SMTP_PORT": str(port)})
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} on 127.0.0.1 is taken; set DEMO_SMTP_PORT to another one.\n"
    assert ended.stdout == ""


@pytest.mark.parametrize("setting", ["PORT", "DEMO_SMTP_PORT", "DEMO_HTTP_PORT"])
def test_each_port_of_a_start_has_to_be_free(setting: str) -> None:
    wanted = {name: free_port() for name in ports_of_a_start(demo=True)}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1 is taken; set {setting} to another"):
            require_ports(wanted | {setting: port})
    assert setting in wanted


def test_the_receivers_alone_say_it_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "manage.py", "demo_targets"],
            env={**os.environ, **ports(), "PUSHCENTER_DATA": str(tmp_path), "DEMO_HTTP_PORT": port},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 1
    assert ended.stderr == f"Port {port} on 127.0.0.1 is taken; set DEMO_HTTP_PORT to another one.\n"


def test_a_second_start_on_the_same_data_says_who_holds_them(tmp_path: Path) -> None:
    with only_one(tmp_path):
        ended = up(tmp_path, **ports())
    assert ended.returncode == 1
    assert ended.stderr == f"Push Center already runs with {tmp_path} (process {os.getpid()}).\n"


def test_the_data_folder_is_free_again_after_its_holder() -> None:
    with pytest.raises(CannotStart, match="cannot be opened"), only_one(Path("/nowhere/at/all")):
        pass


@pytest.mark.parametrize("port", [0, -1, 70_000])
def test_a_port_that_is_none_is_named(port: int) -> None:
    with pytest.raises(CannotStart, match=f"PORT is {port}, but ports go from 1 to 65535"):
        require_ports({"PORT": port})


def test_one_port_for_two_servers_is_refused() -> None:
    port = free_port()
    with pytest.raises(CannotStart, match=f"PORT and DEMO_HTTP_PORT are both {port}"):
        require_ports({"PORT": port, "DEMO_HTTP_PORT": port})


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match=r"cannot be written \(Not a directory\)"):
        require_room(tmp_path / "file" / "var")


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=12 * 1024 * 1024))
    with pytest.raises(CannotStart, match="has 12 MB left and needs 300"):
        require_room(tmp_path)
