"""What both sides have written down: the ledger in the database, and the provider's own log."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults import provider
from tests.faults.database import Database

MESSAGES = """
SELECT id::text, COALESCE(batch_id::text, ''), reference FROM messaging_message
"""
DELIVERIES = """
SELECT d.id::text, d.message_id::text, d.channel, d.lane, d.state, d.maybe_duplicate,
       count(a.id) FILTER (WHERE a.outcome IN ('sent', 'lost', 'temporary')),
       count(a.id), COALESCE(max(a.number) > min(a.number) FILTER (WHERE a.outcome = 'sent'), false)
  FROM messaging_delivery d LEFT JOIN messaging_attempt a ON a.delivery_id = d.id
 GROUP BY d.id
"""
# Attempts are only inserted, so that the commit of a row's transaction is the moment at which it was recorded. What a
# sweep gives up as lost is not counted: it does not show that anybody is served.
OUTCOMES = """
SELECT d.lane, extract(epoch FROM pg_xact_commit_timestamp(a.xmin))::float8
  FROM messaging_attempt a JOIN messaging_delivery d ON d.id = a.delivery_id
 WHERE a.outcome <> 'lost'
"""
ACCEPTED = "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM messaging_message"
LOST = """
SELECT count(*), COALESCE(max(extract(epoch FROM finished_at - started_at)), 0)::float8
  FROM messaging_attempt WHERE outcome = 'lost'
"""
STORY = """
SELECT number, outcome, code, to_char(started_at, 'HH24:MI:SS.MS'), to_char(finished_at, 'HH24:MI:SS.MS')
  FROM messaging_attempt WHERE delivery_id = %s::uuid ORDER BY number
"""
IN_FLIGHT = "SELECT count(*) FROM messaging_delivery WHERE state IN ('pending', 'sending')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    id: str
    batch: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """``doubtful`` counts the attempts that may have reached the provider, ``attempts`` all of them.

    ``is_resent`` says that there was another attempt after one that is recorded as sent.
    """

    id: str
    message: str
    channel: str
    lane: str
    state: str
    maybe_duplicate: bool
    doubtful: int
    attempts: int
    is_resent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A call as the provider saw it."""

    delivery: str
    at: float
    did: str

    @property
    def has_it(self) -> bool:
        return self.did in provider.TAKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    messages: Sequence[Message]
    deliveries: Sequence[Delivery]
    calls: Sequence[Taken]
    #: Lane and moment of each recorded outcome.
    outcomes: Sequence[tuple[str, float]]
    #: When each message was there for good.
    accepted: Sequence[float] = ()
    #: Attempts whose end nobody knows, and the longest time until that was written down.
    lost_attempts: int = 0
    longest_lost_s: float = 0.0


def read(database: Database, log: Path) -> Ledger:
    [(lost, longest)] = database.patient_rows(LOST)
    return Ledger(
        messages=[
            Message(id=key, batch=batch, reference=reference)
            for key, batch, reference in database.rows(MESSAGES)
        ],
        deliveries=[
            Delivery(
                id=key,
                message=message,
                channel=channel,
                lane=lane,
                state=state,
                maybe_duplicate=marked,
                doubtful=doubtful,
                attempts=attempts,
                is_resent=is_resent,
            )
            for key, message, channel, lane, state, marked, doubtful, attempts, is_resent in database.rows(
                DELIVERIES
            )
        ],
        calls=provider_calls(log),
        outcomes=database.rows(OUTCOMES),
        accepted=[at for (at,) in database.rows(ACCEPTED)],
        lost_attempts=lost,
        longest_lost_s=longest,
    )


def provider_calls(log: Path) -> list[Taken]:
    lines = (json.loads(line) for line in log.read_text().splitlines())
    return [Taken(delivery=line["id"], at=line["at"], did=line["did"]) for line in lines]


def in_flight(database: Database) -> int:
    [(count,)] = database.patient_rows(IN_FLIGHT)
    return int(count)


def story(database: Database, delivery: Delivery, calls: Sequence[Taken]) -> list[str]:
    """What the ledger and the provider know of one delivery, in lines for a person."""
    seen = " ".join(f"{clock(call.at)} {call.did}" for call in calls if call.delivery == delivery.id)
    attempts = [" ".join(map(str, row)) for row in database.rows(STORY, delivery.id)]
    head = f"{delivery.id}: {delivery.channel}, {delivery.lane}, {delivery.state}, marked: {delivery.maybe_duplicate}"
    return [head, f"  the provider: {seen or 'never called'}", *(f"  attempt {each}" for each in attempts)]


def clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S.%f}"[:-3]
