"""Push Center and the yardstick, as a measurement sees them: how they are started, and what they have still to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import psutil
import psycopg
from django.db import connection

from tests.bench import installation

#: Nothing here takes longer; what has not been sent by then counts as not sent, in seconds.
PATIENCE = 120
POLL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """``is_left`` and ``delivered`` are statements in its database."""

    application: str
    environment: dict[str, str]
    database: str
    is_left: str
    delivered: str
    tables: str

    def web(self) -> AbstractContextManager[psutil.Process]:
        return installation.gunicorn(self.application, **self.environment)

    def workers(self, number: int = installation.WORKERS) -> AbstractContextManager[psutil.Process]:
        return installation.workers(number, **self.environment)

    @contextmanager
    def ledger(self) -> "Iterator[Ledger]":
        connection.ensure_connection()
        info = connection.connection.info
        name = self.database or info.dbname
        with psycopg.connect(host=info.host, user=info.user, dbname=name, autocommit=True) as opened:
            opened.execute("SET enable_seqscan = off")  # it asks often, and for what an index knows
            yield Ledger(self, opened)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is left and what is done, asked as cheaply as can be."""

    side: Side
    connection: "psycopg.Connection[tuple[int]]"

    def clear(self) -> None:
        self.connection.execute(f"TRUNCATE {self.side.tables} CASCADE".encode())

    def wait_until_one_is_sent(self) -> None:
        _wait(lambda: self.delivered() > 0)

    def wait_until_all_is_sent(self) -> None:
        _wait(lambda: not self._ask(self.side.is_left))

    def delivered(self) -> int:
        return self._ask(self.side.delivered)

    def _ask(self, statement: str) -> int:
        row = self.connection.execute(statement.encode()).fetchone()
        return row[0] if row else 0


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < until:
        time.sleep(POLL)


OURS = Side(
    application="pushcenter.wsgi",
    environment={},
    database="",
    is_left="SELECT EXISTS (SELECT FROM messaging_delivery WHERE state = 'pending' AND NOT held"
    " AND lane IN ('critical', 'high', 'normal', 'low'))"
    " OR EXISTS (SELECT FROM messaging_delivery WHERE state = 'sending')",
    delivered="SELECT count(*) FROM messaging_delivery WHERE state = 'delivered'",
    tables="messaging_message, messaging_delivery, messaging_tally, analytics_app_hourlystat, messaging_ledgerday,"
    " messaging_ledgerline, django_q_ormq",
)
YARDSTICK = Side(
    application="tests.bench.yardstick.wsgi",
    environment=installation.YARDSTICK,
    database="yardstick",
    is_left="SELECT EXISTS (SELECT FROM yardstick_notification WHERE status = 'pending')",
    delivered="SELECT count(*) FROM yardstick_notification WHERE status = 'sent'",
    tables="yardstick_notification, django_q_ormq",
)
