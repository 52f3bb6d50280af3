"""Root and plain users: the server runs as another account, and nothing of the system changes for it."""

import os
import pwd
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pushcenter.embedded import accounts, binaries, home, locks, shared
from tests.embedded.users import SOURCE, User, eventually, is_quiet, postmaster, query

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def hidden(empty: Path) -> Iterator[Path]:
    """A data folder that only root reaches; what it needs elsewhere goes with it."""
    before = set(shared.ROOT.iterdir()) if shared.ROOT.is_dir() else None
    data = empty / "checkout/var"
    data.mkdir(parents=True)
    empty.chmod(0o700)
    yield data
    assert eventually(lambda: is_quiet(data))
    if before is None:
        shutil.rmtree(shared.ROOT, ignore_errors=True)
    else:
        for made in set(shared.ROOT.iterdir()) - before:
            shutil.rmtree(made)


def test_the_server_never_runs_as_root(data: Path) -> None:
    with User(data) as user:
        user.answer()
        assert postmaster(data).uids().real == home.place(data).stat().st_uid != 0


@as_root
def test_root_starts_within_reach_without_a_change_to_folders_or_users(empty: Path) -> None:
    before = _system(empty.parent)
    with User(empty) as user:
        assert user.answer() == "done"
        assert _system(empty.parent) == before
    assert not home.place(empty).is_symlink()
    assert _mode(home.place(empty)) == 0o700
    assert home.place(empty).stat().st_uid == pwd.getpwnam("nobody").pw_uid


@as_root
def test_root_starts_out_of_reach_without_a_change_to_folders_or_users(hidden: Path) -> None:
    site = _hidden_programs(hidden.parent / "site")
    before = _system(hidden, site)
    with User(hidden, env={"PYTHONPATH": str(site)}) as user:
        assert user.answer() == "done"
        assert _system(hidden, site) == before
        assert postmaster(hidden).exe().startswith(f"{shared.ROOT}/postgresql-")
        assert query(hidden, "SELECT count(*) FROM pg_timezone_names WHERE name = 'Asia/Shanghai'") == (1,)
    place = home.place(hidden).readlink()
    assert place.parent == shared.ROOT
    assert (_mode(shared.ROOT), _mode(place)) == (0o711, 0o700)


@as_root
def test_a_removed_data_folder_never_comes_back(hidden: Path) -> None:
    old = _make_home(hidden)
    shutil.rmtree(hidden)
    hidden.mkdir()
    assert _make_home(hidden) != old
    assert not old.exists()


@as_root
def test_the_home_of_a_removed_data_folder_stays_while_it_is_served(hidden: Path) -> None:
    old = _make_home(hidden)
    shutil.rmtree(hidden)
    hidden.mkdir()
    with locks.exclusive(old / "guard.lock"):
        new = _make_home(hidden)
    assert old.exists()
    assert home.place(hidden).readlink() == new


@as_root
def test_a_moved_checkout_keeps_its_home(hidden: Path) -> None:
    kept = _make_home(hidden)
    moved = hidden.parent.rename(hidden.parents[1] / "moved") / "var"
    other = hidden.parents[1] / "other/var"
    other.mkdir(parents=True)
    _make_home(other)
    assert home.prepare(moved).folder == kept
    assert (kept / "owner").read_text() == str(home.place(moved))


@as_root
def test_a_plain_user_can_start_and_root_can_join(empty: Path) -> None:
    account = pwd.getpwnam("daemon")
    empty.mkdir()
    os.chown(empty, account.pw_uid, account.pw_gid)
    with _plain_user(empty, account) as user:
        assert user.answer() == "done"
        assert postmaster(empty).uids().real == account.pw_uid
        assert query(empty, "SELECT 1") == (1,)
    assert eventually(lambda: is_quiet(empty))
    with User(empty) as user:
        assert user.answer() == "done"
        assert postmaster(empty).uids().real == account.pw_uid
    with _plain_user(empty, account) as user:
        assert user.answer() == "done"


@as_root
def test_a_plain_user_is_told_that_the_database_belongs_to_another(empty: Path) -> None:
    account, other = pwd.getpwnam("daemon"), accounts.unprivileged()
    home.place(empty).mkdir(parents=True)
    os.chown(empty, account.pw_uid, account.pw_gid)
    os.chown(home.place(empty), other.uid, other.gid)
    with _plain_user(empty, account) as user:
        assert user.answer().startswith(f"failed: The database in {home.place(empty)} belongs to nobody, ")


def _make_home(data: Path) -> Path:
    shared.create_home(home.place(data), accounts.unprivileged())
    return home.place(data).readlink()


def _hidden_programs(site: Path) -> Path:
    for part in (binaries.PACKAGE, f"{binaries.PACKAGE}.libs"):
        shutil.copytree(binaries.installed() / part, site / part, ignore=shutil.ignore_patterns("pginstall"))
    return site


def _plain_user(data: Path, account: pwd.struct_passwd) -> User:
    """A user with an interpreter that `account` can reach, and this one's packages."""
    reached = accounts.Account(uid=account.pw_uid, gid=account.pw_gid)
    packages = Path(psycopg.__file__).parents[1]
    python = _python_for(reached)
    if python is None or not reached.reaches(SOURCE) or not reached.reaches(packages):
        pytest.skip("no interpreter, or no packages, within reach of a plain user")
    return User(
        data,
        python=python,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        env={"PYTHONPATH": str(packages)},
    )


def _python_for(account: accounts.Account) -> str | None:
    version = f"python3.{sys.version_info.minor}"
    found = [sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")]
    return next((one for one in found if one and account.reaches(Path(os.path.realpath(one)).parent)), None)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _system(data: Path, site: Path | None = None) -> object:
    """Owner and mode of every folder above data and programs, and the accounts of the machine."""
    programs = binaries.programs(site or binaries.installed())
    folders = {data, *data.parents, programs, *programs.parents}
    status = {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in folders}
    return status, Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()
