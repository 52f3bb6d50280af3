"""Who sends a template. The message pipeline knows and tells here: this package does not import it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from templates_app.models import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A system that sent a template lately: how many messages, and the last one when."""

    system_code: str
    system_name: str
    messages: int
    last_at: datetime


Source = Callable[[Template], list[Sender]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Called when the apps are ready, by whoever knows the messages of a template; twice is once."""
    if source not in _sources:
        _sources.append(source)


def senders(template: Template) -> list[Sender]:
    """The systems that sent this template in the last 30 days, the busiest first; empty where nobody knows."""
    found = [sender for source in _sources for sender in source(template)]
    return sorted(found, key=lambda each: (-each.messages, each.system_code))
