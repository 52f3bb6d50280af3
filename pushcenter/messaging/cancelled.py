"""Which messages were cancelled: by themselves, or with their batch. What is under way then gets no other try."""

from collections.abc import Iterable
from uuid import UUID

from pushcenter.messaging.models import Batch, Event, Message

#: The kind of the event that says so of a message; one with a delivery speaks of that delivery alone.
EVENT = "message_cancelled"


def among(messages: Iterable[Message]) -> set[UUID]:
    """The ids of those of these messages that were cancelled."""
    asked = {message.pk: message.batch_id for message in messages}
    if not asked:
        return set()
    found = set(Event.objects.filter(message__in=asked, kind=EVENT).values_list("message_id", flat=True))
    batches = {batch for batch in asked.values() if batch}
    gone = set(Batch.objects.filter(pk__in=batches, cancelled_at__isnull=False).values_list("pk", flat=True))
    return found | {message for message, batch in asked.items() if batch in gone}
