"""What was measured, by name, and where it is written."""

import json
import os
import platform
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import sizes
from tests.bench.meter import Cost

LATEST = Path(__file__).resolve().parent.parent.parent / "var" / "bench" / "latest.json"


@dataclass(slots=True)
class Figures:
    """Each figure with the value of every round."""

    rounds: dict[str, list[float]] = field(default_factory=dict)
    stolen: list[float] = field(default_factory=list)

    def add(self, cost: Cost | None = None, /, **values: float) -> None:
        """Figures of one turn; ``cost`` says how much was stolen from it."""
        for name, value in values.items():
            self.rounds.setdefault(name, []).append(value)
        if cost:
            self.stolen.append(cost.stolen_percent)

    def median(self, name: str) -> float:
        return statistics.median(self.rounds[name])

    def medians(self) -> dict[str, float]:
        found = {name: round(self.median(name), 3) for name in self.rounds}
        return found | {"stolen_percent": round(max(self.stolen, default=0.0), 3)}

    def write(self) -> None:
        """Write them down; later figures of the same run join them."""
        LATEST.parent.mkdir(parents=True, exist_ok=True)
        LATEST.write_text(json.dumps(self.medians() | _machine(), indent=2) + "\n")

    def print(self) -> None:
        for name, value in self.medians().items():
            print(f"{name:52} {value:12,.2f}")  # noqa: T201  (the table is the point)


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{
            name.lower(): value
            for name, value in vars(sizes).items()
            if name.isupper() and isinstance(value, int)
        },
    }
