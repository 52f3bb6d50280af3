"""What was said to a provider and what it answered, for whoever tries an account out.

Nothing is recorded unless somebody asks for it, and only within the task that asked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call, as it came over the wire: it may hold secrets. ``fault`` tells why there was no answer."""

    method: str
    url: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    fault: str = ""


_running: ContextVar[list[Exchange] | None] = ContextVar("tape", default=None)


@contextmanager
def recording() -> Iterator[list[Exchange]]:
    """Everything that is called in this task, in order."""
    exchanges: list[Exchange] = []
    token = _running.set(exchanges)
    try:
        yield exchanges
    finally:
        _running.reset(token)


def is_running() -> bool:
    """Whether somebody is recording: only then is there anything worth writing down."""
    return _running.get() is not None


def note(exchange: Exchange) -> None:
    """Write a call down, where somebody is recording."""
    running = _running.get()
    if running is not None:
        running.append(exchange)
