"""What must hold before anything is started; each fault is one sentence for the person at the terminal."""

import errno
import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
LEAST_ROOM = 300 * 1024 * 1024
HIGHEST_PORT = 65_535


class CannotStart(Exception):
    """The message says what is wrong and what to do."""


def require_room(folder: Path) -> None:
    """The data folder exists (it is made), can be written, and has room; raises :class:`CannotStart`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise CannotStart(
            f"The data folder {folder} cannot be written ({error.strerror}); "
            "correct that, or set PUSHCENTER_DATA to another one."
        ) from None
    if free < LEAST_ROOM:
        raise CannotStart(
            f"The data folder {folder} has {free >> 20} MB left and needs {LEAST_ROOM >> 20}; "
            "make room, or set PUSHCENTER_DATA to another one."
        )


def require_ports(ports: Mapping[str, int]) -> None:
    """The ports, by the names of their settings, can be listened on; raises :class:`CannotStart`."""
    seen: dict[int, str] = {}
    for setting, port in ports.items():
        if not 1 <= port <= HIGHEST_PORT:
            raise CannotStart(f"{setting} is {port}, but ports go from 1 to {HIGHEST_PORT}.")
        if port in seen:
            raise CannotStart(f"{seen[port]} and {setting} are both {port}; set one of them to another port.")
        seen[port] = setting
        _require_free(setting, port)


def _require_free(setting: str, port: int) -> None:
    with socket.socket() as probe:
        # As servers do: connections of an earlier run that are still closing do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            state = "is taken" if taken else f"cannot be used ({error.strerror})"
            raise CannotStart(f"Port {port} on {HOST} {state}; set {setting} to another one.") from None


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the data folder for the block; raises :class:`CannotStart` where another start holds it.

    The kernel lets go of the lock however the holder ends.
    """
    path = folder / "up.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"{path} cannot be opened ({error.strerror}).") from None
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read().strip() or "unknown"
            raise CannotStart(f"Push Center already runs with {folder} (process {holder}).") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
