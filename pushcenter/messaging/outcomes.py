"""Recording what attempts came to: state, attempt, figures and consequences in one short transaction."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from channels_app.models import Account
from pushcenter.messaging import cancelled, doubt, news, polls, receipts, steps, tally
from pushcenter.messaging.deliveries import Before
from pushcenter.messaging.fallback import fall_back
from pushcenter.messaging.models import Attempt, Delivery, Event, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended
from pushcenter.recipients.models import Suppression

log = logging.getLogger(__name__)
Known = Mapping[UUID, tuple[Delivery, Message]]


def record(ended: Sequence[Ended], known: Known) -> None:
    """Store a group of ended claims; ``known`` holds delivery and message for each of them."""
    try:
        _record(ended, known)
    except IntegrityError:  # an account was deleted while its calls were under way
        _record(_without_deleted_accounts(ended), known)


def _without_deleted_accounts(ended: Sequence[Ended]) -> list[Ended]:
    left = set(Account.objects.values_list("pk", flat=True))
    return [each if each.account_id in left else replace(each, account_id=None) for each in ended]


def _record(ended: Sequence[Ended], known: Known) -> None:
    with transaction.atomic():
        before = Delivery.objects.record(ended)
        counted = [each for each in ended if each.delivery_id in before]
        steps.started(before.values())
        Delivery.objects.remember_doubt(each.delivery_id for each in counted if each.verdict.maybe_sent)
        doubt.recorded(counted)
        _write_attempts(ended, before)
        _suppress(counted, known)
        _pause_accounts(counted, known)
        _fall_back(counted, known)
        _end_what_was_cancelled(counted, known)
        tally.write(_changes(counted, before, known))
        news.announce(_readers(counted, known))
        polls.schedule(counted)
        for each in counted:
            for receipt in each.receipts:
                receipts.foretell(receipt, delivery=known[each.delivery_id][0])


def _write_attempts(ended: Sequence[Ended], before: Mapping[UUID, Before]) -> None:
    in_time = [each for each in ended if each.called and _was_sending(before.get(each.delivery_id))]
    late = [each for each in ended if each.called and not _was_sending(before.get(each.delivery_id))]
    Attempt.objects.bulk_create(_attempt(each) for each in in_time)
    # The sweep has already written the attempt down as lost: what it came to after all is a line of its own.
    for each in late:
        message_id = Delivery.objects.values_list("message_id", flat=True).get(pk=each.delivery_id)
        data = {
            "number": each.number,
            "outcome": each.verdict.outcome,
            "believed": each.delivery_id in before,
        }
        Event.objects.create(
            message_id=message_id,
            delivery_id=each.delivery_id,
            kind="late_answer",
            data=data,
            at=each.finished_at,
        )


def _was_sending(before: Before | None) -> bool:
    return before is not None and before.state is State.SENDING


def _attempt(each: Ended) -> Attempt:
    return Attempt(
        delivery_id=each.delivery_id,
        number=each.number,
        adapter=each.adapter,
        account_id=each.account_id,
        outcome=each.verdict.outcome,
        code=each.verdict.code[:80],
        detail=each.verdict.reason[:500],
        provider_id=each.verdict.provider_id[:300],
        started_at=each.started_at,
        finished_at=each.finished_at,
    )


def _suppress(counted: Sequence[Ended], known: Known) -> None:
    suppressed = []
    for each in counted:
        if each.verdict.suppress:
            delivery, message = known[each.delivery_id]
            if not message.is_test:
                suppressed.append(
                    Suppression(
                        kind=delivery.kind,
                        value=delivery.address,
                        channel=delivery.channel,
                        reason=each.verdict.suppress,
                        detail=each.verdict.reason[:300],
                    )
                )
    # In one order, like the accounts below: two workers must not wait for each other.
    suppressed.sort(key=lambda each: (each.kind, each.value, each.channel))
    Suppression.objects.bulk_create(suppressed, ignore_conflicts=True)


def _pause_accounts(counted: Sequence[Ended], known: Known) -> None:
    reasons = {each.account_id: each for each in counted if each.verdict.pause_account and each.account_id}
    for account_id in sorted(reasons):
        ended = reasons[account_id]
        reason = ended.verdict.reason[:300]
        if Account.objects.filter(pk=account_id, is_paused=False).pause(reason=reason):
            log.error("the account %s of %s is paused: %s", account_id, ended.adapter, reason)
            data = {"account": str(account_id), "reason": reason}
            message = known[ended.delivery_id][1]
            Event.objects.create(
                message=message, delivery_id=ended.delivery_id, kind="account_paused", data=data
            )


def _fall_back(counted: Sequence[Ended], known: Known) -> None:
    for each in counted:
        if each.verdict.fall_back:
            delivery, message = known[each.delivery_id]
            fall_back(message, delivery)


def _readers(counted: Sequence[Ended], known: Known) -> Iterator[UUID | None]:
    """Whose inboxes have a new entry."""
    for each in counted:
        delivery, _message = known[each.delivery_id]
        if delivery.channel == "inbox" and each.verdict.state is State.DELIVERED:
            yield delivery.recipient_id


def _end_what_was_cancelled(counted: Sequence[Ended], known: Known) -> None:
    """What comes back to be tried again, although its message was cancelled while it was under way."""
    back = [each.delivery_id for each in counted if each.verdict.state is State.PENDING]
    gone = cancelled.among(known[each][1] for each in back)
    ids = [each for each in back if known[each][1].pk in gone]
    if ids:
        rows = Delivery.objects.in_state(ids, State.PENDING)
        Delivery.objects.cancel(rows, timezone.now())
        tally.write(
            change
            for row in rows
            for change in tally.moved(row.message, row.channel, before=State.PENDING, after=State.CANCELLED)
        )


def _changes(counted: Sequence[Ended], before: Mapping[UUID, Before], known: Known) -> Iterator[tally.Change]:
    for each in counted:
        delivery, message = known[each.delivery_id]
        old, new = before[each.delivery_id], each.verdict.state
        yield from tally.progressed(message, delivery.channel, before=old, after=new)
