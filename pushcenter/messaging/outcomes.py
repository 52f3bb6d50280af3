"""Recording what attempts came to: state, attempt, figures and consequences in one short transaction."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from channels_app.models import Account
from pushcenter import prepared
from pushcenter.ids import uuid7_hex
from pushcenter.messaging import cancelled, doubt, lookout, news, polls, receipts, steps, tally
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.deliveries import Before
from pushcenter.messaging.fallback import Left, go_on
from pushcenter.messaging.models import Delivery, Event, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended
from pushcenter.recipients.models import Suppression

log = logging.getLogger(__name__)

# An attempt that was sent is believed even when its lease had run out meanwhile, as long as nobody claimed
# the delivery again: that ends a doubt, or saves a repetition. An account can have been deleted during the call.
# Each row is looked up by its id, in the order of the ids, whatever PostgreSQL has last counted in the table: where it
# expects that nothing is being sent, it would rather compare all that is with all that is given.
RECORD = """
WITH old AS (
    SELECT d.id, d.state AS old_state, d.sent_at IS NOT NULL AS was_sent, d.delivered_at IS NOT NULL AS was_delivered,
           v.called, v.called AND d.state = 'sending' AS counts, v.state, v.due_at, account.id AS account_id,
           v.provider_id, v.code, v.reason, v.maybe_duplicate, v.maybe_sent, v.finished_at,
           v.attempt, v.number, v.adapter, v.outcome, v.started_at
      FROM (SELECT * FROM unnest($1::uuid[], $2::int[], $3::bool[], $4::text[], $5::timestamptz[], $6::uuid[],
                                 $7::text[], $8::text[], $9::text[], $10::bool[], $11::bool[], $12::timestamptz[],
                                 $13::uuid[], $14::int[], $15::text[], $16::text[], $17::timestamptz[])
                     AS v(id, claim, called, state, due_at, caller, provider_id, code, reason, maybe_duplicate,
                          maybe_sent, finished_at, attempt, number, adapter, outcome, started_at)
             ORDER BY id) AS v
     CROSS JOIN LATERAL (
            SELECT id, state, sent_at, delivered_at FROM messaging_delivery
             WHERE id = v.id AND claims = v.claim FOR UPDATE) AS d
      LEFT JOIN channels_app_account AS account ON account.id = v.caller
     WHERE d.state = 'sending' OR (d.state IN ('pending', 'in_doubt') AND v.state IN ('sent', 'delivered'))
), attempts AS (
    INSERT INTO messaging_attempt (id, delivery_id, number, adapter, account_id, outcome, code, detail, provider_id,
                                   started_at, finished_at)
    SELECT attempt, id, number, adapter, account_id, outcome, code, reason, provider_id, started_at, finished_at
      FROM old WHERE counts
)
UPDATE messaging_delivery AS d
   SET state = old.state,
       due_at = COALESCE(old.due_at, d.due_at),
       lease_until = NULL,
       attempts = d.attempts + CASE WHEN old.counts THEN 1 ELSE 0 END,
       throttled = d.throttled + CASE WHEN old.counts AND old.outcome = 'throttled' THEN 1 ELSE 0 END,
       account_id = old.account_id,
       provider_id = CASE WHEN old.provider_id = '' THEN d.provider_id ELSE old.provider_id END,
       code = old.code,
       reason = old.reason,
       maybe_duplicate = d.maybe_duplicate OR old.maybe_duplicate,
       maybe_sent = d.maybe_sent OR old.maybe_sent,
       sent_at = CASE WHEN old.state IN ('sent', 'delivered') THEN COALESCE(d.sent_at, old.finished_at)
                      ELSE d.sent_at END,
       delivered_at = CASE WHEN old.state = 'delivered' THEN COALESCE(d.delivered_at, old.finished_at)
                           ELSE d.delivered_at END,
       ended_at = CASE WHEN old.state = 'pending' THEN NULL ELSE old.finished_at END,
       -- The clock of a step of a chain starts with the first try, and with the first that found no account.
       step_until = CASE WHEN old.state IN ('failed', 'expired') THEN NULL
                         WHEN old.called OR old.code = 'no_account'
                         THEN COALESCE(d.step_until, old.finished_at + make_interval(secs => d.step_within))
                         ELSE d.step_until END
  FROM old
 WHERE d.id = old.id
RETURNING d.id, old.old_state, old.was_sent, old.was_delivered, d.step_until
"""


def record(ended: Sequence[Ended]) -> None:
    """Store a group of ended claims. One that was claimed again, or ended in another way, changes nothing."""
    with transaction.atomic():
        changed = change(ended)
        counted = [each for each in ended if each.claimed.id in changed]
        steps.started(changed.values())
        doubt.recorded(counted)
        _note_late(ended, changed)
        _count(counted, changed)
        news.announce(_readers(counted))
        polls.schedule(counted)
        _suppress(counted)
        _pause_accounts(counted)
        _fall_back(counted)
        _end_what_was_cancelled(counted)
        _foretell(counted)


def change(ended: Sequence[Ended]) -> dict[str, Before]:
    """Move the deliveries and write their attempts down, in one statement; returns how those stood that it moved."""
    columns = zip(*map(_values, ended), strict=True)
    rows = prepared.rows(RECORD, *map(prepared.array, columns))
    return {row[0] or "": _before(*row[1:]) for row in rows}


@lru_cache(maxsize=256)
def _before(
    state: str | None, was_sent: str | None, was_delivered: str | None, step_until: str | None
) -> Before:
    return Before(
        state=State(state or ""),
        was_sent=was_sent == "t",
        was_delivered=was_delivered == "t",
        step_until=datetime.fromisoformat(step_until) if step_until else None,
    )


def _values(each: Ended) -> tuple[object, ...]:
    claimed, verdict = each.claimed, each.verdict
    return (
        claimed.id,
        claimed.claims,
        "t" if each.called else "f",
        verdict.state,
        verdict.due_at,
        each.account_id,
        verdict.provider_id,
        verdict.code,
        verdict.reason,
        "t" if verdict.maybe_duplicate else "f",
        "t" if verdict.maybe_sent else "f",
        each.finished_at.isoformat(),
        uuid7_hex(),
        each.number,
        each.adapter,
        verdict.outcome,
        each.started_at.isoformat(),
    )


def _note_late(ended: Iterable[Ended], changed: Mapping[str, Before]) -> None:
    """The sweep has already written the attempt down as lost: what it came to after all is a line of its own."""
    late = [each for each in ended if each.called and not _was_sending(changed.get(each.claimed.id))]
    Event.objects.bulk_create(
        Event(
            message_id=UUID(each.claimed.message_id),
            delivery_id=UUID(each.claimed.id),
            kind="late_answer",
            data={
                "number": each.number,
                "outcome": each.verdict.outcome,
                "believed": each.claimed.id in changed,
            },
            at=each.finished_at,
        )
        for each in late
    )


def _was_sending(before: Before | None) -> bool:
    return before is not None and before.state is State.SENDING


def _count(counted: Iterable[Ended], changed: Mapping[str, Before]) -> None:
    """Add to the figures; those of test keys are not counted."""
    moves = Counter(
        (
            each.claimed.accepted_at[:13],
            each.claimed.system_id,
            each.claimed.template_id,
            each.claimed.channel,
            changed[each.claimed.id],
            each.verdict.state,
        )
        for each in counted
        if each.claimed.is_test != "t"
    )
    sums: Counter[tally.Figure] = Counter()
    for (hour, system_id, template_id, channel, before, state), number in moves.items():
        for measure, amount in tally.steps(before, state):
            sums[hour + ":00:00+00", system_id, template_id, channel, measure] += amount * number
    tally.store(sums)


def _readers(counted: Iterable[Ended]) -> list[UUID]:
    """Whose inboxes have a new entry."""
    return [
        UUID(each.claimed.recipient_id)
        for each in counted
        if each.claimed.channel == "inbox"
        and each.verdict.state is State.DELIVERED
        and each.claimed.recipient_id
    ]


def _suppress(counted: Iterable[Ended]) -> None:
    suppressed = [
        Suppression(
            kind=each.claimed.kind,
            value=each.claimed.address,
            channel=each.claimed.channel,
            reason=each.verdict.suppress,
            detail=each.verdict.reason[:300],
        )
        for each in counted
        if each.verdict.suppress and each.claimed.is_test != "t"
    ]
    Suppression.objects.write(suppressed)


def _pause_accounts(counted: Iterable[Ended]) -> None:
    reasons = {each.account_id: each for each in counted if each.verdict.pause_account and each.account_id}
    for account_id in sorted(reasons):
        ended = reasons[account_id]
        reason = ended.verdict.reason[:300]
        if Account.objects.filter(pk=account_id, is_paused=False).pause(reason=reason):
            log.error("the account %s of %s is paused: %s", account_id, ended.adapter, reason)
            lookout.account_paused(UUID(str(account_id)), reason)
            Event.objects.create(
                message_id=UUID(ended.claimed.message_id),
                delivery_id=UUID(ended.claimed.id),
                kind="account_paused",
                data={"account": account_id, "reason": reason},
            )


def _fall_back(counted: Iterable[Ended]) -> None:
    failed = [each.claimed for each in counted if each.verdict.fall_back]
    if failed:
        deliveries = Delivery.objects.select_related("message__template").in_bulk(_ids(failed))
        go_on([Left(message=each.message, delivery=each) for each in deliveries.values()])


def _end_what_was_cancelled(counted: Iterable[Ended]) -> None:
    """What comes back to be tried again, although its message was cancelled while it was under way.

    One that may have been sent ends in doubt.
    """
    back = [each.claimed for each in counted if each.verdict.state is State.PENDING]
    if not back:
        return
    messages = Message.objects.in_bulk([UUID(each.message_id) for each in back])
    gone = cancelled.among(messages.values())
    ids = [UUID(each.id) for each in back if UUID(each.message_id) in gone]
    if ids:
        rows = Delivery.objects.in_state(ids, State.PENDING)
        Delivery.objects.cancel(rows, timezone.now())
        tally.write(tally.given_up(rows, State.CANCELLED))
        doubt.may_begin([row.pk for row in rows if row.maybe_sent])


def _foretell(counted: Iterable[Ended]) -> None:
    foretold = [each for each in counted if each.receipts]
    if foretold:
        deliveries = Delivery.objects.select_related("message").in_bulk(
            _ids([each.claimed for each in foretold])
        )
        for each in foretold:
            for receipt in each.receipts:
                receipts.foretell(receipt, delivery=deliveries[UUID(each.claimed.id)])


def _ids(claimed: Collection[Claimed]) -> list[UUID]:
    return [UUID(each.id) for each in claimed]
