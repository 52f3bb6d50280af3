"""Whether the past slows the present: the same messages, on tables that hold ever more of those that were sent."""

from tests.bench import sizes
from tests.bench.bodies import HOOK, PAID
from tests.bench.figures import Figures
from tests.bench.sending import drain


def measure(figures: Figures, secret: str) -> None:
    for rows in sizes.STOCKED:
        drain(figures, f"drain_null_after_{rows}", PAID, past=rows)
        drain(figures, f"drain_http_after_{rows}", HOOK, past=rows)
