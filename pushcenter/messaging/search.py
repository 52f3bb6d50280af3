"""Finding messages: what an index answers, and what has to be looked up message by message."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from pushcenter.ids import first_id
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import PRECEDENCE, State
from pushcenter.recipients.models import Recipient

#: What a column of the message itself answers, by the name of the parameter.
COLUMNS = {"reference": "reference", "template": "template__code", "batch": "batch"}


def messages(*, system_id: UUID, is_test: bool, **asked: Any) -> QuerySet[Message]:
    """The messages of a system that meet what is asked, but for their status and channel.

    ``since`` and ``until`` are by the time that stands in the id: when the message was stored.
    """
    rows = Message.objects.filter(system=system_id, is_test=is_test)
    rows = rows.filter(**{column: asked[name] for name, column in COLUMNS.items() if name in asked})
    if "recipient" in asked:
        rows = rows.filter(recipient__in=Recipient.objects.filter(external_id=asked["recipient"]))
    return _within(rows, asked.get("since"), asked.get("until"))


def _within(rows: QuerySet[Message], since: datetime | None, until: datetime | None) -> QuerySet[Message]:
    if since:
        rows = rows.filter(pk__gte=first_id(since))
    return rows.filter(pk__lt=first_id(until)) if until else rows


def on_channel(rows: QuerySet[Message], channel: str) -> QuerySet[Message]:
    """Those with a delivery on this channel, a skipped one, too."""
    return rows.filter(Exists(_deliveries().filter(channel=channel)))


def with_status(rows: QuerySet[Message], status: State) -> QuerySet[Message]:
    """Those whose :func:`states.summary` is this one: a delivery has got so far, and none has got further."""
    if status is State.SKIPPED:
        return rows.filter(~Exists(_deliveries().exclude(state=State.SKIPPED)))
    better = PRECEDENCE[: PRECEDENCE.index(status)]
    return rows.filter(
        Exists(_deliveries().filter(state=status)), ~Exists(_deliveries().filter(state__in=better))
    )


def _deliveries() -> QuerySet[Delivery]:
    return Delivery.objects.filter(message=OuterRef("pk"))
