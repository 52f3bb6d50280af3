"""The sweep: once a minute it finds what fell between, from the rows alone.

Expired deliveries end; a lease that ran out means that nobody knows whether the provider has the message, and
the doubt is settled by the adapter's promise or the template's policy; versions of templates go live at their time;
lanes with due work are woken.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from channels_app.models import Account
from channels_app.registry import UnknownAdapter
from pushcenter.messaging import (
    braking,
    cancelled,
    claims,
    doubt,
    queue,
    receipts,
    retry,
    steps,
    stops,
    tally,
    work,
)
from pushcenter.messaging.models import Attempt, AttemptOutcome, Delivery, Event
from pushcenter.messaging.states import State
from templates_app import publishing
from templates_app.models import DoubtPolicy

GROUP = 500


@dataclass(slots=True)
class Swept:
    """What one sweep did, by number of deliveries. Of those that are ``held`` some are ``asked`` about."""

    expired: int = 0
    repeated: int = 0
    held: int = 0
    asked: int = 0
    woken: list[str] = field(default_factory=list)


def run() -> Swept:
    """Sweep once; safe while other sweeps and workers run."""
    swept = Swept()
    now = timezone.now()
    while _expire(now, swept):
        pass
    while _settle_leases(now, swept):
        pass
    receipts.match_early_ones()
    work.wake_forgotten(now)
    stops.wake_forgotten(now)
    steps.plan_next()
    braking.watch(now)
    doubt.plan_next()
    publishing.publish_due(now)
    _wake_lanes(swept)
    return swept


def _expire(now: datetime, swept: Swept) -> int:
    with transaction.atomic():
        rows = Delivery.objects.expire(now, limit=GROUP)
        doubtful = [row for row in rows if row.maybe_sent]
        doubt.began([row.pk for row in doubtful if doubt.can_be_asked(row.account)])
        tally.write(tally.given_up(rows, State.EXPIRED))
    swept.held += len(doubtful)
    swept.expired += len(rows) - len(doubtful)
    return len(rows)


def _settle_leases(now: datetime, swept: Swept) -> int:
    with transaction.atomic():
        rows = Delivery.objects.with_lease_over(now, limit=GROUP)
        if not rows:
            return 0
        _write_down_as_lost(rows, now)
        groups = _by_verdict(rows, now)
        Delivery.objects.repeat(groups.repeat, maybe_duplicate=False)
        Delivery.objects.repeat(groups.resend, maybe_duplicate=True)
        Delivery.objects.hold(
            groups.hold, now, code="lease_over", reason="its worker was lost during the call"
        )
        Delivery.objects.hold(
            groups.ask, now, code="lease_over", reason="its worker was lost; the provider is asked"
        )
        doubt.began([row.pk for row in groups.ask])
        _tally([*groups.hold, *groups.ask], State.SENDING, State.IN_DOUBT)
    swept.held += len(groups.hold) + len(groups.ask)
    swept.asked += len(groups.ask)
    swept.repeated += len(groups.repeat) + len(groups.resend)
    return len(rows)


@dataclass(slots=True)
class _Groups:
    repeat: list[Delivery] = field(default_factory=list)
    resend: list[Delivery] = field(default_factory=list)
    hold: list[Delivery] = field(default_factory=list)
    ask: list[Delivery] = field(default_factory=list)


def _by_verdict(rows: Sequence[Delivery], now: datetime) -> _Groups:
    groups = _Groups()
    harmless = _channels_where_repeating_is_harmless()
    gone = cancelled.among(row.message for row in rows)
    for row in rows:
        wait = retry.backoff(row.lane, row.retries + 1, dice=random.random)
        row.due_at = now + (wait or timedelta())
        if not row.message.is_test and doubt.can_be_asked(row.account):
            groups.ask.append(row)
        elif wait is None or row.due_at >= row.expires_at or row.message_id in gone:
            groups.hold.append(row)
        elif row.channel in harmless and not row.message.is_test:
            groups.repeat.append(row)
        elif row.message.template.doubt_policy == DoubtPolicy.RESEND:
            groups.resend.append(row)
        else:
            groups.hold.append(row)
    return groups


def _channels_where_repeating_is_harmless() -> set[str]:
    """Channels all of whose accounts are idempotent: which account was in use is not known before the answer."""
    promises: dict[str, list[bool]] = defaultdict(list)
    for account in Account.objects.all():
        try:
            promises[account.channel].append(account.adapter_class.capabilities.idempotent)
        except UnknownAdapter:
            promises[account.channel].append(False)
    return {channel for channel, each in promises.items() if all(each)}


def _write_down_as_lost(rows: Sequence[Delivery], now: datetime) -> None:
    Attempt.objects.bulk_create(
        Attempt(
            delivery=row,
            number=row.attempts + 1,
            adapter=row.account.adapter if row.account else "",
            account=row.account,
            outcome=AttemptOutcome.LOST,
            code="lease_over",
            detail="its worker was lost during the call, or could not record the answer",
            started_at=row.claimed_at or now,
            finished_at=now,
        )
        for row in rows
    )
    Event.objects.bulk_create(
        Event(message_id=row.message_id, delivery=row, kind="lease_over", data={"claim": row.claims}, at=now)
        for row in rows
    )


def _tally(rows: Iterable[Delivery], before: State, after: State) -> None:
    tally.write(
        change for row in rows for change in tally.moved(row.message, row.channel, before=before, after=after)
    )


def _wake_lanes(swept: Swept) -> None:
    now = timezone.now()
    earliest: dict[str, datetime] = {}
    for each in claims.waiting():
        earliest[each.queue.lane] = min(each.due_at, earliest.get(each.queue.lane, each.due_at))
    for lane, due in earliest.items():
        with transaction.atomic():
            queue.wake(lane, max(due, now))
        if due <= now:
            swept.woken.append(lane)
