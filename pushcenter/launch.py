"""Becomes a program that does not outlive its parent; run as a script: process id of the parent, command.

A process of its own does this, because code between fork and exec is unsafe where the parent has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, *command: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)  # it died before its death could be signalled
    os.execvp(command[0], command)  # noqa: S606 - a list of arguments, as the caller gave it


if __name__ == "__main__":
    main(*sys.argv[1:])
