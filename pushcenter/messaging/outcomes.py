"""Recording what attempts came to: state, attempt, figures and consequences in one short transaction."""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
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
from pushcenter.prepared import text
from pushcenter.recipients.models import Suppression

log = logging.getLogger(__name__)

# An attempt that was sent is believed even when its lease had run out meanwhile, as long as nobody claimed
# the delivery again: that ends a doubt, or saves a repetition. An account can have been deleted during the call.
RECORD = """
WITH old AS (
    SELECT d.id, d.state AS old_state, d.sent_at IS NOT NULL AS was_sent, d.delivered_at IS NOT NULL AS was_delivered,
           v.called, v.throttled, v.state, v.due_at, account.id AS account_id, v.provider_id, v.code, v.reason,
           v.maybe_duplicate, v.maybe_sent, v.finished_at
      FROM unnest($1::uuid[], $2::int[], $3::bool[], $4::bool[], $5::text[], $6::timestamptz[], $7::uuid[], $8::text[],
                  $9::text[], $10::text[], $11::bool[], $12::bool[], $13::timestamptz[])
             AS v(id, claim, called, throttled, state, due_at, caller, provider_id, code, reason, maybe_duplicate,
                  maybe_sent, finished_at)
      JOIN messaging_delivery AS d ON d.id = v.id AND d.claims = v.claim
      LEFT JOIN channels_app_account AS account ON account.id = v.caller
     WHERE d.state = 'sending' OR (d.state IN ('pending', 'in_doubt') AND v.state IN ('sent', 'delivered'))
     ORDER BY d.id FOR UPDATE OF d
)
UPDATE messaging_delivery AS d
   SET state = old.state,
       due_at = COALESCE(old.due_at, d.due_at),
       lease_until = NULL,
       attempts = d.attempts + CASE WHEN old.called AND d.state = 'sending' THEN 1 ELSE 0 END,
       throttled = d.throttled + CASE WHEN old.called AND old.throttled AND d.state = 'sending' THEN 1 ELSE 0 END,
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
RETURNING d.id, d.account_id, old.old_state, old.was_sent, old.was_delivered, d.step_until
"""
NULL = "\\N"
ATTEMPT = (
    "id", "delivery_id", "number", "adapter", "account_id", "outcome", "code", "detail", "provider_id", "started_at",
    "finished_at",
)  # fmt: skip


class Changed(NamedTuple):
    """How a delivery stood before the record, and the account that is written down with it."""

    before: Before
    account_id: str | None


def record(ended: Sequence[Ended]) -> None:
    """Store a group of ended claims. One that was claimed again, or ended in another way, changes nothing."""
    with transaction.atomic():
        changed = change(ended)
        counted = [each for each in ended if each.claimed.id in changed]
        steps.started(each.before for each in changed.values())
        doubt.recorded(counted)
        _write_attempts(ended, changed)
        _count(counted, changed)
        news.announce(_readers(counted))
        polls.schedule(counted)
        _suppress(counted)
        _pause_accounts(counted)
        _fall_back(counted)
        _end_what_was_cancelled(counted)
        _foretell(counted)


def change(ended: Sequence[Ended]) -> dict[str, Changed]:
    """Move the deliveries, in one statement; returns how those stood before that it moved, by their ids."""
    columns = zip(*(_values(each) for each in ended), strict=True)
    rows = prepared.rows(RECORD, *(prepared.array(column) for column in columns))
    return {str(row[0]): _changed(row) for row in rows}


def _changed(row: prepared.Row) -> Changed:
    _, account_id, state, was_sent, was_delivered, step_until = row
    return Changed(_before(state or "", was_sent or "", was_delivered or "", step_until), account_id)


@lru_cache(maxsize=256)
def _before(state: str, was_sent: str, was_delivered: str, step_until: str | None) -> Before:
    return Before(
        state=State(state),
        was_sent=was_sent == "t",
        was_delivered=was_delivered == "t",
        step_until=datetime.fromisoformat(step_until) if step_until else None,
    )


def _values(each: Ended) -> tuple[object, ...]:
    verdict = each.verdict
    return (
        each.claimed.id,
        each.claimed.claims,
        "t" if each.called else "f",
        "t" if verdict.outcome == "throttled" else "f",
        verdict.state.value,
        verdict.due_at,
        each.account_id,
        verdict.provider_id,
        verdict.code,
        verdict.reason,
        "t" if verdict.maybe_duplicate else "f",
        "t" if verdict.maybe_sent else "f",
        each.finished_at.isoformat(),
    )


def _write_attempts(ended: Sequence[Ended], changed: Mapping[str, Changed]) -> None:
    lines = []
    late = []
    for each in ended:
        if not each.called:
            continue
        before = changed.get(each.claimed.id)
        if before is not None and before.before.state is State.SENDING:
            lines.append(_line(each, before.account_id))
        else:
            late.append(each)
    if lines:
        prepared.copy("messaging_attempt", ATTEMPT, lines)
    _write_late(late, changed)


def _line(each: Ended, account_id: str | None) -> str:
    verdict = each.verdict
    return (
        f"{uuid7_hex()}\t{each.claimed.id}\t{each.number}\t{text(each.adapter)}\t{account_id or NULL}"
        f"\t{verdict.outcome}\t{text(verdict.code)}\t{text(verdict.reason)}\t{text(verdict.provider_id)}"
        f"\t{each.started_at.isoformat()}\t{each.finished_at.isoformat()}\n"
    )


def _write_late(late: Iterable[Ended], changed: Mapping[str, Changed]) -> None:
    """The sweep has already written the attempt down as lost: what it came to after all is a line of its own."""
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


def _count(counted: Sequence[Ended], changed: Mapping[str, Changed]) -> None:
    """Add to the figures; those of test keys are not counted."""
    sums: Counter[tally.Figure] = Counter()
    for each in counted:
        claimed = each.claimed
        if claimed.is_test == "t":
            continue
        hour = claimed.accepted_at[:13] + ":00:00+00"
        for measure, amount in tally.steps(changed[claimed.id].before, each.verdict.state):
            sums[hour, claimed.system_id, claimed.template_id, claimed.channel, measure] += amount
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
