"""What a measurement costs: processor seconds of all processes that serve it, and what the host took away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil


@dataclass(slots=True)
class Cost:
    """Processor seconds, and the share of the machine's time that the host gave to others, in percent."""

    cpu_seconds: float = 0.0
    stolen_percent: float = 0.0

    def per_thousand(self, count: int) -> float:
        return self.cpu_seconds * 1000 / count


@contextmanager
def metered(*parents: psutil.Process) -> Iterator[Cost]:
    """Meters these processes, their descendants, and PostgreSQL."""
    cost = Cost()
    before, machine = _processor_seconds(parents), psutil.cpu_times()
    yield cost
    cost.cpu_seconds = _processor_seconds(parents) - before
    now = psutil.cpu_times()
    passed = sum(now) - sum(machine)
    cost.stolen_percent = 100 * (now.steal - machine.steal) / passed if passed else 0.0


def _processor_seconds(parents: Sequence[psutil.Process]) -> float:
    family = [each for parent in parents for each in (parent, *parent.children(recursive=True))]
    servers = [each for each in psutil.process_iter(["name"]) if each.info["name"] == "postgres"]
    total = 0.0
    for process in {*family, *servers}:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
