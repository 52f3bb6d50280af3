"""What a user of the bundled PostgreSQL calls: start it or share it, and hold on to it.

A user holds the shared lock on `users.lock` from its first call to its end, forks included; the guard stops
the server when the lock is free. Nothing needs to be said at the end, so kill -9 of a user is like any other.
"""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pushcenter
from pushcenter.embedded import DATABASE, PORT, USER, EmbeddedError, cluster, home, locks

START_TIMEOUT_S = 60
POLL_S = 0.03

# The descriptor of users.lock by data folder, for the life of this process and, inherited, of its forks.
_held: dict[Path, int] = {}


def ensure_running(data: Path, *, fsync: bool = True) -> None:
    """Start the server of `data` or share the one that runs; returns when it answers.

    Costs microseconds after the first call. `fsync` counts for the process that starts the server. Raises
    EmbeddedError.
    """
    data = Path(os.path.abspath(data))  # noqa: PTH100 - the cheap way, taken for each connection
    if data in _held and locks.is_held(home.guard_lock(data)):
        return
    _share_or_start(data, fsync=fsync)


def await_answer(data: Path, *, fsync: bool = True) -> bool:
    """After a failed connection: bring back a server that is away; False when it was not away."""
    data = data.absolute()
    if _is_served(data):
        return False
    _share_or_start(data, fsync=fsync)
    return True


def connection_params(data: Path) -> dict[str, Any]:
    """Return what libpq needs to connect to the running server of `data`."""
    found = home.find(data.absolute())
    if found is None:
        raise EmbeddedError(f"There is no database in {data}.")
    return {"host": str(found.sockets), "port": PORT, "user": USER, "dbname": DATABASE}


def leave(data: Path, *, timeout: float = 10) -> bool:
    """Stop being a user, and wait for the server's end: True when nothing of it runs any more.

    For the supervisor of the last users, so that the prompt comes back when all is quiet. Connections of this
    process are cut unless another user keeps the server.
    """
    data = data.absolute()
    descriptor = _held.pop(data, None)
    if descriptor is not None:
        os.close(descriptor)
    return _wait_until(lambda: not locks.is_held(home.guard_lock(data)), timeout)


def _share_or_start(data: Path, *, fsync: bool) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
        with locks.exclusive(home.start_lock(data)):
            before, held = _held.get(data), _hold(data)
            try:
                _start(data, fsync=fsync)
            except BaseException:
                if held != before:
                    os.close(held)
                raise
            _held[data] = held
            if before not in {None, held}:
                os.close(before)  # of a data folder that was removed and made anew
    except OSError as error:
        reason = error.strerror or str(error)
        raise EmbeddedError(
            f"The data folder {data} cannot be used ({reason}). Correct it, {home.WAYS_OUT}."
        ) from error


def _hold(data: Path) -> int:
    held = _held.get(data)
    path = home.users_lock(data)
    if held is not None and locks.is_file(held, path):
        return held
    return locks.share(path)


def _start(data: Path, *, fsync: bool) -> None:
    """Wait for a served data folder, spawning a guard whenever there is none."""
    deadline = time.monotonic() + START_TIMEOUT_S
    report: int | None = None
    try:
        while not _is_served(data):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"PostgreSQL in {home.place(data)} did not answer within {START_TIMEOUT_S} seconds; see "
                    "the file log there, and try again."
                )
            if report is None and not locks.is_held(home.guard_lock(data)):
                report = _spawn_guard(data, fsync=fsync)
            report = _heed(report)
    finally:
        if report is not None:
            os.close(report)


def _is_served(data: Path) -> bool:
    return locks.is_held(home.guard_lock(data)) and _answers(data)


def _answers(data: Path) -> bool:
    """Whether the server says that it is ready, and listens: a killed one leaves its word and its socket."""
    found = home.find(data)
    if found is None or not cluster.says_ready(found):
        return False
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        return client.connect_ex(str(found.sockets / home.SOCKET_NAME)) == 0


def _spawn_guard(data: Path, *, fsync: bool) -> int:
    """Start the guard in a session of its own, out of Ctrl-C's reach.

    Returns a descriptor on which the guard reports why it failed, and which ends with the guard.
    """
    place = home.prepare(data)
    reading, writing = os.pipe()
    flag = "--fsync" if fsync else "--no-fsync"
    try:
        with os.fdopen(_open_log(place), "wb") as log:
            subprocess.run(
                [sys.executable, "-m", "pushcenter.embedded", data, "--report", str(writing), flag],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[writing],
                cwd="/",
                env=_guard_environment(),
                check=True,
            )
    except subprocess.CalledProcessError as error:
        os.close(reading)
        raise EmbeddedError(f"The guard of PostgreSQL did not start; see {place.log}.") from error
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return reading


def _open_log(place: home.Home) -> int:
    """Open the log, emptied, so that it does not grow for ever."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(place.log, flags, 0o600)
    place.own(place.log)
    return descriptor


def _guard_environment() -> dict[str, str]:
    source = str(Path(pushcenter.__path__[0]).parent)
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{inherited}" if inherited else source}


def _heed(report: int | None) -> int | None:
    """Wait a moment for what the guard reports; raise its failure, or return None when it ended without."""
    if report is None:
        time.sleep(POLL_S)
        return None
    if not select.select([report], [], [], POLL_S)[0]:
        return report
    sentence = os.read(report, 4096).decode(errors="replace")
    if sentence:
        raise EmbeddedError(sentence)
    os.close(report)
    return None


def _wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
