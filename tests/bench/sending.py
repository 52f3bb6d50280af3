"""How fast messages are accepted and sent at once, and how fast workers send what waits."""

import time
from contextlib import AbstractContextManager, nullcontext

import psutil
from django.db import transaction

from tests import factories
from tests.bench import bare, installation, load, sizes, stock
from tests.bench.bodies import BATCH, HOOK, PAID, SINGLE, batches, singles
from tests.bench.figures import Figures
from tests.bench.meter import Cost, Meter
from tests.bench.sides import OURS, YARDSTICK, Ledger, Side

WARM_UP = 200
#: Name, template, and how long the provider of this template takes, in milliseconds.
WAYS = (("null", PAID, 0), ("http", HOOK, 0), ("http_50ms", HOOK, 50))


def from_batches(figures: Figures, secret: str) -> None:
    """From the first call of a batch to the last recorded outcome, with one worker and with two."""
    for _ in range(sizes.ROUNDS_OF_BATCHES):
        for way, template, latency in WAYS:
            bodies = list(batches(sizes.BATCHES, template))
            for workers, suffix in ((1, "_one_worker"), (2, "")):
                name = f"e2e_{way}{suffix}"
                at_once(
                    figures,
                    name,
                    OURS,
                    secret,
                    bodies,
                    workers=workers,
                    template=template,
                    latency_ms=latency,
                )


def from_singles(figures: Figures, secret: str) -> None:
    """From the first call of single messages to the last recorded outcome, in turn with the yardstick."""
    for _ in range(sizes.ROUNDS):
        few, many = (list(singles(count, HOOK)) for count in (sizes.YARDSTICK_REQUESTS, sizes.REQUESTS))
        at_once(figures, "yardstick_e2e_single", YARDSTICK, secret, few)
        at_once(figures, "e2e_single", OURS, secret, many)


def beside_a_bare_loop(figures: Figures, secret: str) -> None:
    """What one worker makes of aiohttp: in turn with a loop that does nothing else, against the same provider."""
    for _ in range(sizes.ROUNDS):
        with installation.provider() as provider:
            meter = Meter(provider, with_postgres=False)
            done = bare.run(f"{installation.provider_url()}/hook", sizes.MESSAGES, in_flight=100)
            served = meter.stop()
        figures.add(
            served,
            aiohttp_per_s=done.per_s,
            cpu_s_per_1000_aiohttp=Cost(done.cpu_seconds).per_thousand(sizes.MESSAGES),
            cpu_s_per_1000_provider_of_aiohttp=served.per_thousand(sizes.MESSAGES),
        )
        drain(figures, "drain_http_one_worker", HOOK, workers=1)
    ratio = figures.median("drain_http_one_worker_per_s") / figures.median("aiohttp_per_s")
    figures.add(share_of_aiohttp_percent=100 * ratio)


def waiting_ones(figures: Figures, secret: str) -> None:
    """Messages that wait, over HTTP and through the simulated provider, in turn with those of the yardstick."""
    for _ in range(sizes.ROUNDS):
        _drain_the_yardstick(figures, secret)
        drain(figures, "drain_http", HOOK)
        drain(figures, "drain_null", PAID)


def drain(figures: Figures, name: str, template: str, *, workers: int = installation.WORKERS) -> None:
    """Messages that wait, with nobody else at work, on tables that hold nothing else."""
    with OURS.ledger() as ledger:
        ledger.clear()
        drain_as_it_is(figures, ledger, name, template, workers=workers)


def drain_as_it_is(
    figures: Figures, ledger: Ledger, name: str, template: str, *, workers: int = installation.WORKERS
) -> None:
    """The same on tables that hold what they hold."""
    with _provider(template) as provider, OURS.workers(workers) as worker:
        warm_up(ledger, template, processes=workers + 1)
        with transaction.atomic():
            stock.queue(sizes.MESSAGES, template, caller=factories.caller())
            course = _Course(ledger, provider, worker)
        ledger.wait_until_all_is_sent()
        course.end(figures, name)


def _drain_the_yardstick(figures: Figures, secret: str) -> None:
    with YARDSTICK.ledger() as ledger:
        ledger.clear()
        with YARDSTICK.web():
            bodies = list(singles(sizes.YARDSTICK_REQUESTS))
            load.post(installation.url(SINGLE), secret, bodies, callers=sizes.CALLERS)
        with installation.provider() as provider, YARDSTICK.workers() as worker:
            ledger.wait_until_one_is_sent()
            course = _Course(ledger, provider, worker)
            ledger.wait_until_all_is_sent()
            course.end(figures, "yardstick_drain")


def at_once(
    figures: Figures,
    name: str,
    side: Side,
    secret: str,
    bodies: list[bytes],
    *,
    template: str = HOOK,
    workers: int = installation.WORKERS,
    latency_ms: int = 0,
) -> None:
    """Accept these bodies, single ones or batches, and send what is in them meanwhile."""
    is_batch = b'"items"' in bodies[0]
    path, callers = (BATCH, 4) if is_batch else (SINGLE, sizes.CALLERS)
    warm_up = list(singles(WARM_UP, template))
    with side.ledger() as ledger:
        ledger.clear()
        with _provider(template, latency_ms) as provider, side.workers(workers) as worker, side.web() as web:
            load.post(installation.url(SINGLE), secret, warm_up, callers=sizes.CALLERS)
            _settle(ledger)
            course = _Course(ledger, provider, web, worker)
            taken = load.post(installation.url(path), secret, bodies, callers=callers)
            ledger.wait_until_all_is_sent()
            course.end(figures, name)
    if not is_batch:
        figures.add(**{f"{name}_p99_ms": taken.percentile(0.99)})


def _provider(template: str, latency_ms: int = 0) -> "AbstractContextManager[psutil.Process | None]":
    """Whom the messages of a template go to; the simulated one is no process."""
    return installation.provider(latency_ms) if template == HOOK else nullcontext()


class _Course:
    """One measurement under way: what had been delivered, what was used up, and when it began."""

    def __init__(self, ledger: Ledger, provider: psutil.Process | None, *parents: psutil.Process) -> None:
        self._ledger = ledger
        self._before = ledger.delivered()
        self._provider = Meter(provider, with_postgres=False) if provider else None
        self._meter = Meter(*parents)
        self._begun = time.perf_counter()

    def end(self, figures: Figures, name: str) -> None:
        seconds = time.perf_counter() - self._begun
        cost, served = self._meter.stop(), self._provider and self._provider.stop()
        sent = self._ledger.delivered() - self._before
        per_s, cpu = {f"{name}_per_s": sent / seconds}, {f"cpu_s_per_1000_{name}": cost.per_thousand(sent)}
        figures.add(cost, **per_s, **cpu)
        if served:
            figures.add(**{f"cpu_s_per_1000_provider_of_{name}": served.per_thousand(sent)})


def warm_up(ledger: Ledger, template: str, *, processes: int = 1) -> None:
    """See to it that workers have started, know this template and have connections, as a bare loop has.

    The idle processes of a cluster, of which one more is started than is asked for, take their turns.
    """
    for _ in range(processes):
        with transaction.atomic():
            stock.queue(WARM_UP, template, caller=factories.caller())
        _settle(ledger)


def _settle(ledger: Ledger) -> None:
    """Let the warm-up come to its end, and the workers to rest."""
    ledger.wait_until_all_is_sent()
    time.sleep(0.5)
