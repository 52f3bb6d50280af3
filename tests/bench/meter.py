"""What a measurement costs: processor seconds of all processes that serve it, and what the host took away."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from pushcenter.embedded import home


@dataclass(slots=True)
class Cost:
    """Processor seconds, and the share of the machine's time that the host gave to others, in percent."""

    cpu_seconds: float = 0.0
    stolen_percent: float = 0.0

    def per_thousand(self, count: float) -> float:
        return self.cpu_seconds * 1000 / max(1, count)


class Meter:
    """Counts what these processes and their descendants use up, PostgreSQL too, from its making on."""

    def __init__(self, *parents: psutil.Process, with_postgres: bool = True) -> None:
        self._parents = parents
        self._with_postgres = with_postgres
        self._machine = psutil.cpu_times()
        self._before = self._seconds()

    def stop(self) -> Cost:
        now = psutil.cpu_times()
        passed = sum(now) - sum(self._machine)
        stolen = 100 * (now.steal - self._machine.steal) / passed if passed else 0.0
        return Cost(cpu_seconds=self._seconds() - self._before, stolen_percent=stolen)

    def _seconds(self) -> float:
        postgres = [_postmaster()] if self._with_postgres else []
        return sum(map(_processor_seconds, _families([*self._parents, *postgres])))


@contextmanager
def metered(*parents: psutil.Process) -> Iterator[Cost]:
    """Meters a block; what it has cost is there at its end."""
    cost, meter = Cost(), Meter(*parents)
    yield cost
    done = meter.stop()
    cost.cpu_seconds, cost.stolen_percent = done.cpu_seconds, done.stolen_percent


def _postmaster() -> psutil.Process:
    """The server of this installation: others may run on the machine."""
    found = home.find(Path(os.environ["PUSHCENTER_DATA"]))
    if found is None:
        raise RuntimeError("no database runs here")
    return psutil.Process(int((found.cluster / "postmaster.pid").read_text().split("\n", 1)[0]))


def _families(parents: Sequence[psutil.Process]) -> set[psutil.Process]:
    return {each for parent in parents for each in (parent, *parent.children(recursive=True))}


def _processor_seconds(process: psutil.Process) -> float:
    """Its own, and those of its children that have ended meanwhile."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system
