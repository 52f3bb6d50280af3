"""Locks between processes: flock on small files, released by the kernel however a process ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open (and make) a lock file; the descriptor is inherited by forks and closed by exec."""
    flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, os.O_RDWR | flags, 0o600)
    owner = path.parent.stat().st_uid
    if os.geteuid() == 0 and os.fstat(descriptor).st_uid != owner:
        # Else the owner of the folder could never again start without root.
        os.fchown(descriptor, owner, -1)
    return descriptor


def share(path: Path) -> int:
    """Take the shared lock of `path`, waiting for it, and return its descriptor."""
    while True:
        descriptor = open_lock(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except BaseException:
            os.close(descriptor)
            raise
        if is_file(descriptor, path):
            return descriptor
        os.close(descriptor)  # removed and made anew while we waited


def is_file(descriptor: int, path: Path) -> bool:
    """Whether the open file is (still) the one that `path` names."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def is_held(path: Path) -> bool:
    """Whether some process holds the exclusive lock of `path`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        # Unlocked by name: a fork of this moment has a copy of the descriptor, which keeps the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False
    finally:
        os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the exclusive lock of `path` for the block, waiting for it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # by name, see is_held
        os.close(descriptor)
