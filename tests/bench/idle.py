"""What a worker costs that has nothing to do."""

import time

from tests.bench import installation, sizes
from tests.bench.bodies import PAID
from tests.bench.figures import Figures
from tests.bench.meter import Meter
from tests.bench.sending import warm_up
from tests.bench.sides import OURS

#: Workers have come to rest by then, in seconds.
REST = 3.0


def measure(figures: Figures, secret: str) -> None:
    """Processor seconds of an idle minute: the cluster's processes, and what PostgreSQL does for them."""
    with OURS.ledger() as ledger:
        ledger.clear()
        with installation.workers() as workers:
            warm_up(ledger, PAID)
            time.sleep(REST)
            alone, together = Meter(workers, with_postgres=False), Meter(workers)
            time.sleep(sizes.IDLE_SECONDS)
            cluster, all_of_it = alone.stop(), together.stop()
    minute = 60 / sizes.IDLE_SECONDS
    figures.add(
        all_of_it,
        idle_worker_cpu_s_per_minute=cluster.cpu_seconds * minute,
        idle_postgres_cpu_s_per_minute=(all_of_it.cpu_seconds - cluster.cpu_seconds) * minute,
    )
