"""The files of a cluster: how it is made and served, and what a killed server leaves in it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from pushcenter.embedded import DATABASE, PORT, USER
from pushcenter.embedded.home import SOCKET_NAME, Home

STOP_TIMEOUT_S = 30
DRAFT = "init-"


def initdb_arguments(cluster: Path, *, fsync: bool) -> list[str]:
    # The builtin locale knows all of Unicode's letters and is the same on every machine.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # Trust is right for a socket in a folder that only the server's account can enter.
    access = [f"--username={USER}", "--auth=trust", "--no-instructions"]
    return ["-D", str(cluster), *locale, *access, *([] if fsync else ["--no-sync"])]


def create_database_arguments(cluster: Path, *, fsync: bool) -> list[str]:
    """Arguments of a server without clients, which reads CREATE_DATABASE from its standard input."""
    options = {"exit_on_error": "on", **({} if fsync else {"fsync": "off"})}
    return ["--single", "-D", str(cluster), *_flags(options), "postgres"]


CREATE_DATABASE = f"CREATE DATABASE {DATABASE}\n".encode()


def server_arguments(home: Home, *, fsync: bool) -> list[str]:
    quoted = str(home.sockets).replace('"', '""')  # the option is a list of names
    options = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Starts, stops and crashes; no statements, for they would carry personal data into the log.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }
    if not fsync:
        # Commits still reach the kernel at once, so they survive a killed server, but not a power cut.
        options |= {"fsync": "off", "full_page_writes": "off"}
    return ["-D", str(home.cluster), *_flags(options)]


def _flags(options: dict[str, str]) -> list[str]:
    return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]


def remove_drafts(home: Home) -> None:
    """Clear away what a killed initdb left."""
    for draft in home.folder.glob(f"{DRAFT}*"):
        shutil.rmtree(draft, ignore_errors=True)


def says_ready(home: Home) -> bool:
    """Whether the server's own file has it as ready for connections (the status is its eighth line)."""
    try:
        return (home.cluster / "postmaster.pid").read_bytes().split(b"\n")[7:8] == [b"ready   "]
    except OSError:
        return False


def clear_leftovers(home: Home) -> None:
    """Make way for a start after a guard or a server was killed."""
    pid_file = home.cluster / "postmaster.pid"
    pid = _recorded_pid(pid_file)
    if pid and _is_server(pid, home):
        _end(pid)
    elif pid and _is_alive(pid):
        _disown(pid_file)
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (home.sockets / name).unlink(missing_ok=True)


def _recorded_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_bytes().split(b"\n", 1)[0])
    except (OSError, ValueError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_server(pid: int, home: Home) -> bool:
    """Whether `pid` serves this cluster; after a restart of the machine it may be anything."""
    words = _command(pid)
    return any(os.fsencode(home.cluster) in word for word in words)


def _command(pid: int) -> Iterator[bytes]:
    try:
        yield from Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        if shutil.which("ps"):
            listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
            yield subprocess.run(listing, capture_output=True, check=False).stdout


def _end(pid: int) -> None:
    for way in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + STOP_TIMEOUT_S
        try:
            os.kill(pid, way)
            while time.monotonic() < deadline:
                os.kill(pid, 0)
                time.sleep(0.02)
        except ProcessLookupError:
            return


def _disown(pid_file: Path) -> None:
    """Replace the pid of a stranger by ours, which the server takes as a stale file, as it is.

    Not simply removed: the rest of the file lets the server see whether old processes still use its memory.
    """
    descriptor = os.open(pid_file, os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb+") as file:
        rest = file.read().partition(b"\n")[2]
        file.seek(0)
        file.write(str(os.getpid()).encode() + b"\n" + rest)
        file.truncate()
