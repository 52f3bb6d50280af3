"""One inbox as server-sent events: what its reader has not been told yet.

https://html.spec.whatwg.org/multipage/server-sent-events.html

An entry is told when it is delivered, which is not the order in which entries are made; and a transaction that wrote an
earlier time may end later. So each look goes back a little, and leaves out what has been told.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils import timezone

from pushcenter.access.serializers.inbox import InboxEntrySerializer
from pushcenter.messaging.inbox import Inbox

#: How far a look goes back: clocks differ, and transactions take time.
OVERLAP = timedelta(seconds=10)
#: Who comes back after longer is told of this time only, and reads the list for the rest.
LONGEST_AWAY = timedelta(days=1)
#: Entries told at a time.
PAGE = 100


class Feed:
    """What one reader of an inbox is told; ``since`` is the moment of the last event that it has seen.

    ``is_behind`` says that there is more to tell than one look has found.
    """

    def __init__(self, inbox: Inbox, since: datetime | None = None) -> None:
        now = timezone.now()
        self.inbox = inbox
        self.is_behind = False
        self._since = min(max(since or now, now - LONGEST_AWAY), now)
        self._told: dict[UUID, datetime] = {}
        self._unread = -1

    def news(self) -> bytes:
        """The events since the last time; empty where there are none."""
        return "".join(self._events()).encode()

    def _events(self) -> Iterator[str]:
        entries = self.inbox.delivered_after(self._since - OVERLAP, leave_out=self._told, limit=PAGE)
        self.is_behind = len(entries) == PAGE
        for entry in entries:
            self._told[entry.id] = entry.delivered_at
            self._since = max(self._since, entry.delivered_at)
            yield event("entry", InboxEntrySerializer(asdict(entry)).data, at=self._since)
        self._forget()
        unread = self.inbox.unread_count()
        if unread != self._unread and not self.is_behind:
            self._unread = unread
            yield event("unread", {"unread": unread}, at=self._since)

    def _forget(self) -> None:
        """What the next look does not go back to need not be remembered."""
        oldest = self._since - OVERLAP
        self._told = {entry: at for entry, at in self._told.items() if at > oldest}


def event(name: str, data: object, *, at: datetime) -> str:
    """One event; its id is the moment to which a reader who has it is up to date."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"id: {at.timestamp():.6f}\nevent: {name}\ndata: {text}\n\n"


def moment_of(event_id: str) -> datetime | None:
    """The moment in ``Last-Event-ID``; None where there is none."""
    try:
        return datetime.fromtimestamp(float(event_id), UTC)
    except (ValueError, OverflowError, OSError):
        return None
