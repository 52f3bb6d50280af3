"""Becomes a program of PostgreSQL; run as a script: uid, gid, process id of the parent, program, arguments.

A process of its own, because code between fork and exec is unsafe in a guard with threads. The parent's
death is asked to be signalled after the change of account, which would clear the request.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(uid: str, gid: str, parent: str, *command: str) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # the guard waits for SIGTERM with the signal blocked
    os.umask(0o077)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        # SIGINT is the fast shutdown: a guard killed by -9 leaves no server behind.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)  # it died before its death could be signalled
    os.execv(command[0], command)  # noqa: S606 - a program of the wheel, no shell wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
