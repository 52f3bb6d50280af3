"""What is tried: how much load, for how long, and how patient everybody is. Times are in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run of the harness.

    ``stall`` is how long a worker is halted that then goes on: longer than its lease, so that others have taken over.

    ``rounds`` is how often each kind of kill happens while the load lasts. Each message expires ``lifetime`` after its
    first call, so that everything has an end; ``calm`` is how long that is waited for after the load. ``hasty`` takes
    adapters with short calls, so that the lease can be short, and sweeps every second. Whoever serves has to serve
    every lane again within ``recovery`` after a kill.
    """

    name: str
    singles: int
    batches: int
    batch_size: int
    seconds: float
    rounds: int
    lifetime: float
    calm: float
    recovery: float
    stall: float
    call_timeout: int
    restart_pause: float
    hasty: bool = False
    clusters: int = 2
    callers: int = 8
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        return self.singles + self.batches * self.batch_size

    @property
    def limit(self) -> float:
        """After this time the harness ends, whatever the state of things."""
        return 120 + 3 * self.seconds + self.calm + 180


#: As in production: default settings, built-in adapters, the sweep by its schedule.
LONG = Plan(
    name="long",
    singles=9_600,
    batches=54,
    batch_size=200,
    seconds=270,
    rounds=5,
    lifetime=240,
    # The last claim can be made at the end of the lifetime; then come its lease and a sweep by schedule.
    calm=240 + 90 + 120,
    recovery=120,
    stall=95,
    call_timeout=5,
    restart_pause=1.0,
)
SHORT = Plan(
    name="short",
    singles=600,
    batches=9,
    batch_size=100,
    seconds=16,
    rounds=1,
    lifetime=20,
    # Much more than it takes on a machine that has nothing else to do.
    calm=90,
    recovery=120,
    stall=8,
    call_timeout=1,
    restart_pause=0.3,
    hasty=True,
    callers=6,
    settings={"LEASE_SECONDS": "6", "DISPATCH_SECONDS": "3", "WORKERS": "3"},
)
