"""The guard: runs the server of one home, restarts it after a crash, and stops it with its last user.

It waits without using the processor: the main thread for the server's end, one thread for the exclusive lock
that it gets when no user is left, one for SIGTERM. It holds both locks until it has ended, so that whoever
comes meanwhile waits and then starts a new one.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

from pushcenter.embedded import EmbeddedError, binaries, cluster, locks, shared
from pushcenter.embedded.home import Home

LAUNCH = Path(__file__).with_name("launch.py")
MAX_FAILURES = 5
FAILURES_WITHIN_S = 60
FIRST_PAUSE_S = 0.1

MARKS = ("FATAL:", "PANIC:", "error:")
NO_CAUSE = "the database system is"  # "... starting up", the answer to a user who looks too early


class Guard:
    """One run of the guard; `users` is the lock that each user of the server holds."""

    def __init__(self, home: Home, *, programs: Path, users: Path, fsync: bool) -> None:
        self.home = home
        self.programs = programs
        self.users = users
        self.fsync = fsync
        self.stopping = threading.Event()
        self.child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Serve until nobody is left, or SIGTERM; raises EmbeddedError when the server cannot be kept up."""
        for wait in (self._await_last_user, self._await_sigterm):
            threading.Thread(target=wait, daemon=True).start()
        if not self.home.cluster.exists():
            self._initialise()
        failures: deque[float] = deque(maxlen=MAX_FAILURES)
        while not self.stopping.is_set():
            cluster.clear_leftovers(self.home)
            self._run("postgres", *cluster.server_arguments(self.home, fsync=self.fsync))
            failures.append(time.monotonic())
            if not self.stopping.is_set():
                self._pause_after(failures)

    def _pause_after(self, failures: deque[float]) -> None:
        recent = [moment for moment in failures if moment > time.monotonic() - FAILURES_WITHIN_S]
        if len(recent) == MAX_FAILURES or not self.home.cluster.exists():
            raise EmbeddedError(f"PostgreSQL did not stay up: {last_cause(self.home.log)}")
        self.stopping.wait(FIRST_PAUSE_S * 2 ** (len(recent) - 1))

    def _initialise(self) -> None:
        """Make the cluster under another name, so that it is there as a whole or not at all."""
        cluster.remove_drafts(self.home)
        draft = Path(tempfile.mkdtemp(prefix=cluster.DRAFT, dir=self.home.folder))
        self.home.own(draft)
        made = not self._run("initdb", *cluster.initdb_arguments(draft, fsync=self.fsync)) and not self._run(
            "postgres",
            *cluster.create_database_arguments(draft, fsync=self.fsync),
            read=cluster.CREATE_DATABASE,
        )
        if made:
            draft.rename(self.home.cluster)
            return
        cluster.remove_drafts(self.home)
        if not self.stopping.is_set():
            raise EmbeddedError(f"PostgreSQL's files could not be made: {last_cause(self.home.log)}")

    def _run(self, program: str, *arguments: str, read: bytes = b"") -> int:
        """Run one program of PostgreSQL to its end."""
        account = self.home.account
        identity = (str(account.uid), str(account.gid), str(os.getpid()))
        self.child = subprocess.Popen(
            [sys.executable, "-I", "-S", LAUNCH, *identity, self.programs / program, *arguments],
            stdin=subprocess.PIPE,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )
        if self.stopping.is_set():
            self.child.send_signal(signal.SIGINT)  # stop() may have come before there was a child
        self.child.communicate(read)
        return self.child.returncode

    def stop(self) -> None:
        """Ask the program that runs to end: SIGINT is the fast shutdown, SIGQUIT the immediate one."""
        self.stopping.set()
        self._signal(signal.SIGINT)
        harder = threading.Timer(cluster.STOP_TIMEOUT_S, self._signal, [signal.SIGQUIT])
        harder.daemon = True
        harder.start()

    def _signal(self, number: int) -> None:
        if self.child is not None:
            self.child.send_signal(number)

    def _await_last_user(self) -> None:
        fcntl.flock(locks.open_lock(self.users), fcntl.LOCK_EX)
        self.stop()

    def _await_sigterm(self) -> None:
        signal.sigwait({signal.SIGTERM})
        self.stop()


def serve(home: Home, *, users: Path, fsync: bool) -> None:
    """Be the guard of `home`, unless it has one."""
    if not _take_over(home):
        return
    root = binaries.installed()
    if os.geteuid() == 0 and not binaries.usable(root, home.account):
        with shared.shelf() as shelf:
            root = binaries.copy(root, shelf)
    sockets = home.sockets
    try:
        Guard(home, programs=binaries.programs(root), users=users, fsync=fsync).run()
    finally:
        if sockets.parent != home.folder:
            with contextlib.suppress(OSError):  # the folder with the short path, outside the home
                sockets.rmdir()


def _take_over(home: Home) -> bool:
    """Take the guard's lock for the life of this process."""
    descriptor = locks.open_lock(home.folder / "guard.lock")
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)  # a user who looks whether the guard lives holds it for a moment, too
        else:
            return True
    return False


def last_cause(log: Path) -> str:
    """Return the line of the log which says best why the last program ended."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if any(mark in line for mark in MARKS) and NO_CAUSE not in line]
    line = (telling or lines or ["no reason given"])[-1]
    for mark in MARKS:
        line = line.rpartition(mark)[2]
    return f"{line.strip()} (see {log})"
