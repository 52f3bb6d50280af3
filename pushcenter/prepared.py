"""Statements of the hot path, spoken straight to libpq: a fifth of what a cursor costs, and prepared by the server.

They run on Django's connection, in whatever transaction it is, and raise Django's exceptions. Parameters are ``$1``,
``$2`` … in the statement and texts in the call; what comes back is text, too. ``psycopg.pq`` is psycopg's public
wrapper of libpq (https://www.psycopg.org/psycopg3/docs/api/pq.html).
"""

import select
import time
from collections.abc import Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import errors
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus

Row = tuple[str | None, ...]
#: PostgreSQL's number of the type: all values are read as it writes them.
TEXT = 25
#: The names of the statements that each connection has prepared.
_names: "WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]]" = WeakKeyDictionary()
#: Plans are kept for so long by who wants them fresh, in seconds; and when each connection let go of its own.
PLAN_EVERY = 0.5
_planned: "WeakKeyDictionary[psycopg.Connection[Any], float]" = WeakKeyDictionary()


def rows(statement: str, *params: str | None) -> list[Row]:
    """Run a statement and return its rows; none where it has none."""
    opened = _opened()
    with opened.wrap_database_errors:
        pgconn, name = _ready(_begun(opened), statement)
        result = pgconn.exec_prepared(name, [None if each is None else each.encode() for each in params])
        _check(result, ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
        found = Transformer(opened.connection)
        found.set_pgresult(result, set_loaders=False)
        found.set_loader_types([TEXT] * result.nfields, Format.TEXT)
        return found.load_rows(0, result.ntuples, tuple)


def copy(table: str, columns: Iterable[str], lines: Sequence[str]) -> None:
    """Write rows by COPY; each line is one row in PostgreSQL's text format, its end included."""
    opened = _opened()
    with opened.wrap_database_errors:
        pgconn = _begun(opened).pgconn
        _check(pgconn.exec_(f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()), ExecStatus.COPY_IN)
        # psycopg keeps its connections from blocking; here waiting is what is wanted.
        pgconn.nonblocking = 0
        try:
            pgconn.put_copy_data("".join(lines).encode())
            pgconn.put_copy_end()
            result = _awaited(pgconn)
            while _awaited(pgconn) is not None:
                pass
        finally:
            pgconn.nonblocking = 1
        _check(result, ExecStatus.COMMAND_OK)


def revive() -> None:
    """See to it that the connection is alive, before a transaction; in place of Django's check, which costs more."""
    opened = _opened()
    if opened.connection is None or opened.in_atomic_block:
        return
    if not _answers(opened.connection.pgconn):
        opened.close()
    opened.health_check_done = True


def _answers(pgconn: Any) -> bool:
    """Whether the server does. libpq gives its farewell as a result, and has none where it could not even ask."""
    try:
        return bool(pgconn.exec_(b"").status == ExecStatus.EMPTY_QUERY)
    except psycopg.OperationalError:
        return False


def keep_plans_fresh() -> None:
    """Have statements planned for the tables as they are, where that was last done half a second ago or more.

    PostgreSQL keeps a plan until it has looked at a table again, a minute later at the earliest. By then one that was
    made for a thousand rows may have read a million from end to end, some hundred times. For those whose tables grow
    while they work on one connection; to plan anew costs about a millisecond.
    """
    opened = _opened()
    now = time.monotonic()
    if now - _planned.get(opened.connection, float("-inf")) < PLAN_EVERY:
        return
    with opened.wrap_database_errors:
        inner = _begun(opened)
        _check(inner.pgconn.exec_(b"DISCARD PLANS"), ExecStatus.COMMAND_OK)
    _planned[inner] = now


def text(value: str) -> str:
    """A value as COPY reads it."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if not value.isprintable():
        value = value.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return value


def array(values: Iterable[object]) -> str:
    """Values as one parameter of an array type; None is null."""
    found = [*values]
    try:
        joined = '","'.join(found)  # type: ignore[arg-type]
    except TypeError:  # not all of them are texts
        joined = "\\"
    if "\\" not in joined and joined.count('"') == 2 * (len(found) - 1):
        return f'{{"{joined}"}}'
    return "{" + ",".join(["NULL" if value is None else _quoted(str(value)) for value in found]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def _opened() -> Any:
    """Django's connection of this thread itself: its usual proxy looks it up anew for each attribute."""
    opened = connections[DEFAULT_DB_ALIAS]
    opened.ensure_connection()
    return opened


def _begun(opened: Any) -> "psycopg.Connection[Any]":
    """The connection, in a transaction where Django is in one: psycopg begins it at the first statement."""
    inner: psycopg.Connection[Any] = opened.connection
    if not inner.autocommit and inner.pgconn.transaction_status == TransactionStatus.IDLE:
        _check(inner.pgconn.exec_(b"BEGIN"), ExecStatus.COMMAND_OK)
    return inner


def _ready(opened: "psycopg.Connection[Any]", statement: str) -> tuple[Any, bytes]:
    """The connection, and the name under which it has prepared a statement."""
    names = _names.setdefault(opened, {})
    name = names.get(statement)
    if name is None:
        name = f"pushcenter_{len(names)}".encode()
        _check(opened.pgconn.prepare(name, statement.encode()), ExecStatus.COMMAND_OK)
        names[statement] = name
    return opened.pgconn, name


def _awaited(pgconn: Any) -> Any:
    """The next result. Waiting for it here lets other threads run meanwhile, which waiting inside libpq does not."""
    readable = select.poll()
    readable.register(pgconn.socket, select.POLLIN)
    while pgconn.is_busy():
        readable.poll()
        pgconn.consume_input()
    return pgconn.get_result()


def _check(result: Any, *good: ExecStatus) -> None:
    if result is None:
        raise errors.OperationalError("the connection is closed")
    if result.status not in good:
        error = errors.error_from_result(result)
        # Without a code it is libpq that speaks, not the server: the connection broke.
        raise error if error.sqlstate else errors.OperationalError(str(error))
