"""What must hold of every single row: the checks of a full audit. Each looks for what contradicts it.

Each statement returns system, test, number and examples, for the rows of one day, in a snapshot of its own.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pushcenter.messaging import ledger
from pushcenter.messaging.ledger import Finding

# What was kept for later may never have been needed. Erasing a person leaves that reason as it is.
MISSING = """
SELECT m.system_id, m.is_test, count(*), (array_agg(m.id::text || ' ' || (plan.each ->> 'channel')))[1:5]
  FROM messaging_message m CROSS JOIN LATERAL jsonb_array_elements(m.plan) AS plan (each)
 WHERE m.accepted_at >= %(start)s AND m.accepted_at < %(end)s
   AND plan.each ->> 'choice' <> 'fallback' AND plan.each ->> 'reason' <> 'kept_as_fallback'
   AND NOT EXISTS (SELECT 1 FROM messaging_delivery d
                    WHERE d.message_id = m.id AND d.channel = plan.each ->> 'channel'
                      AND d.accepted_at >= %(start)s AND d.accepted_at < %(end)s)
 GROUP BY 1, 2
"""
SURPLUS = """
WITH sums AS (
    SELECT message_id, channel, count(*) AS number
      FROM messaging_delivery
     WHERE accepted_at >= %(start)s AND accepted_at < %(end)s
     GROUP BY 1, 2
), found AS (
    SELECT m.system_id, m.is_test, m.id::text || ' ' || sums.channel AS sample, sums.number - 1
           + CASE WHEN jsonb_path_exists(m.plan, '$[*] ? (@.channel == $c)', jsonb_build_object('c', sums.channel))
                  THEN 0 ELSE sums.number END AS number
      FROM sums JOIN messaging_message m
        ON m.id = sums.message_id AND m.accepted_at >= %(start)s AND m.accepted_at < %(end)s
)
SELECT system_id, is_test, sum(number), (array_agg(sample))[1:5] FROM found WHERE number > 0 GROUP BY 1, 2
"""
OF_DELIVERIES = """
SELECT m.system_id, m.is_test, count(*), (array_agg(d.id::text))[1:5]
  FROM messaging_delivery d JOIN messaging_message m
    ON m.id = d.message_id AND m.accepted_at >= %(start)s AND m.accepted_at < %(end)s
 WHERE d.accepted_at >= %(start)s AND d.accepted_at < %(end)s AND ({condition})
 GROUP BY 1, 2
"""
ATTEMPTS = "d.attempts <> (SELECT count(*) FROM messaging_attempt a WHERE a.delivery_id = d.id)"
UNFOUNDED = """
d.sent_at IS NOT NULL AND d.attempts = 0
AND NOT EXISTS (SELECT 1 FROM messaging_receipt r WHERE r.delivery_id = d.id)
AND NOT EXISTS (SELECT 1 FROM messaging_event e
                 WHERE e.message_id = d.message_id AND e.delivery_id = d.id AND e.kind = 'late_answer')
"""
ENDS = """
(d.state IN ('pending', 'sending')) <> (d.ended_at IS NULL)
OR (d.state IN ('sent', 'delivered') AND d.sent_at IS NULL)
OR (d.state = 'delivered' AND d.delivered_at IS NULL)
"""
# Each answer to a call with a key is kept for a week, and names what was promised to be there.
ANSWERS = """
SELECT c.system_id, c.is_test, count(*), (array_agg(c.location))[1:5]
  FROM messaging_idempotentcall c
 WHERE c.created_at >= %(start)s AND c.created_at < %(end)s AND c.status = 202
   AND CASE WHEN c.location ~ '^/api/v1/messages/[0-9a-f-]{36}$'
            THEN NOT EXISTS (SELECT 1 FROM messaging_message m WHERE m.id = right(c.location, 36)::uuid)
            WHEN c.location ~ '^/api/v1/batches/[0-9a-f-]{36}$'
            THEN NOT EXISTS (SELECT 1 FROM messaging_batch b WHERE b.id = right(c.location, 36)::uuid)
            ELSE false END
 GROUP BY 1, 2
"""
BATCHES = """
SELECT b.system_id, b.is_test, count(*), (array_agg(b.id::text))[1:5]
  FROM messaging_batch b
 WHERE b.accepted_at >= %(start)s AND b.accepted_at < %(end)s
   AND b.accepted <> (SELECT count(*) FROM messaging_message m WHERE m.batch_id = b.id)
 GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """``label`` says what was found, after a number. For ``joins_the_day`` see :func:`ledger.rows`."""

    name: str
    label: Any
    statement: str
    joins_the_day: bool = False


CHECKS = (
    Check(name="missing", joins_the_day=True, label=_("planned deliveries are missing"), statement=MISSING),
    Check(
        name="surplus",
        joins_the_day=True,
        label=_("deliveries stand in no plan, or twice"),
        statement=SURPLUS,
    ),
    Check(
        name="attempts",
        label=_("deliveries count their attempts differently from the log of attempts"),
        statement=OF_DELIVERIES.format(condition=ATTEMPTS),
    ),
    Check(
        name="unfounded",
        label=_("deliveries are called sent, though no call, receipt or late answer says so"),
        statement=OF_DELIVERIES.format(condition=UNFOUNDED),
    ),
    Check(
        name="ends",
        joins_the_day=True,
        label=_("deliveries have times that do not fit their state"),
        statement=OF_DELIVERIES.format(condition=ENDS),
    ),
    Check(
        name="answers", label=_("messages or batches were acknowledged and are not there"), statement=ANSWERS
    ),
    Check(
        name="batches",
        label=_("batches have another number of messages than was accepted"),
        statement=BATCHES,
    ),
)
FIGURES = _("figures differ from the rows")
LABELS = {"figures": FIGURES, **{check.name: check.label for check in CHECKS}}


def findings(day: date) -> dict[tuple[UUID, bool], dict[str, Finding]]:
    """What all checks find on a day, by system and whether of tests."""
    found: dict[tuple[UUID, bool], dict[str, Finding]] = {}
    for check in CHECKS:
        for system_id, is_test, number, samples in ledger.rows(
            check.statement, day, joins_the_day=check.joins_the_day
        ):
            found.setdefault((system_id, is_test), {})[check.name] = Finding(
                number=int(number), samples=samples
            )
    return found
