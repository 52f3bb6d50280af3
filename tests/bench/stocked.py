"""Whether the past slows the present: the same messages, on tables that hold ever more of those that were sent."""

from tests import factories
from tests.bench import sizes, stock
from tests.bench.bodies import HOOK, PAID
from tests.bench.figures import Figures
from tests.bench.sending import drain_as_it_is
from tests.bench.sides import OURS


def measure(figures: Figures, secret: str) -> None:
    for rows in sizes.STOCKED:
        with OURS.ledger() as ledger:
            ledger.clear()
            stock.history(rows, PAID, caller=factories.caller())
            drain_as_it_is(figures, ledger, f"drain_null_after_{rows}", PAID)
            drain_as_it_is(figures, ledger, f"drain_http_after_{rows}", HOOK)
