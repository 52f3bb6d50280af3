"""The in-app inbox: a delivery of the channel ``inbox`` is the entry, its content rendered when it is read.

What a test key sent is in an inbox of its own, which only test keys see: nobody is shown a test.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from pushcenter.messaging import interactions
from pushcenter.messaging.content import seen
from pushcenter.messaging.deliveries import DeliveryQuerySet
from pushcenter.messaging.models import Delivery, Interaction
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What one recipient has been sent."""

    recipient_id: UUID
    is_test: bool = False

    def entries(self, *, before: UUID | None = None, unread: bool = False, limit: int = PAGE) -> list[Entry]:
        """The newest entries, those before an id for the next page."""
        rows = self._rows().select_related("message__template").order_by("-id")
        if before is not None:
            rows = rows.filter(id__lt=before)
        if unread:
            rows = rows.filter(opened_at=None)
        return [_entry(row) for row in rows[:limit]]

    def delivered_after(self, moment: datetime, *, leave_out: Collection[UUID], limit: int) -> list[Entry]:
        """Entries that came after a moment, in the order in which they came."""
        rows = self._rows().filter(delivered_at__gt=moment).exclude(pk__in=leave_out)
        return [
            _entry(row)
            for row in rows.select_related("message__template").order_by("delivered_at", "id")[:limit]
        ]

    def unread_count(self) -> int:
        return self._rows().filter(opened_at=None).count()

    def mark_read(self, ids: Sequence[UUID] | None = None) -> int:
        """Mark these entries as read, or all; returns how many were unread before."""
        unread = self._rows().filter(opened_at=None)
        return interactions.record_opened(
            unread if ids is None else unread.filter(id__in=ids), source="inbox"
        )

    def archive(self, ids: Sequence[UUID]) -> int:
        """Put entries away: they are shown no more. Returns how many were there."""
        return interactions.record_archived(self._rows().filter(id__in=ids), source="inbox")

    def _rows(self) -> DeliveryQuerySet:
        archived = Interaction.objects.filter(delivery=OuterRef("pk"), kind="archived")
        return Delivery.objects.filter(
            ~Exists(archived),
            recipient_id=self.recipient_id,
            channel="inbox",
            state=State.DELIVERED,
            message__is_test=self.is_test,
        )


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
