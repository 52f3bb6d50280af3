"""``make bench``: what this machine does with Push Center, as a table and in ``var/bench/latest.json``.

Every figure comes from this run. The ways of accepting take turns, and each figure is the median of its rounds, so
that a machine whose speed drifts still gives ratios that mean something. What was accepted is then sent through the
simulated provider, which answers at once.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench import installation, load
from tests.bench.meter import metered

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "6000"))
YARDSTICK_REQUESTS = int(os.environ.get("BENCH_YARDSTICK_REQUESTS", "1000"))
BATCHES = int(os.environ.get("BENCH_BATCHES", "10"))
BATCH_ITEMS = 5000
CALLERS = int(os.environ.get("BENCH_CALLERS", "32"))
WARM_UP = 300
SINGLE = "/api/v1/messages"
LATEST = installation.ROOT / "var" / "bench" / "latest.json"


@dataclass(slots=True)
class Figures:
    """Each figure with the value of every round."""

    rounds: dict[str, list[float]] = field(default_factory=dict)
    stolen: list[float] = field(default_factory=list)

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self.rounds.setdefault(name, []).append(value)

    def medians(self) -> dict[str, float]:
        found = {name: statistics.median(values) for name, values in self.rounds.items()}
        return found | {"stolen_percent": max(self.stolen, default=0.0)}


def main() -> None:
    data = installation.prepare()
    import django

    django.setup()
    from django.core.management import call_command

    try:
        call_command("migrate", verbosity=0)
        figures = measure(installation.seed())
    finally:
        installation.remove(data)
    write(figures.medians(), LATEST)


def measure(secret: str) -> Figures:
    """The figures by name: rates per second, times in milliseconds, processor seconds per 1,000 messages."""
    figures = Figures()
    for _ in range(ROUNDS):
        accept(figures, "plain_view", yardstick(), secret, singles(REQUESTS), path="/plain")
        accept(figures, "yardstick_accept", yardstick(), secret, singles(YARDSTICK_REQUESTS))
        accept(figures, "accept_single", installation.gunicorn(), secret, singles(REQUESTS))
        accept(figures, "accept_single_granian", installation.granian(), secret, singles(REQUESTS))
        accept(
            figures,
            "accept_batch",
            installation.gunicorn(),
            secret,
            batches(BATCHES),
            path=f"{SINGLE}/batch",
            items=BATCH_ITEMS,
            callers=4,
        )
    send(figures, "yardstick_e2e_null", yardstick_is_sent, **installation.YARDSTICK)
    send(figures, "e2e_null", everything_is_delivered)
    return figures


def yardstick() -> AbstractContextManager[psutil.Process]:
    return installation.gunicorn("tests.bench.yardstick.wsgi", **installation.YARDSTICK)


def accept(
    figures: Figures,
    name: str,
    server: AbstractContextManager[psutil.Process],
    secret: str,
    bodies: Iterator[bytes],
    *,
    path: str = SINGLE,
    items: int = 1,
    callers: int = CALLERS,
) -> None:
    """Measure one way of accepting; ``items`` messages come with each body."""
    url = f"http://127.0.0.1:{os.environ['PORT']}"
    given = list(bodies)
    with server as web:
        load.post(url + (SINGLE if items > 1 else path), secret, list(singles(WARM_UP)), callers=CALLERS)
        with metered(web) as cost:
            taken = load.post(url + path, secret, given, callers=callers)
    messages = len(given) * items
    rate = "items_per_s" if items > 1 else "per_s"
    figures.stolen.append(cost.stolen_percent)
    figures.add(
        **{
            f"{name}_{rate}": taken.per_second * items,
            f"{name}_p50_ms": taken.percentile(0.50),
            f"{name}_p99_ms": taken.percentile(0.99),
            f"cpu_s_per_1000_{name}": cost.per_thousand(messages),
        }
    )


def singles(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield json.dumps({"template": "order-paid", **_message(number)}).encode()


def batches(count: int) -> Iterator[bytes]:
    items = [_message(number) for number in range(BATCH_ITEMS)]
    for _ in range(count):
        yield json.dumps({"template": "order-paid", "items": items}).encode()


def _message(number: int) -> dict[str, object]:
    return {
        "to": {"recipient": f"u-{number % installation.PEOPLE}"},
        "params": {"order_no": f"SO-{number}", "amount": "249.00"},
        "reference": f"SO-{number}",
    }


def send(figures: Figures, name: str, counts: "Callable[[], tuple[int, int]]", **environment: str) -> None:
    """Measure how fast workers send what waits; ``counts`` gives how many have been sent, and how many there are."""
    with installation.workers(**environment) as workers:
        while not (sent := counts()[0]):
            time.sleep(0.05)
        begun = time.perf_counter()
        with metered(workers) as cost:
            before, (done, total) = sent, counts()
            while done < total and time.perf_counter() - begun < 120:
                time.sleep(0.2)
                done, total = counts()
        seconds = time.perf_counter() - begun
    figures.stolen.append(cost.stolen_percent)
    figures.add(
        **{
            f"{name}_per_s": (done - before) / seconds,
            f"cpu_s_per_1000_{name}": cost.per_thousand(max(1, done - before)),
        }
    )


def everything_is_delivered() -> tuple[int, int]:
    return _count("default", "messaging_delivery", "state = 'delivered'")


def yardstick_is_sent() -> tuple[int, int]:
    return _count("yardstick", "yardstick_notification", "status = 'sent'")


def _count(database: str, table: str, condition: str) -> tuple[int, int]:
    import psycopg
    from django.db import connection

    connection.ensure_connection()
    info = connection.connection.info
    name = info.dbname if database == "default" else database
    query = f"SELECT count(*) FILTER (WHERE {condition}), count(*) FROM {table}"
    with psycopg.connect(host=info.host, user=info.user, dbname=name) as opened:
        return opened.execute(query.encode()).fetchone() or (0, 0)


def write(figures: dict[str, float], path: Path) -> None:
    for name, value in figures.items():
        print(f"{name:40} {value:12,.2f}")  # noqa: T201  (the table is the point)
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rounds": ROUNDS,
        "requests": REQUESTS,
        "callers": CALLERS,
    }
    path.write_text(
        json.dumps({**{name: round(value, 3) for name, value in figures.items()}, **machine}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
