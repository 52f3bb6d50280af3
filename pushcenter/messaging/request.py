"""What comes in: who asks, what all messages of a call share, and what each of them has of its own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pushcenter.lanes import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what is permitted. Empty ``channels`` permit every channel; no ``templates`` and no
    ``categories`` permit every template. ``daily_quota`` counts messages and ``max_broadcast`` people; None sets
    no limit.
    """

    system_id: UUID
    key_id: UUID | None = None
    is_test: bool = False
    channels: Collection[str] = ()
    templates: Collection[str] = ()
    categories: Collection[str] = ()
    highest_priority: Lane = Lane.CRITICAL
    may_address_inline: bool = True
    daily_quota: int | None = None
    may_broadcast: bool = True
    max_broadcast: int | None = None

    def may_send(self, *, template: str, category: str) -> bool:
        """Whether templates of this code and category are permitted."""
        anything = not self.templates and not self.categories
        return anything or template in self.templates or category in self.categories


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for, its shape already checked: all that the messages of one call share, and, for a single
    message, ``to``, ``params`` and ``reference``.
    """

    template: str
    to: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    channels: Sequence[str] = ()
    priority: Lane | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    reference: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One message of a call."""

    to: Mapping[str, Any]
    params: Mapping[str, Any]
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call with an ``Idempotency-Key``; ``fingerprint`` is the SHA-256 of its method, path and body."""

    system_id: UUID
    is_test: bool
    key: str
    fingerprint: bytes
