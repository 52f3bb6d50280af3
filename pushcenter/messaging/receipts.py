"""Receipts: what providers say later about a delivery.

They come late, twice, in any order, and sometimes before our own record of the provider's id. So each is kept
as it came, applied by rank, and matched again by the sweep where its delivery was not known yet.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from channels_app.contract import Callback, ForgedCallback, HttpReply, Outcome
from channels_app.contract import Receipt as Reported
from channels_app.models import Account
from pushcenter.messaging import interactions, queue, tally
from pushcenter.messaging.fallback import fall_back
from pushcenter.messaging.models import Delivery, Receipt, ReceiptCall
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import storable
from pushcenter.recipients.models import Suppression, SuppressionReason

#: Headers that carry secrets are not kept.
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key"})
#: A receipt whose delivery has not turned up by then is never matched.
GIVE_UP_AFTER = timedelta(days=7)

INTERACTIONS = {Outcome.OPENED: "opened", Outcome.CLICKED: "clicked"}
SUPPRESSIONS = {
    Outcome.OPTED_OUT: SuppressionReason.OPTED_OUT,
    Outcome.COMPLAINED: SuppressionReason.COMPLAINED,
}


def take(account: Account, callback: Callback) -> HttpReply:
    """A provider's call: keep it, read it, apply it, and answer as the provider wants.

    Raises :class:`ForgedCallback` where it cannot be verified; the call is kept with that remark.
    """
    adapter = account.connect()
    call = _keep(account, callback)
    try:
        reported = list(adapter.receipts(callback))
    except ForgedCallback as error:
        _remark(call, f"not verified: {error}")
        raise
    except Exception as error:
        _remark(call, f"not understood: {type(error).__name__}")
        return adapter.reply(callback)
    store(account, call, reported)
    return adapter.reply(callback)


def store(account: Account, call: ReceiptCall | None, reported: Iterable[Reported]) -> None:
    """Keep receipts and apply those whose delivery is known; a repeated one changes nothing."""
    for each in reported:
        fields = _fields(each)
        with transaction.atomic():
            delivery = Delivery.objects.by_provider_id(account.pk, fields["provider_id"])
            receipt, is_new = Receipt.objects.get_or_create(
                account=account,
                event_id=storable(each.event_id, 300) or _fingerprint(each),
                defaults=fields | {"call": call, "delivery": delivery},
            )
            if is_new and delivery is not None:
                apply(receipt, delivery.pk)


def foretell(reported: Reported, *, delivery: Delivery) -> None:
    """Apply at its time a receipt that the adapter already knew when it sent."""
    at = reported.at or timezone.now()
    fields = _fields(reported) | {"at": at.isoformat()}
    if at <= timezone.now():
        arrive(str(delivery.pk), fields)
    else:
        queue.later("pushcenter.messaging.receipts.arrive", str(delivery.pk), fields, at=at)


def arrive(delivery_id: str, fields: dict[str, Any]) -> None:
    """Keep and apply one receipt of a delivery; the task behind :func:`foretell`."""
    at = datetime.fromisoformat(fields["at"])
    with transaction.atomic():
        receipt = Receipt.objects.create(delivery_id=UUID(delivery_id), **{**fields, "at": at})
        apply(receipt, UUID(delivery_id))


def match_early_ones() -> int:
    """Apply receipts that came before our own record of the provider's id; returns how many."""
    matched = 0
    since = timezone.now() - GIVE_UP_AFTER
    known = Delivery.objects.filter(account=OuterRef("account"), provider_id=OuterRef("provider_id"))
    # Those that nobody knows stay out: an account shared with others brings them without end.
    waiting = Receipt.objects.filter(Exists(known), delivery=None, received_at__gte=since)
    for receipt in waiting.exclude(provider_id="").order_by("id")[:1000]:
        delivery = Delivery.objects.by_provider_id(receipt.account_id, receipt.provider_id)
        if delivery is not None:
            with transaction.atomic():
                if Receipt.objects.filter(pk=receipt.pk, delivery=None).update(delivery=delivery):
                    apply(receipt, delivery.pk)
                    matched += 1
    return matched


def apply(receipt: Receipt, delivery_id: UUID) -> None:
    """What a receipt means for its delivery; to be called in a transaction."""
    outcome = Outcome(receipt.outcome)
    delivery = Delivery.objects.locked(delivery_id)
    if outcome in INTERACTIONS:
        interactions.record(delivery, INTERACTIONS[outcome], at=receipt.at, source="receipt")
    elif outcome in SUPPRESSIONS:
        _suppress(delivery, SUPPRESSIONS[outcome], receipt)
    elif outcome is Outcome.UNDELIVERED:
        _undelivered(delivery, receipt)
    elif outcome in {Outcome.SENT, Outcome.DELIVERED}:
        advance(delivery, State(outcome.value), receipt.at)


def advance(delivery: Delivery, state: State, at: datetime) -> None:
    """Move a locked delivery forward; a late or repeated report moves nothing back."""
    before = Delivery.objects.advance(delivery, state, at)
    if before is not None:
        tally.write(tally.progressed(delivery.message, delivery.channel, before=before, after=state))


def _undelivered(delivery: Delivery, receipt: Receipt) -> None:
    before = State(delivery.state)
    if not Delivery.objects.bounce(delivery, receipt.at, code=receipt.code, reason=receipt.reason):
        return
    tally.write(tally.moved(delivery.message, delivery.channel, before=before, after=State.UNDELIVERED))
    fall_back(delivery.message, delivery)


def _suppress(delivery: Delivery, reason: SuppressionReason, receipt: Receipt) -> None:
    if not delivery.message.is_test:
        Suppression.objects.get_or_create(
            kind=delivery.kind,
            value=delivery.address,
            channel=delivery.channel,
            defaults={"reason": reason, "detail": receipt.reason[:300]},
        )


def _keep(account: Account, callback: Callback) -> ReceiptCall:
    headers = {name: value for name, value in callback.headers.items() if name not in SECRET_HEADERS}
    return ReceiptCall.objects.create(
        account=account, headers=headers, query=dict(callback.query), body=callback.body
    )


def _remark(call: ReceiptCall, error: str) -> None:
    ReceiptCall.objects.filter(pk=call.pk).update(error=error[:300])


def _fields(each: Reported) -> dict[str, Any]:
    return {
        "provider_id": storable(each.provider_id, 300),
        "outcome": each.outcome.value,
        "code": storable(each.code, 80),
        "reason": storable(each.reason, 500),
        "at": each.at or timezone.now(),
    }


def _fingerprint(each: Reported) -> str:
    """Stands for the event id of a provider that gives none: the same report twice is one receipt."""
    parts = (each.provider_id, each.outcome.value, each.code, each.at.isoformat() if each.at else "")
    return "sha256:" + hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
