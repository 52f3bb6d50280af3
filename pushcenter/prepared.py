"""Statements of the hot path: prepared by the server, and run without Django's cursor around them.

They run on Django's connection, in whatever transaction it is, and raise Django's exceptions.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from django.db import connection


def rows(statement: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; none where it has none."""
    with connection.wrap_database_errors, psycopg.Cursor(_connected()) as cursor:
        cursor.execute(statement, params, prepare=True)  # type: ignore[arg-type]  (a constant of ours)
        return cursor.fetchall() if cursor.description else []


def copy(table: str, columns: Iterable[str], lines: Iterable[str]) -> None:
    """Write rows by COPY; each line is one row in PostgreSQL's text format, its end included."""
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    cursor = psycopg.Cursor(_connected())
    with connection.wrap_database_errors, cursor, cursor.copy(statement) as into:  # type: ignore[arg-type]
        into.write("".join(lines))


def text(value: str) -> str:
    """A value as COPY reads it."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if not value.isprintable():
        value = value.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value


def _connected() -> "psycopg.Connection[tuple[Any, ...]]":
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection.connection
