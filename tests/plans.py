"""Sees how the database goes about each statement: those that read a large table from end to end are noted.

Statements are taken as they are run, by the ORM, by a cursor or prepared, and explained with their own parameters.
What nobody could explain, the database's own count of sequential scans still shows.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, models

from pushcenter import prepared

#: Rows that the planner is told of each large table.
BELIEVED = 1_000_000
EXPLAIN = "EXPLAIN (FORMAT JSON) "
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@dataclass(slots=True)
class Plans:
    """What was run while it watched, and what of that reads a large table from end to end."""

    tables: frozenset[str]
    seen: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    def add(self, statement: str, plan: Any) -> None:
        self.seen.append(statement)
        scanned = sorted(set(_scanned(plan)) & self.tables)
        if scanned:
            self.slow.append(f"{', '.join(scanned)}: {' '.join(statement.split())}")


@contextmanager
def watched(large: Iterable[type[models.Model]]) -> Iterator[Plans]:
    """Look at each statement of this connection; fails at the end where one reads a large table from end to end."""
    plans = Plans(frozenset(model._meta.db_table for model in large))
    before = _scans(plans.tables)
    with pytest.MonkeyPatch.context() as patch, connection.execute_wrapper(_explainer(plans)):
        patch.setattr(prepared, "rows", _explaining(prepared.rows, plans))
        yield plans
    after = _scans(plans.tables)
    assert not plans.slow, "\n".join(plans.slow)
    assert after == before, "a statement that was not explained reads a large table from end to end"


def believe(table: str) -> None:
    """Tell the planner that a table, of which it has counted every value, is larger than it is.

    It takes the number of pages from the file itself, so that reading all of it seems cheaper than it would be.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")
        cursor.execute("UPDATE pg_class SET reltuples = %s WHERE oid = %s::regclass", [BELIEVED, table])


def _explainer(plans: Plans) -> Callable[..., Any]:
    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and sql.lstrip().upper().startswith(EXPLAINED):
            execute(EXPLAIN + sql, params, many, context)
            plans.add(sql, context["cursor"].fetchone()[0])
        return execute(sql, params, many, context)

    return explain


def _explaining(run: Callable[..., list[Any]], plans: Plans) -> Callable[..., list[Any]]:
    def rows(statement: str, *params: str | None) -> list[Any]:
        [[plan]] = run(EXPLAIN + statement, *params)
        plans.add(statement, json.loads(plan))
        return run(statement, *params)

    return rows


def _scanned(plan: Any) -> Iterator[str]:
    """The tables that a plan reads from end to end, wherever it says so."""
    if isinstance(plan, list):
        for each in plan:
            yield from _scanned(each)
    elif isinstance(plan, dict):
        if plan.get("Node Type") == "Seq Scan":
            yield plan["Relation Name"]
        for each in plan.values():
            yield from _scanned(each)


def _scans(tables: Iterable[str]) -> dict[str, int]:
    """How often each table has been read from end to end in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)", [[*tables]]
        )
        return dict(cursor.fetchall())
