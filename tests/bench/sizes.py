"""How large a run is. The environment changes each number; docs/performance.md names them."""

import os


def _size(name: str, default: int) -> int:
    return int(os.environ.get(f"BENCH_{name}", default))


#: How often each measurement takes its turn.
ROUNDS = _size("ROUNDS", 3)
ROUNDS_OF_BATCHES = _size("ROUNDS_OF_BATCHES", 2)
#: Single messages and batches that are accepted in one turn, and from how many callers.
REQUESTS = _size("REQUESTS", 4_000)
YARDSTICK_REQUESTS = _size("YARDSTICK_REQUESTS", 600)
BATCHES = _size("BATCHES", 5)
BATCH_ITEMS = _size("BATCH_ITEMS", 5_000)
CALLERS = _size("CALLERS", 32)
#: Waiting messages that workers send in one turn.
MESSAGES = _size("MESSAGES", 15_000)
#: Messages that wait in the low lane while critical ones are sent, so many a second, so many seconds long.
QUEUED = _size("QUEUED", 1_000_000)
CRITICAL_PER_S = 20
CRITICAL_SECONDS = _size("CRITICAL_SECONDS", 20)
#: Messages with a time of their own within ten seconds.
SCHEDULED = _size("SCHEDULED", 500)
#: How long a worker without work is looked at.
IDLE_SECONDS = _size("IDLE_SECONDS", 20)
#: Rows of the past in the tables; only where ``stocked`` is asked for.
STOCKED = tuple(map(int, os.environ.get("BENCH_STOCKED", "10000,100000,1000000").split(",")))
#: How long the long run is; only where ``soak`` is asked for. 0 per second means half of what is the most.
SOAK_MINUTES = _size("SOAK_MINUTES", 30)
SOAK_PER_S = _size("SOAK_PER_S", 0)
