"""Parallel workers have a database each; the first one migrates its own, and later ones begin with a copy of that."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from django.db import connection

from tests.settings import MARK

COPY = "migrated"


def create(migrate: Callable[..., str], *arguments: object, **options: object) -> str:
    """In the place of ``create_test_db``, which it gets."""
    folder = Path(os.environ[MARK])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / COPY
        if done.exists():
            connection.settings_dict["TEST"]["TEMPLATE"] = COPY
        name = migrate(*arguments, **options)
        if not done.exists():
            _keep(name)
            done.touch()
    return name


def _keep(name: str) -> None:
    connection.close()  # nobody may use what is copied
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {COPY} TEMPLATE {connection.ops.quote_name(name)}")
