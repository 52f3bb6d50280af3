"""Taking back what has gone out of a cancelled message or batch, where its provider can do that.

A worker asks the providers, outside any transaction. What came of it stands on the delivery (``code``) and in the
history of its message: taken back, or too late and why. The state stays: it did go out.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from channels_app import connections
from channels_app.contract import Adapter, ChannelError, Temporary, Throttled, settled
from channels_app.models import Account
from channels_app.registry import UnknownAdapter
from pushcenter.messaging import loop, queue
from pushcenter.messaging.deliveries import DeliveryQuerySet
from pushcenter.messaging.models import Batch, BatchEvent, Delivery, Event
from pushcenter.messaging.states import REACHED, State
from pushcenter.messaging.verdicts import storable

OF_MESSAGE = "pushcenter.messaging.recall.of_message"
OF_BATCH = "pushcenter.messaging.recall.of_batch"
RECALLED, TOO_LATE = "recalled", "not_recalled"
#: Seconds before each further try, where a provider is out of order or a call was still under way.
WAITS = (2, 10, 60, 300)
#: Deliveries that are taken back side by side, but for the places of their account.
GROUP = 100
#: Seconds after which others have their turn.
TURN = 2.0


def able() -> list[Account]:
    """The accounts whose providers take messages back."""
    return [each for each in Account.objects.all() if _can(each)]


def _can(account: Account) -> bool:
    try:
        return account.adapter_class.capabilities.recall
    except UnknownAdapter:
        return False


def possible(of: DeliveryQuerySet) -> DeliveryQuerySet:
    """Those of these deliveries that went out and that somebody can be asked to take back."""
    out = of.filter(state__in=REACHED, account__in=able()).exclude(provider_id="")
    return out.exclude(code__in=(RECALLED, TOO_LATE))


def plan_message(message_id: UUID, rows: Iterable[Delivery]) -> list[Delivery]:
    """Have the deliveries of a cancelled message taken back; returns those for which that is tried.

    To be called in the transaction that cancels it.
    """
    accounts = able()
    ids, channels = {each.pk for each in accounts}, {each.channel for each in accounts}
    kept = list(rows)
    found = [row for row in kept if row.state in REACHED and row.account_id in ids and _is_open(row)]
    # What is being sent at this moment can be taken back as soon as it is out.
    under_way = [row for row in kept if row.state == State.SENDING and row.channel in channels]
    if found or under_way:
        queue.later(OF_MESSAGE, str(message_id), 0, at=timezone.now())
    return [*found, *under_way]


def _is_open(row: Delivery) -> bool:
    return bool(row.provider_id) and row.code not in (RECALLED, TOO_LATE)


def plan_batch(batch: Batch) -> None:
    """Have the deliveries of a cancelled batch taken back, in the transaction that cancels it."""
    if not batch.is_test and able():
        queue.later(OF_BATCH, str(batch.pk), 0, at=timezone.now())


def of_message(message_id: str, turn: int) -> None:
    """Take back what can be taken back of a message: the task."""
    rows = Delivery.objects.filter(message=UUID(message_id))
    _one_group(rows, is_last=turn >= len(WAITS))
    if turn < len(WAITS) and (possible(rows).exists() or rows.filter(state=State.SENDING).exists()):
        at = timezone.now() + timedelta(seconds=WAITS[turn])
        queue.later(OF_MESSAGE, message_id, turn + 1, at=at)


def of_batch(batch_id: str, turn: int) -> None:
    """Take back what can be taken back of a batch: the task. What is left after its time, another one takes up."""
    rows = Delivery.objects.filter(batch=UUID(batch_id))
    until, is_last = time.monotonic() + TURN, turn >= len(WAITS)
    came_to: Counter[str] = Counter()
    waits = False
    while time.monotonic() < until:
        told = _one_group(rows, is_last=is_last)
        came_to += told
        if not told:
            waits = True  # nothing is left, or what is left answers later
            break
    if came_to:
        reason = f"{came_to[RECALLED]} taken back, {came_to[TOO_LATE]} too late"
        BatchEvent.objects.create(
            batch_id=UUID(batch_id), kind="batch_recalled", data={**came_to, "reason": reason}
        )
    if not waits:
        queue.later(OF_BATCH, batch_id, turn, at=timezone.now())
    elif not is_last and (possible(rows).exists() or rows.filter(state=State.SENDING).exists()):
        at = timezone.now() + timedelta(seconds=WAITS[turn])
        queue.later(OF_BATCH, batch_id, turn + 1, at=at)


def _one_group(of: DeliveryQuerySet, *, is_last: bool) -> "Counter[str]":
    """Ask about some of them; returns how many were taken back, and for how many it was too late."""
    rows = list(possible(of).select_related("account").order_by("pk")[:GROUP])
    if not rows:
        return Counter()
    came_to: Counter[str] = Counter()
    for row, error in zip(rows, _ask(rows), strict=True):
        if isinstance(error, Temporary | Throttled) and not is_last:
            continue
        code = TOO_LATE if error else RECALLED
        if _note(row, code, error):
            came_to[code] += 1
    return came_to


def _ask(rows: Sequence[Delivery]) -> list[ChannelError | None]:
    adapters: dict[UUID, Adapter | ChannelError] = {}
    for row in rows:
        if row.account is not None and row.account.pk not in adapters:
            adapters[row.account.pk] = _connected(row.account)
    return loop.submit(_all(rows, adapters)).result()


def _connected(account: Account) -> Adapter | ChannelError:
    try:
        return connections.connect(account)
    except connections.NoAccount as error:
        return Temporary(str(error))


async def _all(
    rows: Sequence[Delivery], adapters: Mapping[UUID, Adapter | ChannelError]
) -> list[ChannelError | None]:
    return await asyncio.gather(
        *(_one(adapters[row.account_id], row.provider_id) for row in rows if row.account_id)
    )


async def _one(adapter: Adapter | ChannelError, provider_id: str) -> ChannelError | None:
    """None where it was taken back."""
    if isinstance(adapter, ChannelError):
        return adapter
    limit = adapter.capabilities.timeout
    try:
        async with adapter.places:
            await asyncio.wait_for(adapter.recall(provider_id), limit)
    except TimeoutError:
        return Temporary(f"no answer within {limit:g} s")
    except Exception as error:
        result = settled(error)
        return result if isinstance(result, ChannelError) else None
    return None


@transaction.atomic
def _note(row: Delivery, code: str, error: ChannelError | None) -> bool:
    reason = storable(": ".join(filter(None, [error.code, error.detail])), 500) if error else ""
    told = reason or "taken back after it went out"
    open_ones = Delivery.objects.filter(pk=row.pk, state__in=REACHED)
    if not open_ones.exclude(code__in=(RECALLED, TOO_LATE)).update(code=code, reason=told):
        return False
    data = {"reason": reason} if reason else {}
    Event.objects.create(message_id=row.message_id, delivery=row, kind=code, data=data)
    return True
