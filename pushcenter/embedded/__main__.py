"""Starts the guard: `python -m pushcenter.embedded DATA --report FD [--no-fsync]`, called by server.py."""

import argparse
import contextlib
import os
import signal
from pathlib import Path

from pushcenter.embedded import EmbeddedError, guard, home


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pushcenter.embedded")
    parser.add_argument("data", type=Path)
    parser.add_argument("--report", type=int, required=True, help="descriptor for the reason of a failure")
    parser.add_argument("--fsync", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    if os.fork():
        os._exit(0)  # the guard outlives the user who started it, and must not be a zombie of anyone
    _ignore_signals()
    os.umask(0o077)
    try:
        found = home.find(asked.data)
        if found is not None:
            guard.serve(found, users=home.users_lock(asked.data), fsync=asked.fsync)
    except (EmbeddedError, OSError) as error:
        return _report(asked.report, str(error))
    return 0


def _ignore_signals() -> None:
    """Leave Ctrl-C and a closed terminal to the users. Handlers, unlike SIG_IGN, end with exec."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _report(descriptor: int, sentence: str) -> int:
    print(sentence, flush=True)  # noqa: T201 - standard output is the log
    with contextlib.suppress(OSError):  # the user who asked may have left
        os.write(descriptor, sentence.encode(errors="replace")[:4000])
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
