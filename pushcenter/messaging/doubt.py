"""Deliveries in doubt whose provider can be asked: did it take the message in the attempt whose end is unknown?

It is asked on the worker's loop, outside any transaction, some time after the doubt began and again while it cannot
tell. What it found is recorded; what it did not take is sent again, without the mark of a possible duplicate. Where
it cannot tell to the end, the template's policy decides, as for providers that cannot be asked.
"""

import asyncio
import logging
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from channels_app import connections, registry
from channels_app.contract import Adapter, Address, ChannelError, Outgoing, Sent, Temporary, settled
from channels_app.models import Account
from channels_app.registry import UnknownAdapter
from pushcenter.messaging import cancelled, leaving, loop, polls, queue, receipts, retry, tally
from pushcenter.messaging.appointment import DOUBT
from pushcenter.messaging.content import content_of
from pushcenter.messaging.fallback import fall_back
from pushcenter.messaging.models import AttemptOutcome, Delivery, Event
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended, storable
from templates_app.models import DoubtPolicy
from templates_app.render import RenderError

log = logging.getLogger(__name__)
#: When the provider is asked, in seconds after the doubt began: not at once, for its own books may be behind.
WAITS = (10, 30, 120, 600, 1800, 3600)
#: Deliveries that are asked about side by side.
GROUP = 20
#: So long they are nobody else's to ask about.
LEASE = timedelta(seconds=120)
TURN = 2.0
Answer = Sent | ChannelError | None


def can_be_asked(account: Account | None) -> bool:
    """Whether the provider behind an account can look a message up."""
    return account is not None and _looks_up(account.adapter)


def _looks_up(adapter: str) -> bool:
    try:
        return registry.adapter(adapter).capabilities.lookup
    except UnknownAdapter:
        return False


def recorded(counted: Iterable[Ended]) -> None:
    """Plan the first question about each attempt that ended in doubt; commits with the caller's transaction."""
    began(
        [
            UUID(each.claimed.id)
            for each in counted
            if each.verdict.state is State.IN_DOUBT and each.account_id and _looks_up(each.adapter)
        ]
    )


def began(ids: Sequence[UUID]) -> None:
    """Plan the first question about deliveries that have just come into doubt, in the caller's transaction."""
    if ids:
        at = timezone.now() + timedelta(seconds=WAITS[0])
        Delivery.objects.filter(pk__in=ids, state=State.IN_DOUBT).update(look_up_at=at)
        DOUBT.at(at)


def may_begin(ids: Sequence[UUID]) -> None:
    """The same, about those of them whose provider can be asked."""
    rows = Delivery.objects.filter(pk__in=ids).select_related("account") if ids else ()
    began([row.pk for row in rows if can_be_asked(row.account)])


def run() -> int:
    """Ask about all deliveries for which it is time: the task. Returns how many were asked about."""
    until, asked = time.monotonic() + TURN, 0
    while time.monotonic() < until:
        rows = _take(timezone.now())
        if not rows:
            DOUBT.settle()
            rows = _take(timezone.now())
        if not rows:
            break
        for row, answer in zip(rows, _ask(rows), strict=True):
            _settle(row.pk, answer)
        asked += len(rows)
    plan_next()
    return asked


def plan_next() -> None:
    """Have somebody ask when it is time for the next; where none is to be asked about, nobody is."""
    waiting = Delivery.objects.filter(state=State.IN_DOUBT, look_up_at__isnull=False)
    at = waiting.aggregate(at=Min("look_up_at"))["at"]
    if at is not None:
        with transaction.atomic():
            DOUBT.at(max(at, timezone.now()))


@transaction.atomic
def _take(now: datetime) -> list[Delivery]:
    due = Delivery.objects.filter(state=State.IN_DOUBT, look_up_at__lte=now).order_by("look_up_at")
    rows = due.select_related("message", "account").select_for_update(skip_locked=True, of=("self",))
    found = list(rows[:GROUP])
    Delivery.objects.filter(pk__in=[row.pk for row in found]).update(look_up_at=now + LEASE)
    return found


def _ask(rows: Sequence[Delivery]) -> list[Answer]:
    """What the providers say; no transaction is open meanwhile."""
    prepared = [_question(row) for row in rows]
    return loop.submit(_all(prepared)).result()


async def _all(questions: Sequence[tuple[Adapter, Outgoing] | ChannelError]) -> list[Answer]:
    return await asyncio.gather(
        *(_one(*each) if isinstance(each, tuple) else _as_it_is(each) for each in questions)
    )


async def _as_it_is(error: ChannelError) -> Answer:
    return error


async def _one(adapter: Adapter, message: Outgoing) -> Answer:
    limit = adapter.capabilities.timeout
    try:
        return await asyncio.wait_for(adapter.lookup(message), limit)
    except TimeoutError:
        return Temporary(f"no answer within {limit:g} s", code="timeout")
    except Exception as error:  # an adapter's fault is no answer
        return error if isinstance(error, ChannelError) else settled(error)


def _question(row: Delivery) -> tuple[Adapter, Outgoing] | ChannelError:
    if row.account is None or not row.address:
        return Temporary("its account or its address is no longer known")
    try:
        content = content_of(row)
        adapter = connections.connect(row.account)
    except (RenderError, connections.NoAccount) as error:
        return Temporary(str(error))
    return adapter, Outgoing(
        id=str(row.pk),
        address=Address(kind=row.kind, value=row.address, locale=row.locale),
        content=content,
        attempt=row.attempts,
        category=row.message.category,
        expires_at=row.expires_at,
        unsubscribe_url=leaving.url_of(str(row.pk), row.message.category),
        metadata=row.message.metadata,
        tried_at=_tried_at(row),
    )


def _tried_at(row: Delivery) -> datetime | None:
    unknown = row.log.filter(outcome__in=(AttemptOutcome.TEMPORARY, AttemptOutcome.LOST))
    first = unknown.order_by("number").first()
    return first.started_at if first else row.ended_at


@transaction.atomic
def _settle(delivery_id: UUID, answer: Answer) -> None:
    """What follows from an answer, unless a receipt or an operator was faster."""
    row = Delivery.objects.locked(delivery_id)
    if row.state != State.IN_DOUBT:
        return
    now = timezone.now()
    if isinstance(answer, Sent):
        _found(row, answer, now)
    elif answer is None:
        _not_taken(row, now)
    else:
        _not_told(row, answer, now)


def _found(row: Delivery, sent: Sent, now: datetime) -> None:
    provider_id = storable(sent.provider_id, 300)
    _note(row, "found", provider_id=provider_id, said=storable(sent.note, 300))
    changed: dict[str, str] = {"code": "", "reason": storable(sent.note, 500)}
    if provider_id:
        changed["provider_id"] = row.provider_id = provider_id
    Delivery.objects.filter(pk=row.pk).update(look_up_at=None, **changed)
    receipts.advance(row, State.DELIVERED if sent.final else State.SENT, row.ended_at or now)
    if row.account is not None and provider_id and not sent.final:
        polls.begin(row.account, provider_id)
    for receipt in sent.receipts:
        receipts.foretell(receipt, delivery=row)


def _not_taken(row: Delivery, now: datetime) -> None:
    """Nobody has it: so it is tried again as after any fault, and needs no mark."""
    _note(row, "not_taken")
    row.maybe_sent = False
    Delivery.objects.filter(pk=row.pk).update(maybe_sent=False)
    wait = retry.backoff(row.lane, row.retries, dice=random.random)
    if wait is None:
        reason = "the provider did not take it, and no retry is left"
        Delivery.objects.give_up([row], now, code="not_taken", reason=reason)
        _tally(row, State.FAILED)
        fall_back(row.message, row)
        return
    _again(row, now, now + wait, maybe_duplicate=False)


def _not_told(row: Delivery, error: ChannelError, now: datetime) -> None:
    began_at = row.ended_at or now
    elapsed = (now - began_at).total_seconds()
    wait = next((wait for wait in WAITS if wait > elapsed), None)
    said = storable(": ".join(filter(None, [error.code, error.detail])), 300)
    _note(row, "not_told", said=said)
    at = began_at + timedelta(seconds=wait) if wait is not None else None
    Delivery.objects.filter(pk=row.pk).update(look_up_at=at)
    if at is not None:
        DOUBT.at(at)
    elif row.message.template.doubt_policy == DoubtPolicy.RESEND:
        pause = retry.backoff(row.lane, row.retries, dice=random.random)
        if pause is not None and now + pause < row.expires_at and not cancelled.among([row.message]):
            _again(row, now, now + pause, maybe_duplicate=True)


def _again(row: Delivery, now: datetime, at: datetime, *, maybe_duplicate: bool) -> None:
    Delivery.objects.reopen([row], at, maybe_duplicate=maybe_duplicate)
    _tally(row, State.PENDING)
    if cancelled.among([row.message]):
        Delivery.objects.cancel([row], now)
        tally.write(tally.moved(row.message, row.channel, before=State.PENDING, after=State.CANCELLED))
        return
    queue.wake(row.lane, at)


def _note(row: Delivery, kind: str, **data: str) -> None:
    said: Mapping[str, str] = {name: value for name, value in data.items() if value}
    Event.objects.create(message_id=row.message_id, delivery=row, kind=kind, data=said)


def _tally(row: Delivery, after: State) -> None:
    tally.write(tally.moved(row.message, row.channel, before=State.IN_DOUBT, after=after))
