"""One server for all processes of a data folder, from the first to the last of them."""

import os
import signal
import subprocess
from pathlib import Path

from tests.embedded.users import User, eventually, guard, is_alive, is_quiet, query, running


def test_a_first_start_by_several_processes_at_once_makes_one_database_and_one_server(empty: Path) -> None:
    with User(empty) as one, User(empty) as two, User(empty) as three:
        assert [user.answer() for user in (one, two, three)] == ["done"] * 3
        # What a server has just forked still has its name for a moment.
        assert eventually(lambda: len([each for each in running(empty) if "-D" in each.cmdline()]) == 1)
        assert query(empty, "SELECT current_database(), current_user, lower('É')") == (
            "pushcenter",
            "pushcenter",
            "é",
        )
        assert query(empty, "SHOW listen_addresses") == ("",)


def test_the_server_stops_with_the_last_of_its_users(data: Path) -> None:
    with User(data) as one:
        one.answer()
        server = guard(data).pid
        with User(data) as two:
            assert two.answer() == "done"
            one.__exit__(None, None, None)
            query(data, "SELECT 1")
            assert guard(data).pid == server
    assert eventually(lambda: is_quiet(data))


def test_data_survive_a_restart(data: Path) -> None:
    for statement in ("CREATE TABLE lasting AS SELECT 42 AS answer", "ALTER TABLE lasting ADD note text"):
        with User(data) as user:
            assert user.answer() == "done"
            query(data, statement)
        # No wait: the next user meets the server while it stops.
    with User(data) as user:
        assert user.answer() == "done"
        assert query(data, "SELECT answer FROM lasting") == (42,)


def test_a_fork_keeps_the_server_of_its_parent(data: Path) -> None:
    with User(data) as parent:
        parent.answer()
        assert parent.do("fork") == "done"
        parent.process.kill()
    assert query(data, "SELECT 1") == (1,)
    os.killpg(parent.process.pid, signal.SIGKILL)
    assert eventually(lambda: is_quiet(data))


def test_kill_9_of_a_user_releases_the_server(data: Path) -> None:
    with User(data) as user:
        user.answer()
        user.process.kill()
    assert eventually(lambda: is_quiet(data))


def test_ctrl_c_leaves_no_process_and_no_lock(data: Path) -> None:
    with User(data, stderr=subprocess.DEVNULL) as user:
        user.answer()
        served = running(data)
        user.press_ctrl_c()
        assert user.process.wait(10) != 0
    assert len(served) > 2
    assert eventually(lambda: is_quiet(data))
    assert eventually(lambda: not any(map(is_alive, served)))


def test_a_user_who_leaves_returns_when_nothing_runs_any_more(data: Path) -> None:
    with User(data) as user:
        user.answer()
        assert user.do("leave") == "True"
        assert is_quiet(data)
        assert user.do("ensure") == "done"


def test_two_data_folders_have_a_server_each(data: Path) -> None:
    other = data.with_name("other, 'checkout'\\")  # and a name that PostgreSQL cannot take as it is
    with User(data) as one, User(other) as two:
        assert (one.answer(), two.answer()) == ("done", "done")
        query(data, "CREATE TABLE here (id int)")
        assert query(data, "SELECT to_regclass('here')") == ("here",)
        assert query(other, "SELECT to_regclass('here')") == (None,)
    assert eventually(lambda: is_quiet(other))
