"""Word of a changed inbox, for every process that shows one live: PostgreSQL carries it at the commit."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import connection

#: The name of the channel in PostgreSQL.
CHANNEL = "pushcenter_inbox"
#: A notice of PostgreSQL holds 8,000 bytes.
IDS_IN_A_NOTICE = 200


def announce(recipients: Iterable[UUID | None]) -> None:
    """Say that the inboxes of these recipients are not what they were; inside the transaction that changes them."""
    if not (notices := list(_notices(recipients))):
        return
    with connection.cursor() as cursor:
        for text in notices:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, text])


def _notices(recipients: Iterable[UUID | None]) -> Iterator[str]:
    ids = sorted({str(each) for each in recipients if each is not None})
    for start in range(0, len(ids), IDS_IN_A_NOTICE):
        yield ",".join(ids[start : start + IDS_IN_A_NOTICE])


def named_in(notice: str) -> set[UUID]:
    """The recipients in a notice."""
    return {UUID(text) for text in notice.split(",")}
