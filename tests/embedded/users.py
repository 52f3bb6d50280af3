"""Users of a bundled PostgreSQL, as processes of their own, and a look at what runs for a data folder."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg

from pushcenter.embedded import home, server

SOURCE = Path(__file__).parents[2]

# A user that does what its standard input says, and ends with it.
SCRIPT = """
import itertools, os, sys, time
from pathlib import Path
from pushcenter.embedded import EmbeddedError, server
data = Path(sys.argv[1])
for line in itertools.chain(["ensure"], sys.stdin):
    try:
        match line.strip():
            case "ensure":
                server.ensure_running(data, fsync=False)
            case "fork":
                if not os.fork():
                    server.ensure_running(data, fsync=False)
                    time.sleep(600)
            case "leave":
                print(server.leave(data), flush=True)
                continue
        print("done", flush=True)
    except EmbeddedError as error:
        print("failed:", error, flush=True)
"""


class User:
    """A process that asks for the server, in a process group of its own like a command of a shell."""

    def __init__(self, data: Path, *, python: str = sys.executable, **options: Any) -> None:
        environment = {**os.environ, **options.pop("env", {})}
        paths = [environment.get("PYTHONPATH"), str(SOURCE)]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        self.process = subprocess.Popen(
            [python, "-c", SCRIPT, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
            env=environment,
            cwd="/",
            **options,
        )

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def do(self, order: str) -> str:
        assert self.process.stdin is not None
        print(order, file=self.process.stdin, flush=True)
        return self.answer()

    def press_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)


def running(data: Path) -> list[psutil.Process]:
    """Return the guards, servers and their children which serve `data`."""
    names = {str(data), os.path.realpath(home.place(data))}
    found = []
    for process in psutil.process_iter():
        try:
            words, folder = process.cmdline(), process.cwd()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        serves = "pushcenter.embedded" in words or "-D" in words
        if (serves and any(name in word for name in names for word in words)) or any(
            folder.startswith(f"{name}/") for name in names
        ):
            found.append(process)
    return found


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def guard(data: Path) -> psutil.Process:
    return next(process for process in running(data) if "pushcenter.embedded" in process.cmdline())


def postmaster(data: Path) -> psutil.Process:
    pid = (home.place(data) / "data/postmaster.pid").read_text().split("\n", 1)[0]
    return psutil.Process(int(pid))


def query(data: Path, statement: str) -> Any:
    with psycopg.connect(**server.connection_params(data), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def eventually(condition: Callable[[], bool], *, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_quiet(data: Path) -> bool:
    """Whether nothing serves `data` and none of its locks is held."""
    return not running(data) and not any(map(is_locked, (home.guard_lock(data), home.users_lock(data))))


def is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
