"""When a message reaches its provider: a critical one while a million others wait, and one with a time of its own."""

import time
from datetime import UTC, datetime, timedelta

from django.db import transaction

from pushcenter.lanes import Lane
from pushcenter.messaging.models import Delivery
from tests import factories
from tests.bench import installation, load, provider, sizes, stock
from tests.bench.bodies import HOOK, SINGLE, timed
from tests.bench.figures import Figures, percentile
from tests.bench.sending import warm_up
from tests.bench.sides import OURS

#: Workers are at full speed by then, in seconds.
SETTLE = 2.0
#: A message that the provider has not seen by then counts as late by so much, in seconds.
LOST = 30.0
#: Scheduled messages are spread over so many seconds; the first is due so long after the first call.
SPREAD, AHEAD = 10.0, 6.0


def critical(figures: Figures, secret: str) -> None:
    """From acceptance to the provider, while the low lane is full and workers are busy with it."""
    count = sizes.CRITICAL_SECONDS * sizes.CRITICAL_PER_S
    bodies = [timed(_address(number), priority=Lane.CRITICAL.value) for number in range(count)]
    with OURS.ledger() as ledger, installation.provider():
        ledger.clear()
        with OURS.web(), OURS.workers():
            warm_up(ledger, HOOK)
            with transaction.atomic():
                stock.queue(sizes.QUEUED, HOOK, caller=factories.caller(), priority=Lane.LOW)
            stock.analyse()
            time.sleep(SETTLE)
            before = ledger.delivered()
            load.paced(installation.url(SINGLE), secret, bodies, callers=10, per_second=sizes.CRITICAL_PER_S)
            meanwhile = ledger.delivered() - before
            waits = _late("accepted_at", Lane.CRITICAL, count)
    figures.add(
        critical_p50_ms=percentile(waits, 0.50),
        critical_p99_ms=percentile(waits, 0.99),
        critical_all_sent_per_s=meanwhile / sizes.CRITICAL_SECONDS,
    )


def scheduled(figures: Figures, secret: str) -> None:
    """How much later than its ``send_at`` a message reaches the provider."""
    count = sizes.SCHEDULED
    with OURS.ledger() as ledger, installation.provider():
        ledger.clear()
        with OURS.web(), OURS.workers():
            warm_up(ledger, HOOK)
            first = datetime.now(UTC) + timedelta(seconds=AHEAD)
            step = timedelta(seconds=SPREAD) / count
            bodies = [
                timed(_address(number), send_at=(first + number * step).isoformat())
                for number in range(count)
            ]
            load.post(installation.url(SINGLE), secret, bodies, callers=sizes.CALLERS)
            ledger.wait_until_all_is_sent()
            late = _late("due_at", Lane.NORMAL, count)
    figures.add(
        scheduled_late_p50_ms=percentile(late, 0.50),
        scheduled_late_p99_ms=percentile(late, 0.99),
        scheduled_late_least_ms=min(late),
    )


def _address(number: int) -> str:
    return f"{installation.provider_url()}{provider.TIMED.decode()}{number}"


def _late(since: str, lane: Lane, count: int) -> list[float]:
    """How long after a moment of its own each reached the provider, in milliseconds."""
    until = time.monotonic() + LOST
    while len(came := provider.received(installation.provider_url())) < count and time.monotonic() < until:
        time.sleep(0.2)
    begun = dict(Delivery.objects.filter(lane=lane).values_list("address", since))
    ours = (begun[_address(number)].timestamp() for number in range(count))
    moments = (came.get(f"{provider.TIMED.decode()}{number}") for number in range(count))
    return [
        LOST * 1000 if moment is None else (moment - start) * 1000
        for start, moment in zip(ours, moments, strict=True)
    ]
