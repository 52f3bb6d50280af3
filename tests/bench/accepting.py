"""How fast calls are accepted, beside the yardstick and a view that does nothing; nobody sends meanwhile."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import psutil

from tests.bench import installation, load, sizes
from tests.bench.bodies import BATCH, SINGLE, batches, singles
from tests.bench.figures import Figures
from tests.bench.meter import metered

WARM_UP = 300


def measure(figures: Figures, secret: str) -> None:
    for _ in range(sizes.ROUNDS):
        requests, gunicorn = sizes.REQUESTS, installation.gunicorn
        _accept(figures, "plain_view", _yardstick(), secret, singles(requests), path="/plain")
        _accept(figures, "yardstick_accept", _yardstick(), secret, singles(sizes.YARDSTICK_REQUESTS))
        _accept(figures, "accept_single", gunicorn(), secret, singles(requests))
        _accept(figures, "accept_single_granian", installation.granian(), secret, singles(requests))
        _accept(figures, "accept_batch", gunicorn(), secret, batches(sizes.BATCHES), path=BATCH)


def _yardstick() -> AbstractContextManager[psutil.Process]:
    return installation.gunicorn("tests.bench.yardstick.wsgi", **installation.YARDSTICK)


def _accept(
    figures: Figures,
    name: str,
    server: AbstractContextManager[psutil.Process],
    secret: str,
    bodies: Iterator[bytes],
    *,
    path: str = SINGLE,
) -> None:
    given = list(bodies)
    is_batch = path == BATCH
    items, callers = (sizes.BATCH_ITEMS, 4) if is_batch else (1, sizes.CALLERS)
    with server as web:
        load.post(
            installation.url(SINGLE if is_batch else path),
            secret,
            list(singles(WARM_UP)),
            callers=sizes.CALLERS,
        )
        with metered(web) as cost:
            taken = load.post(installation.url(path), secret, given, callers=callers)
    figures.add(
        cost,
        **{
            f"{name}_{'items_per_s' if is_batch else 'per_s'}": taken.per_second * items,
            f"{name}_p50_ms": taken.percentile(0.50),
            f"{name}_p99_ms": taken.percentile(0.99),
            f"cpu_s_per_1000_{name}": cost.per_thousand(len(given) * items),
        },
    )
