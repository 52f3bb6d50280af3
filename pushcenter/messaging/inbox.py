"""The in-app inbox: a delivery of the channel ``inbox`` is the entry, its content rendered when it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pushcenter.messaging import interactions
from pushcenter.messaging.content import seen
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.states import State

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as a site or an app shows it."""

    id: UUID
    message: UUID
    template: str
    category: str
    title: str
    body: str
    link: str
    delivered_at: datetime
    read_at: datetime | None


def entries(
    recipient_id: UUID, *, before: UUID | None = None, unread: bool = False, limit: int = PAGE
) -> list[Entry]:
    """The newest entries of a recipient, those before an id for the next page."""
    rows = _of(recipient_id).select_related("message__template").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    if unread:
        rows = rows.filter(opened_at=None)
    return [_entry(row) for row in rows[:limit]]


def unread_count(recipient_id: UUID) -> int:
    return _of(recipient_id).filter(opened_at=None).count()


def mark_read(recipient_id: UUID, ids: Sequence[UUID] | None = None) -> int:
    """Mark these entries as read, or all; returns how many were unread before."""
    rows = _of(recipient_id).filter(opened_at=None).select_related("message")
    if ids is not None:
        rows = rows.filter(id__in=ids)
    return sum(interactions.record(row, "opened", source="inbox") for row in rows)


def _of(recipient_id: UUID) -> Any:
    return Delivery.objects.filter(recipient_id=recipient_id, channel="inbox", state=State.DELIVERED)


def _entry(delivery: Delivery) -> Entry:
    content = seen(delivery)
    return Entry(
        id=delivery.pk,
        message=delivery.message_id,
        template=delivery.message.template.code,
        category=delivery.message.category,
        title=content.get("title", ""),
        body=content.get("body", ""),
        link=content.get("link", ""),
        delivered_at=delivery.delivered_at or delivery.accepted_at,
        read_at=delivery.opened_at,
    )
