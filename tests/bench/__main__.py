"""``make bench``: what this machine does with Push Center, as a table and in ``var/bench/latest.json``.

Every figure comes from this run. What is compared takes turns, and each figure is the median of its rounds, so that a
machine whose speed drifts still gives ratios that mean something.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping

from tests.bench import installation

#: What is measured only where it is asked for, because it takes long.
LONG = {"stocked", "soak"}


def main() -> None:
    data = installation.prepare()
    import django

    django.setup()
    from django.core.management import call_command

    try:
        call_command("migrate", verbosity=0)
        measure(installation.seed())
    finally:
        installation.remove(data)


def measure(secret: str) -> None:
    """Each part in turn; what is there is written down after each, so that no fault takes all of it away."""
    from tests.bench.figures import Figures

    figures = Figures()
    for name, part in chosen(parts()).items():
        begun = time.monotonic()
        part(figures, secret)
        figures.write()
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)  # noqa: T201  (how far it is)
    figures.print()


def parts() -> "Mapping[str, Callable[..., None]]":
    """What can be measured, by name."""
    from tests.bench import accepting, idle, rendering, sending, soak, stocked, timing

    return {
        "rendering": rendering.measure,
        "accepting": accepting.measure,
        "batches": sending.from_batches,
        "singles": sending.from_singles,
        "aiohttp": sending.beside_a_bare_loop,
        "waiting": sending.waiting_ones,
        "critical": timing.critical,
        "scheduled": timing.scheduled,
        "idle": idle.measure,
        "stocked": stocked.measure,
        "soak": soak.measure,
    }


def chosen(known: "Mapping[str, Callable[..., None]]") -> "Mapping[str, Callable[..., None]]":
    """Those that ``BENCH_ONLY`` names, separated by commas; without it all but the long ones."""
    asked = [name for name in os.environ.get("BENCH_ONLY", "").split(",") if name]
    if unknown := set(asked) - set(known):
        raise SystemExit(f"BENCH_ONLY knows {', '.join(known)}; not {', '.join(sorted(unknown))}")
    return {name: part for name, part in known.items() if name in asked or (not asked and name not in LONG)}


if __name__ == "__main__":
    main()
