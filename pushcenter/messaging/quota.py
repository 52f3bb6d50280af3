"""Daily quotas: counted in the transaction that accepts, so that what was counted was accepted and nothing else.

The row of a system and day is locked until that transaction commits. Only systems with a quota have one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pushcenter import prepared

BEGIN = """
INSERT INTO messaging_dailyuse (system_id, day, accepted) VALUES ($1::uuid, $2::date, 0) ON CONFLICT DO NOTHING
"""
LOCK = "SELECT accepted FROM messaging_dailyuse WHERE system_id = $1::uuid AND day = $2::date FOR UPDATE"
LOOK = "SELECT accepted FROM messaging_dailyuse WHERE system_id = $1::uuid AND day = $2::date"
COUNT = """
UPDATE messaging_dailyuse SET accepted = accepted + $3::int WHERE system_id = $1::uuid AND day = $2::date
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a system may still send on this day."""

    limit: int
    remaining: int


class QuotaExceeded(Exception):
    """The system has sent all that it may on this day. ``retry_after`` is in seconds, to midnight UTC."""

    def __init__(self, left: Left, *, retry_after: int) -> None:
        super().__init__(f"{left.remaining} of {left.limit} messages are left for today")
        self.left = left
        self.retry_after = retry_after


def lock(limits: Mapping[UUID, int], now: datetime) -> dict[UUID, Left]:
    """What is left for each system; nobody else counts until the end of the transaction."""
    return {system: _lock(system, limits[system], now) for system in sorted(limits)}


def _lock(system: UUID, limit: int, now: datetime) -> Left:
    where = (str(system), _day(now))
    found = prepared.rows(LOCK, *where)
    if not found:
        prepared.rows(BEGIN, *where)
        found = prepared.rows(LOCK, *where)
    return Left(limit=limit, remaining=max(0, limit - int(found[0][0] or 0)))


def look(system: UUID, limit: int, now: datetime) -> Left:
    """What is left for a system, without keeping anybody from counting."""
    found = prepared.rows(LOOK, str(system), _day(now))
    return Left(limit=limit, remaining=max(0, limit - int(found[0][0] or 0 if found else 0)))


def count(accepted: Mapping[UUID, int], now: datetime) -> None:
    """Count what was accepted; the rows are locked already."""
    for system, number in accepted.items():
        prepared.rows(COUNT, str(system), _day(now), str(number))


def exceeded(left: Left, now: datetime) -> QuotaExceeded:
    """The error that says when to come again."""
    return QuotaExceeded(left, retry_after=max(1, round((midnight(now) - now).total_seconds())))


def midnight(now: datetime) -> datetime:
    """When the next day begins."""
    return (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
