"""``make bench``: what this machine does with Push Center, as a table and in ``var/bench/latest.json``.

Every figure comes from this run. Accepting and sending are measured one after the other: the messages that were
accepted through gunicorn are then sent through the simulated provider, which answers at once.
"""

import json
import os
import platform
import time
from pathlib import Path

from tests.bench import installation, load
from tests.bench.meter import metered

REQUESTS = int(os.environ.get("BENCH_REQUESTS", "2000"))
CALLERS = int(os.environ.get("BENCH_CALLERS", "32"))
WARM_UP = 200
LATEST = installation.ROOT / "var" / "bench" / "latest.json"


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
    write(figures, LATEST)


def measure(secret: str) -> dict[str, float]:
    """The figures by name: rates per second, times in milliseconds, processor seconds per 1,000 messages."""
    url = f"http://127.0.0.1:{os.environ['PORT']}/api/v1/messages"
    with installation.web() as web:
        load.send(url, secret, requests=WARM_UP, callers=CALLERS)
        with metered(web) as accepting:
            accepted = load.send(url, secret, requests=REQUESTS, callers=CALLERS)
    total = REQUESTS + WARM_UP
    with installation.workers() as workers, metered(workers) as sending:
        seconds = wait_until_all_ended(total)
    return {
        "accept_single_per_s": accepted.per_second,
        "accept_single_p50_ms": accepted.percentile(0.50),
        "accept_single_p99_ms": accepted.percentile(0.99),
        "cpu_s_per_1000_accept_single": accepting.per_thousand(REQUESTS),
        "e2e_null_per_s": total / seconds,
        "cpu_s_per_1000_e2e_null": sending.per_thousand(total),
        "stolen_percent": max(accepting.stolen_percent, sending.stolen_percent),
    }


def wait_until_all_ended(expected: int, limit: float = 600) -> float:
    """Seconds from the first attempt to the last, once every delivery is delivered."""
    from django.db.models import Max, Min

    from pushcenter.messaging.models import Attempt, Delivery

    until = time.monotonic() + limit
    while Delivery.objects.filter(state="delivered").count() < expected:
        if time.monotonic() > until:
            raise TimeoutError("not everything was delivered")
        time.sleep(0.2)
    span = Attempt.objects.aggregate(first=Min("started_at"), last=Max("finished_at"))
    return (span["last"] - span["first"]).total_seconds()


def write(figures: dict[str, float], path: Path) -> None:
    for name, value in figures.items():
        print(f"{name:32} {value:12,.2f}")  # noqa: T201  (the table is the point)
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "requests": REQUESTS,
        "callers": CALLERS,
    }
    path.write_text(
        json.dumps({**{name: round(value, 3) for name, value in figures.items()}, **machine}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
