"""Where the bundled PostgreSQL lives: below the data folder, as `postgres`, unless root needs another place.

A home belongs to the account which the server runs as, mode 0700:

    data/         the cluster          run/  the socket, or a link to a short path for it
    log           of the last start    guard.lock
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pushcenter.embedded import PORT, EmbeddedError, accounts, shared
from pushcenter.embedded.accounts import Account

NEEDED_MB = 300
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_LIMIT = 103 if sys.platform == "darwin" else 107  # bytes of sun_path without the final zero
WAYS_OUT = "or set PUSHCENTER_DATA or DATABASE_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    folder: Path  # resolved
    account: Account

    @property
    def cluster(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def sockets(self) -> Path:
        return Path(os.path.realpath(self.folder / "run"))

    def own(self, path: Path) -> None:
        """Give what root has just made in this home to the server's account."""
        if accounts.is_root():
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)


def place(data: Path) -> Path:
    return data / "postgres"


def guard_lock(data: Path) -> Path:
    """Held by the guard; in the home, so that a new home is never taken for one that is served."""
    return place(data) / "guard.lock"


def users_lock(data: Path) -> Path:
    """Shared by all users; in the data folder, which whoever starts the server can write."""
    return data / "users.lock"


def start_lock(data: Path) -> Path:
    """Held while one user looks for the server and starts it."""
    return data / "start.lock"


def find(data: Path) -> Home | None:
    """Return the home of `data` if there is one that this process may use."""
    folder = Path(os.path.realpath(place(data)))
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise EmbeddedError(f"{folder} is in the way of the bundled PostgreSQL: remove it, {WAYS_OUT}.")
    status = folder.stat()
    account = Account(uid=status.st_uid, gid=status.st_gid)
    if accounts.is_root():
        return _find_as_root(Home(folder=folder, account=account))
    if account.uid != os.geteuid():
        raise EmbeddedError(
            f"The database in {place(data)} belongs to {account.name}, for it was first started by another "
            f"user or root: start as that user, {WAYS_OUT}."
        )
    return Home(folder=folder, account=account)


def _find_as_root(home: Home) -> Home | None:
    if home.account.uid == 0:
        if any(home.folder.iterdir()):
            raise EmbeddedError(f"{home.folder} was not made by the bundled PostgreSQL: move it, {WAYS_OUT}.")
        return None
    if not home.account.reaches(home.folder):
        raise EmbeddedError(
            f"The database in {home.folder} belongs to {home.account.name}, who has no permission to search "
            f"the folders above it any more: give it back, {WAYS_OUT}."
        )
    return home


def prepare(data: Path) -> Home:
    """Return the home of `data` with all that a start needs; called by one process at a time, no guard alive.

    Raises EmbeddedError, and OSError where a folder cannot be written.
    """
    home = find(data)
    if home is None:
        _create(data)
        home = find(data)
    if home is None:
        raise EmbeddedError(f"{place(data)} was removed while it was made.")
    if shared.is_home(home.folder):
        shared.record_owner(home.folder, place(data))
    if not home.cluster.exists():
        require_room(home.folder)
    _prepare_sockets(home)
    return home


def _create(data: Path) -> None:
    require_room(data)
    link = place(data)
    if link.is_symlink() or link.exists():
        link.unlink() if link.is_symlink() else link.rmdir()  # a link to nothing, or an empty folder
    if not accounts.is_root():
        link.mkdir(mode=0o700)
        return
    account = accounts.unprivileged()
    if account.reaches(data):
        link.mkdir(mode=0o700)
        os.chown(link, account.uid, account.gid)
    else:
        shared.create_home(link, account)


def require_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 2**20
    if free < NEEDED_MB:
        raise EmbeddedError(
            f"{folder} has only {free} MB free; the bundled PostgreSQL needs {NEEDED_MB} MB. "
            f"Free some room, {WAYS_OUT}."
        )


def _prepare_sockets(home: Home) -> None:
    run = home.folder / "run"
    if _fits_socket(run):
        if run.is_symlink():
            run.unlink()
        if not run.exists():
            run.mkdir(mode=0o700)
            home.own(run)
        return
    short = _short_folder(home)
    if not run.is_symlink() or run.readlink() != short:
        run.unlink(missing_ok=True) if run.is_symlink() else shutil.rmtree(run, ignore_errors=True)
        run.symlink_to(short)


def _fits_socket(folder: Path) -> bool:
    # libpq reads a comma as the end of a host's name.
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_LIMIT and "," not in str(folder)


def _short_folder(home: Home) -> Path:
    """Make a folder with a short path, or accept the one of an earlier start, but no one else's."""
    key = hashlib.sha256(os.fsencode(f"{home.account.uid}:{home.folder}")).hexdigest()[:16]
    folder = Path(os.path.realpath(tempfile.gettempdir())) / f"pushcenter-{key}"
    if not _fits_socket(folder):
        folder = Path("/tmp") / folder.name  # noqa: S108 - ownership and mode are checked below
    try:
        folder.mkdir(mode=0o700)
        home.own(folder)
    except FileExistsError:
        pass
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != home.account.uid or status.st_mode & 0o077:
        raise EmbeddedError(f"{folder}, needed for PostgreSQL's socket, belongs to someone else: remove it.")
    return folder
