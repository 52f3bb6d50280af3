"""Deliveries of stopped templates and systems: put aside where they are met, and made due again after the stop.

Each statement asks the rows of the stops themselves and shares a lock on them. So none ends between the look at it
and the mark, which would be forgotten then; and who lets go sees every mark that was made before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pushcenter import prepared
from pushcenter.messaging.claims import Claimed, Queue

STOPPED = """
(SELECT ARRAY(SELECT target::uuid FROM messaging_stop
               WHERE ended_at IS NULL AND kind IN ('template', 'system') FOR SHARE) AS ids OFFSET 0)
"""
PUT_BACK = f"""
UPDATE messaging_delivery AS d
   SET state = 'pending', claims = d.claims - 1, lease_until = NULL,
       held = m.template_id = ANY(stopped.ids) OR m.system_id = ANY(stopped.ids)
  FROM {STOPPED} AS stopped, unnest($1::uuid[], $2::int[]) AS v(id, claim), messaging_message AS m
 WHERE d.id = v.id AND d.claims = v.claim AND d.state = 'sending' AND m.id = d.message_id
RETURNING d.held
"""  # noqa: S608  (no value of anybody's is in it)
# Looks at the first of the lane alone, in the order in which they would be claimed.
PUT_ASIDE = f"""
UPDATE messaging_delivery AS d SET held = true
  FROM {STOPPED} AS stopped
 WHERE d.id = ANY(ARRAY(
         SELECT first.id FROM messaging_delivery AS first
           JOIN messaging_message AS m ON m.id = first.message_id
          WHERE first.id = ANY(ARRAY(
                  SELECT id FROM messaging_delivery
                   WHERE state = 'pending' AND NOT held
                     AND lane = $1 AND channel = $2 AND is_test = $3::bool AND due_at <= statement_timestamp()
                   ORDER BY due_at LIMIT $4::int))
            AND (m.template_id = ANY(stopped.ids) OR m.system_id = ANY(stopped.ids))
            AND first.state = 'pending' AND NOT first.held
            FOR UPDATE OF first SKIP LOCKED))
RETURNING d.id
"""  # noqa: S608
# Walks over all that is held, in the order in which it is due, and takes what nothing else holds. The rows are locked
# in the order of their ids, as everywhere.
LET_GO = f"""
WITH looked AS (
    SELECT id, due_at, message_id, batch_id FROM messaging_delivery
     WHERE state = 'pending' AND held
       AND (due_at, id) > ($2::timestamptz, $3::uuid)
     ORDER BY due_at, id LIMIT $4::int
), free AS (
    SELECT looked.id
      FROM looked JOIN messaging_message AS m ON m.id = looked.message_id, {STOPPED} AS stopped
     WHERE (m.template_id = $1::uuid OR m.system_id = $1::uuid)
       AND NOT (m.template_id = ANY(stopped.ids) OR m.system_id = ANY(stopped.ids))
       AND NOT EXISTS (SELECT FROM messaging_batch AS b WHERE b.id = looked.batch_id AND b.is_stopped)
       AND NOT EXISTS (SELECT FROM messaging_brake AS k WHERE k.batch_id = looked.batch_id AND k.state = 'slice')
), locked AS (
    SELECT id FROM messaging_delivery
     WHERE id = ANY(ARRAY(SELECT id FROM free)) AND state = 'pending' AND held
     ORDER BY id FOR UPDATE
), gone AS (
    UPDATE messaging_delivery AS d SET held = false FROM locked WHERE d.id = locked.id
    RETURNING d.lane
)
SELECT last.due_at, last.id, (SELECT string_agg(DISTINCT lane, ',') FROM gone)
  FROM (SELECT due_at, id FROM looked ORDER BY due_at DESC, id DESC LIMIT 1) AS last
"""  # noqa: S608
NOWHERE = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """One piece of letting go: up to where it looked, and the lanes that have work again."""

    due: datetime
    last: UUID
    lanes: frozenset[str]


class Aside:
    """What the QuerySet of deliveries does with them."""

    def put_back(self, claimed: Sequence[Claimed]) -> int:
        """Undo claims that were just made, and hold the deliveries.

        Where the stop has ended meanwhile, the delivery is due again. Returns how many are held.
        """
        ids, claims = [each.id for each in claimed], [each.claims for each in claimed]
        rows = prepared.rows(PUT_BACK, prepared.array(ids), prepared.array(claims))
        return sum(held == "t" for (held,) in rows)

    def put_aside_stopped(self, queue: Queue, *, limit: int) -> int:
        """Hold those of the first ``limit`` due deliveries of a queue whose template or system is stopped."""
        return len(prepared.rows(PUT_ASIDE, queue.lane, queue.channel, str(queue.is_test), str(limit)))

    def let_go_after_stop(
        self, target: str, *, due: datetime | None, last: UUID | None, limit: int
    ) -> LetGo | None:
        """Look at the next ``limit`` held deliveries behind a place, and make those of a template or system due again
        that nothing else holds. None where there are no more.
        """
        start = due.isoformat() if due else "-infinity"
        rows = prepared.rows(LET_GO, target, start, str(last or NOWHERE), str(limit))
        if not rows:
            return None
        [(at, place, lanes)] = rows
        return LetGo(
            due=datetime.fromisoformat(at or ""),
            last=UUID(place or ""),
            lanes=frozenset(filter(None, (lanes or "").split(","))),
        )
