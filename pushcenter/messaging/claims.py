"""Claiming: what is due is taken by one worker for one attempt, a group at a time.

No model instances here: a worker claims thousands of deliveries a second, and an instance costs more than the claim.
The values are the texts that PostgreSQL gave.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from pushcenter import prepared

# What waits, by one look into the index for each lane, channel and kind of key, however much waits there: each step
# leaps to the next of them. The first of each is the one that is due first.
WAITING = """
WITH RECURSIVE waiting AS (
    (SELECT lane, channel, is_test, due_at FROM messaging_delivery
      WHERE state = 'pending' AND NOT held ORDER BY lane, channel, is_test, due_at LIMIT 1)
    UNION ALL
    SELECT next.* FROM waiting CROSS JOIN LATERAL (
        SELECT lane, channel, is_test, due_at FROM messaging_delivery
         WHERE state = 'pending' AND NOT held
           AND (lane, channel, is_test) > (waiting.lane, waiting.channel, waiting.is_test)
         ORDER BY lane, channel, is_test, due_at LIMIT 1) AS next
)
SELECT lane, channel, is_test, due_at, due_at <= statement_timestamp() FROM waiting
"""

# What belongs to a stopped batch is put aside in passing. The lock on the batch lets nobody resume it between the look
# at it and the mark, which would be forgotten then; batches that go on are not locked. The expiry is written so that no
# index knows it: where PostgreSQL expects little that waits, it would as soon take the one of expiries, and read all.
CLAIM = """
UPDATE messaging_delivery AS d
   SET state = CASE WHEN COALESCE(d.batch_id = ANY(stopped.ids), false) THEN 'pending' ELSE 'sending' END,
       held = COALESCE(d.batch_id = ANY(stopped.ids), false),
       claims = d.claims + CASE WHEN COALESCE(d.batch_id = ANY(stopped.ids), false) THEN 0 ELSE 1 END,
       lease_until = CASE WHEN COALESCE(d.batch_id = ANY(stopped.ids), false) THEN NULL
                          ELSE statement_timestamp() + make_interval(secs => $1::float) END
  FROM (SELECT ARRAY(SELECT id FROM messaging_batch WHERE is_stopped FOR SHARE) AS ids OFFSET 0) AS stopped,
       messaging_message AS m
 WHERE d.id = ANY(ARRAY(
         SELECT due.id
           FROM unnest($2::text[], $3::text[], $4::bool[], $5::int[], $6::timestamptz[])
             AS wish(lane, channel, is_test, size, after)
          CROSS JOIN LATERAL (
                SELECT id FROM messaging_delivery AS w
                 WHERE w.state = 'pending' AND NOT w.held
                   AND w.lane = wish.lane AND w.channel = wish.channel AND w.is_test = wish.is_test
                   AND w.due_at > wish.after
                   AND w.due_at <= statement_timestamp() AND w.expires_at + interval '0' > statement_timestamp()
                 ORDER BY w.due_at LIMIT wish.size
                   FOR UPDATE SKIP LOCKED) AS due))
   AND m.id = d.message_id
RETURNING d.id, d.message_id, d.batch_id, d.recipient_id, d.channel, d.kind, d.address, d.locale, d.lane, d.due_at,
          d.expires_at, d.claims, d.attempts, d.throttled, d.held, d.is_test, d.account_id, d.pinned_to, d.maybe_sent,
          m.system_id, m.template_id, m.version_id, m.category, m.accepted_at, m."to", m.params, m.metadata
"""

# So that who finds the claim abandoned knows whom to ask. The state is written so that no index knows it: each row is
# to be looked up by its id, and not all that is being sent compared with all that is assigned.
ASSIGN = """
UPDATE messaging_delivery AS d SET account_id = v.account
  FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS v(id, account, claim)
 WHERE d.id = v.id AND d.claims = v.claim AND d.state || '' = 'sending'
"""

# Looks at the first of them alone, in the order in which they would be claimed.
PUT_ASIDE = """
UPDATE messaging_delivery AS d SET held = true
  FROM (SELECT ARRAY(SELECT id FROM messaging_batch WHERE is_stopped FOR SHARE) AS ids OFFSET 0) AS stopped
 WHERE d.batch_id = ANY(stopped.ids)
   AND d.id = ANY(ARRAY(
         SELECT id FROM messaging_delivery
          WHERE id = ANY(ARRAY(
                  SELECT id FROM messaging_delivery
                   WHERE state = 'pending' AND NOT held
                     AND lane = $1 AND channel = $2 AND is_test = $3::bool AND due_at <= statement_timestamp()
                   ORDER BY due_at LIMIT $4::int))
            AND batch_id IN (SELECT id FROM messaging_batch WHERE is_stopped)
            AND state = 'pending' AND NOT held
            FOR UPDATE OF messaging_delivery SKIP LOCKED))
"""
EVER = "-infinity"


class Queue(NamedTuple):
    """What a claim takes from: deliveries of one lane and channel, real ones or those of test keys."""

    lane: str
    channel: str
    is_test: bool


class Waiting(NamedTuple):
    """A queue that is not empty, and when its first delivery is due."""

    queue: Queue
    due_at: datetime
    is_due: bool


class Wish(NamedTuple):
    """Up to ``size`` deliveries of a queue, of those that became due after a moment."""

    queue: Queue
    size: int
    after: str = EVER


class Claimed(NamedTuple):
    """A claimed delivery with what is needed of its message. ``held`` tells that it was put aside instead."""

    id: str
    message_id: str
    batch_id: str | None
    recipient_id: str | None
    channel: str
    kind: str
    address: str
    locale: str
    lane: str
    due_at: str
    expires_at: str
    claims: str
    attempts: str
    throttled: str
    held: str
    is_test: str
    account_id: str | None
    pinned_to: str | None
    maybe_sent: str
    system_id: str
    template_id: str
    version_id: str
    category: str
    accepted_at: str
    to: str
    params: str
    metadata: str

    @property
    def queue(self) -> Queue:
        return Queue(self.lane, self.channel, self.is_test == "t")

    @property
    def was_put_aside(self) -> bool:
        return self.held == "t"

    @property
    def expires(self) -> datetime:
        return datetime.fromisoformat(self.expires_at)

    @property
    def failed_through(self) -> UUID | None:
        """The account through which the last attempt failed."""
        return UUID(self.account_id) if self.account_id and self.retries else None

    @property
    def calls(self) -> int:
        """How often an adapter was called for it before."""
        return int(self.attempts)

    @property
    def retries(self) -> int:
        """How far the retry schedule has been used up; a provider's wish for a pause uses none of it."""
        return int(self.attempts) - int(self.throttled)


def waiting() -> list[Waiting]:
    """The queues that are not empty, whether what is in them is due or not."""
    return [
        Waiting(
            Queue(lane or "", channel or "", is_test == "t"),
            datetime.fromisoformat(due_at or ""),
            is_due == "t",
        )
        for lane, channel, is_test, due_at, is_due in prepared.rows(WAITING)
    ]


def oldest(lane: str) -> datetime | None:
    """When the first delivery that waits in a lane is or was due; what has expired meanwhile is for the sweep."""
    return min((each.due_at for each in waiting() if each.queue.lane == lane), default=None)


def claim(wishes: Sequence[Wish], *, lease: float) -> list[Claimed]:
    """Take what the wishes name, for one attempt each; nobody else gets it within ``lease`` seconds.

    Among the answer are deliveries of stopped batches, which were put aside instead.
    """
    rows = prepared.rows(
        CLAIM,
        str(lease),
        prepared.array(wish.queue.lane for wish in wishes),
        prepared.array(wish.queue.channel for wish in wishes),
        prepared.array(wish.queue.is_test for wish in wishes),
        prepared.array(wish.size for wish in wishes),
        prepared.array(wish.after for wish in wishes),
    )
    return [Claimed._make(cast("Iterable[str]", row)) for row in rows]


def assign(accounts: Sequence[tuple[Claimed, str | None]]) -> None:
    """Write down through which account each of them is about to be sent."""
    if accounts:
        prepared.rows(
            ASSIGN,
            prepared.array(each.id for each, _ in accounts),
            prepared.array(account for _, account in accounts),
            prepared.array(each.claims for each, _ in accounts),
        )


def put_aside(queue: Queue, *, limit: int) -> None:
    """Hold those of the first ``limit`` due deliveries of a queue whose batch is stopped."""
    prepared.rows(PUT_ASIDE, queue.lane, queue.channel, str(queue.is_test), str(limit))
