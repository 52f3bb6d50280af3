"""Finding messages: what an index answers, and what has to be looked up message by message."""

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Messages from one to another, by what stands on their deliveries; no index knows that beyond these bounds."""

    rows: QuerySet[Message]
    oldest: UUID
    newest: UUID

    def all(self) -> QuerySet[Message]:
        return self.rows.filter(pk__gte=self.oldest, pk__lte=self.newest)

    def on_channel(self, channel: str) -> "Window":
        """Those with a delivery on this channel, a skipped one, too."""
        return replace(self, rows=self.rows.filter(Exists(self._deliveries().filter(channel=channel))))

    def with_status(self, status: State) -> "Window":
        """Those whose :func:`states.summary` is this one: a delivery has got so far, and none has got further."""
        mine = self._deliveries()
        if status is State.SKIPPED:
            return replace(self, rows=self.rows.filter(~Exists(mine.exclude(state=State.SKIPPED))))
        better = PRECEDENCE[: PRECEDENCE.index(status)]
        found = self.rows.filter(Exists(mine.filter(state=status)), ~Exists(mine.filter(state__in=better)))
        return replace(self, rows=found)

    def _deliveries(self) -> QuerySet[Delivery]:
        # The database does not conclude the bounds from those of the messages, and would look for all of a channel.
        within = Delivery.objects.filter(message__gte=self.oldest, message__lte=self.newest)
        return within.filter(message=OuterRef("pk"))
