"""What a killed process leaves is found by the next, and put in order."""

import contextlib
import os
import subprocess
from pathlib import Path

import psutil
import psycopg

from pushcenter.embedded import home
from tests.embedded.users import User, eventually, guard, is_alive, is_quiet, postmaster, query, running


def test_a_server_killed_by_9_is_restarted(data: Path) -> None:
    with User(data) as user:
        user.answer()
        query(data, "CREATE TABLE committed AS SELECT 42 AS answer")
        first = postmaster(data)
        first.kill()
        assert eventually(lambda: not is_alive(first) and _answers(data))
        assert query(data, "SELECT answer FROM committed") == (42,)


def test_a_guard_killed_by_9_takes_the_server_along(data: Path) -> None:
    with User(data) as user:
        user.answer()
        guard(data).kill()
        assert eventually(lambda: not running(data))


def test_a_user_whose_guard_was_killed_starts_another(data: Path) -> None:
    with User(data) as user:
        user.answer()
        killed = guard(data)
        killed.kill()
        killed.wait()
        assert user.do("ensure") == "done"
        assert query(data, "SELECT 1") == (1,)


def test_sigterm_ends_guard_and_server_though_there_are_users(data: Path) -> None:
    with User(data) as user:
        user.answer()
        guard(data).terminate()
        assert eventually(lambda: not running(data))
        assert user.do("ensure") == "done"


def test_everything_killed_at_once_starts_again(data: Path) -> None:
    with User(data) as user:
        user.answer()
        for process in (guard(data), postmaster(data)):
            process.kill()
        user.process.kill()
    with User(data) as user:
        assert user.answer() == "done"


def test_a_process_id_that_another_program_has_now_does_not_stop_a_start(data: Path) -> None:
    pid_file = home.place(data) / "data/postmaster.pid"
    with User(data) as user:
        user.answer()
        lines = pid_file.read_text().splitlines()
    assert eventually(lambda: is_quiet(data))
    with subprocess.Popen(["sleep", "600"], user=home.place(data).stat().st_uid) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        os.chown(pid_file, home.place(data).stat().st_uid, -1)
        pid_file.chmod(0o600)
        with User(data) as user:
            assert user.answer() == "done"
        assert stranger.poll() is None
        stranger.kill()


def test_a_killed_initdb_leaves_nothing_half_made(empty: Path) -> None:
    with User(empty) as user:
        _await_draft(empty)
        assert not (home.place(empty) / "data").exists()
        for process in [guard(empty), *running(empty)]:
            _kill(process)
        assert user.answer() == "done"  # it was started anew
        assert query(empty, "SELECT current_database()") == ("pushcenter",)
    assert _drafts(empty) == []


def test_ctrl_c_during_the_first_start_leaves_nothing(empty: Path) -> None:
    with User(empty, stderr=subprocess.DEVNULL) as user:
        _await_draft(empty)
        user.press_ctrl_c()
    assert eventually(lambda: is_quiet(empty))
    assert _drafts(empty) == []
    assert not (home.place(empty) / "data").exists()


def test_a_server_that_cannot_start_says_why_in_one_sentence(data: Path) -> None:
    version = home.place(data) / "data/PG_VERSION"
    right = version.read_text()
    version.write_text("9.6\n")
    try:
        with User(data) as user:
            answer = user.answer()
    finally:
        version.write_text(right)
    assert answer.startswith("failed: PostgreSQL did not stay up: ")
    assert "database files are incompatible with server" in answer
    assert answer.endswith(f"(see {home.place(data)}/log)")


def _answers(data: Path) -> bool:
    try:
        return query(data, "SELECT 1") == (1,)
    except psycopg.OperationalError:
        return False


def _drafts(data: Path) -> list[Path]:
    return list(home.place(data).glob("init-*"))


def _await_draft(data: Path) -> None:
    assert eventually(lambda: any((draft / "PG_VERSION").exists() for draft in _drafts(data)))


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
