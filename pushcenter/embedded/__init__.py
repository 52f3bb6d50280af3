"""The bundled PostgreSQL: a real server for trials and tests, where `DATABASE_URL` is unset.

A *user* is a process that asked for the server (web, worker, a one-off command); it holds a shared lock for
the rest of its life. The *guard* is the process that runs the server for all users of one data folder, and
stops it when the last of them is gone. The *home* is the folder with cluster, socket and log.

    server.py    what a user calls                   guard.py    runs the server till the last user left
    home.py      where the home is, who owns it      cluster.py  initdb, options, leftovers of a crash
    shared.py    homes that root needs elsewhere     launch.py   changes the account, becomes a program
    binaries.py  the programs of the wheel           base.py     the Django database backend

This module is imported by the settings, so it stays free of Django and starts nothing.
"""

from pathlib import Path
from typing import Any

DATABASE = "pushcenter"
USER = "pushcenter"
PORT = 5432  # part of the socket's file name; nothing listens on TCP


class EmbeddedError(Exception):
    """The bundled PostgreSQL cannot run; the message is one sentence or two for the operator."""


def database_settings(data: Path, *, fsync: bool = True) -> dict[str, Any]:
    """Return the entry for DATABASES; the server starts with the first connection, not here."""
    return {
        "ENGINE": "pushcenter.embedded",
        "NAME": DATABASE,
        "USER": USER,
        "EMBEDDED": {"data": str(data.absolute()), "fsync": fsync},
    }
