"""Half an hour at half the top rate: nothing may grow, neither memory nor connections, dead rows or waiting times."""

import sys
from collections.abc import Mapping

import psutil
from django.db import connection

from tests.bench import installation, load, sizes
from tests.bench.bodies import HOOK, SINGLE, singles
from tests.bench.figures import Figures
from tests.bench.sending import at_once, warm_up
from tests.bench.sides import OURS

MEGABYTE = 2**20
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
DEAD_PERCENT = """
SELECT 100.0 * sum(n_dead_tup) / greatest(1, sum(n_live_tup + n_dead_tup))
  FROM pg_stat_user_tables WHERE relname IN ('messaging_delivery', 'messaging_tally', 'django_q_ormq')
"""
QUEUE_MB = "SELECT pg_total_relation_size('django_q_ormq') / 1048576.0"
DELIVERED_P99_MS = """
SELECT extract(epoch FROM percentile_cont(0.99) WITHIN GROUP (ORDER BY delivered_at - accepted_at)) * 1000
  FROM messaging_delivery WHERE delivered_at > now() - interval '1 minute'
"""


def measure(figures: Figures, secret: str) -> None:
    """What each looks like after the first minutes, when all is warm, and at the end."""
    rate = sizes.SOAK_PER_S or _half_of_the_most(figures, secret)
    minutes: list[Mapping[str, float]] = []
    with OURS.ledger() as ledger, installation.provider():
        ledger.clear()
        with OURS.workers() as workers, OURS.web() as web:
            warm_up(ledger, HOOK)
            load.post(installation.url(SINGLE), secret, list(singles(300, HOOK)), callers=sizes.CALLERS)
            for number in range(sizes.SOAK_MINUTES):
                minutes.append(_a_minute(secret, rate, web, workers))
                print(f"soak, minute {number + 1}: {minutes[-1]}", file=sys.stderr)  # noqa: T201
            ledger.wait_until_all_is_sent()
    warm = minutes[min(len(minutes) - 1, 4)]
    figures.add(soak_asked_per_s=rate)
    for name, value in minutes[-1].items():
        figures.add(**{f"soak_{name}_warm": warm[name], f"soak_{name}_end": value})


def _half_of_the_most(figures: Figures, secret: str) -> int:
    at_once(figures, "soak_most", OURS, secret, list(singles(sizes.REQUESTS, HOOK)))
    return int(figures.median("soak_most_per_s") / 2)


def _a_minute(secret: str, rate: int, web: psutil.Process, workers: psutil.Process) -> Mapping[str, float]:
    bodies = list(singles(60 * rate, HOOK))
    taken = load.paced(installation.url(SINGLE), secret, bodies, callers=sizes.CALLERS, per_second=rate)
    return {
        "per_s": round(taken.per_second, 1),
        "accept_p99_ms": round(taken.percentile(0.99), 1),
        "delivered_p99_ms": _number(DELIVERED_P99_MS),
        "web_mb": _megabytes(web),
        "workers_mb": _megabytes(workers),
        "connections": _number(CONNECTIONS),
        "dead_rows_percent": _number(DEAD_PERCENT),
        "queue_mb": _number(QUEUE_MB),
    }


def _megabytes(parent: psutil.Process) -> float:
    """Memory that these processes do not share with others."""
    family = [parent, *parent.children(recursive=True)]
    return round(sum(each.memory_full_info().uss for each in family) / MEGABYTE, 1)


def _number(statement: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return round(float(cursor.fetchone()[0] or 0), 2)
