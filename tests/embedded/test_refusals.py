"""A machine that cannot hold the database is told so in one clear sentence."""

from pathlib import Path

import pytest

from pushcenter.embedded import EmbeddedError, home, server
from tests.embedded.users import User


def test_too_little_room_is_said_before_a_start(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "NEEDED_MB", 10**9)
    with pytest.raises(EmbeddedError, match=r"var has only \d+ MB free; the bundled PostgreSQL needs 10+ MB"):
        server.ensure_running(empty)
    assert not home.place(empty).exists()


def test_a_data_folder_that_cannot_be_made_is_named(empty: Path) -> None:
    empty.write_text("a file")
    with User(empty / "deeper") as user:
        assert user.answer() == (
            f"failed: The data folder {empty}/deeper cannot be used (Not a directory). "
            "Correct it, or set PUSHCENTER_DATA or DATABASE_URL."
        )


def test_something_else_in_the_place_of_the_database_is_kept(empty: Path) -> None:
    empty.mkdir()
    home.place(empty).write_text("mine")
    with User(empty) as user:
        assert "is in the way of the bundled PostgreSQL" in user.answer()
    assert home.place(empty).read_text() == "mine"


def test_a_path_too_long_for_a_socket_gets_a_short_one_that_no_one_else_may_have_made(empty: Path) -> None:
    data = empty / ("long" * 30)
    with User(data) as user:
        assert user.answer() == "done"
        sockets = (home.place(data) / "run").readlink()
        assert sockets.is_dir()
        assert user.do("leave") == "True"
        assert not sockets.exists()
        sockets.mkdir()
        try:
            assert user.do("ensure").endswith("belongs to someone else: remove it.")
        finally:
            sockets.rmdir()
