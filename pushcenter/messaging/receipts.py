"""Receipts: what providers say later about a delivery.

They come late, twice, in any order, and sometimes before our own record of the provider's id. So each is kept
as it came, applied by rank, and matched again by the sweep where its delivery was not known yet.
"""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from channels_app import registry
from channels_app.contract import Adapter, Callback, ForgedCallback, HttpReply, Outcome
from channels_app.contract import Receipt as Reported
from channels_app.models import Account
from pushcenter.ids import uuid7
from pushcenter.messaging import interactions, queue, steps, tally
from pushcenter.messaging.fallback import fall_back
from pushcenter.messaging.models import CallVerdict, Delivery, Receipt, ReceiptCall
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import storable
from pushcenter.networks import permits
from pushcenter.recipients.models import Suppression, SuppressionReason

log = logging.getLogger(__name__)
#: Headers that carry secrets are not kept.
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key"})
#: A receipt whose delivery has not turned up by then is never matched.
GIVE_UP_AFTER = timedelta(days=7)

INTERACTIONS = {Outcome.OPENED: "opened", Outcome.CLICKED: "clicked"}
SUPPRESSIONS = {
    Outcome.UNREACHABLE: SuppressionReason.UNREACHABLE,
    Outcome.OPTED_OUT: SuppressionReason.OPTED_OUT,
    Outcome.COMPLAINED: SuppressionReason.COMPLAINED,
}


class Elsewhere(Exception):
    """A call from an address that is not the provider's."""


def take(account: Account, callback: Callback, *, caller: str) -> HttpReply:
    """A provider's call from the IP address ``caller``: keep it, read it, apply it, answer as the provider wants.

    Raises :class:`Elsewhere` and :class:`ForgedCallback`; the call is kept with that verdict.
    """
    if not permits(account.callback_networks, caller):
        _keep(account, replace(callback, body=b""), CallVerdict.DENIED, f"from {caller or 'nowhere'}")
        raise Elsewhere(f"{caller} is not among the networks of the provider")
    call = _keep(account, callback)
    adapter = account.connect()
    try:
        reported = list(adapter.receipts(callback))
    except ForgedCallback as error:
        _remark(call, CallVerdict.FORGED, str(error))
        raise
    except Exception as error:
        _remark(call, CallVerdict.UNCLEAR, type(error).__name__)
    else:
        store(account, call, reported)
    return _reply(adapter, callback)


def _reply(adapter: Adapter, callback: Callback) -> HttpReply:
    try:
        return adapter.reply(callback)
    except Exception:
        # The call itself is kept and applied: a provider that hears of a fault would only send it again.
        log.exception("the adapter %s cannot answer a call", adapter.name)
        return HttpReply(body=b"ok")


def store(account: Account, call: ReceiptCall | None, reported: Iterable[Reported]) -> None:
    """Keep receipts and apply those whose delivery is known; a repeated one changes nothing."""
    for each in reported:
        fields = _fields(each)
        with transaction.atomic():
            delivery = _delivery(account, each)
            receipt, is_new = Receipt.objects.get_or_create(
                account=account,
                event_id=storable(each.event_id, 300) or _fingerprint(each),
                defaults=fields | {"call": call, "delivery": delivery, "address": _to_match(each, delivery)},
            )
            if is_new and delivery is not None:
                apply(receipt, delivery.pk)
            elif is_new and each.address:
                _apply_to_address(account, receipt, each.address)


def _delivery(account: Account, each: Reported) -> Delivery | None:
    """The delivery that a receipt is about, where it is known by now."""
    if each.delivery_id:
        delivery = Delivery.objects.of_channel(account.channel, each.delivery_id)
        # What came of a call is recorded after it: until then a bounce would be overtaken by "sent".
        early = delivery is not None and delivery.state == State.SENDING
        if not (early and each.provider_id and each.outcome is Outcome.UNDELIVERED):
            return delivery
    return Delivery.objects.by_provider_id(
        account.pk, storable(each.provider_id, 300), address=_normalised(account, each.address)
    )


def _to_match(each: Reported, delivery: Delivery | None) -> str:
    """The address, while it is needed to tell several deliveries with one provider's id apart."""
    return storable(each.address, 2048) if each.provider_id and delivery is None else ""


def _normalised(account: Account, address: str) -> str:
    """The stored form of an address as the provider writes it; as it is where it has none."""
    channel = registry.channels().get(account.channel)
    try:
        return channel.normalise(address) if channel and address else address
    except ValueError:
        return storable(address, 2048)


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
    # The index leaves empty ids out, and is used only where the statement says so, too.
    known = Delivery.objects.filter(account=OuterRef("account"), provider_id=OuterRef("provider_id"))
    known = known.exclude(provider_id="")
    to_somebody = known.filter(address=OuterRef("address"))
    # Those that nobody knows stay out: an account shared with others brings them without end.
    waiting = Receipt.objects.filter(
        Q(Exists(known), address="") | Exists(to_somebody), delivery=None, received_at__gte=since
    )
    for receipt in waiting.exclude(provider_id="").order_by("id")[:1000]:
        delivery = Delivery.objects.by_provider_id(
            receipt.account_id, receipt.provider_id, address=receipt.address
        )
        if delivery is not None:
            with transaction.atomic():
                matched_now = Receipt.objects.filter(pk=receipt.pk, delivery=None)
                if matched_now.update(delivery=delivery, address=""):
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
    elif outcome is Outcome.OPTED_IN:
        _lift(delivery.kind, delivery.address, delivery.channel, receipt.at)
    elif outcome is Outcome.UNDELIVERED:
        _undelivered(delivery, receipt)
    elif outcome in {Outcome.SENT, Outcome.DELIVERED}:
        advance(delivery, State(outcome.value), receipt.at)


def advance(delivery: Delivery, state: State, at: datetime) -> None:
    """Move a locked delivery forward; a late or repeated report moves nothing back."""
    before = Delivery.objects.advance(delivery, state, at)
    if before is not None:
        tally.write(tally.progressed(delivery.message, delivery.channel, before=before, after=state))
        delivery.state = state
        steps.moved(delivery, at, was_sent=before.was_sent)


def _undelivered(delivery: Delivery, receipt: Receipt) -> None:
    before = State(delivery.state)
    if not Delivery.objects.bounce(delivery, receipt.at, code=receipt.code, reason=receipt.reason):
        return
    tally.write(tally.moved(delivery.message, delivery.channel, before=before, after=State.UNDELIVERED))
    fall_back(delivery.message, delivery)


def _suppress(delivery: Delivery, reason: SuppressionReason, receipt: Receipt) -> None:
    if not delivery.message.is_test and delivery.address:  # its person may have been erased
        Suppression.objects.write(
            [
                Suppression(
                    kind=delivery.kind,
                    value=delivery.address,
                    channel=delivery.channel,
                    reason=reason,
                    detail=receipt.reason[:300],
                )
            ]
        )


def _lift(kind: str, value: str, channel: str, at: datetime) -> None:
    """The person wants us again: that ends what he or she said before, and no other reason."""
    Suppression.objects.filter(
        kind=kind, value=value, channel=channel, reason=SuppressionReason.OPTED_OUT, created_at__lte=at
    ).delete()


def _apply_to_address(account: Account, receipt: Receipt, address: str) -> None:
    """STOP and START name an address and no delivery."""
    channel = registry.channels().get(account.channel)
    outcome = Outcome(receipt.outcome)
    if channel is None:
        return
    kind, value = channel.address_kind, _normalised(account, address)
    if outcome in SUPPRESSIONS:
        Suppression.objects.write(
            [
                Suppression(
                    kind=kind,
                    value=value,
                    channel=account.channel,
                    reason=SUPPRESSIONS[outcome],
                    detail=receipt.reason[:300],
                )
            ]
        )
    elif outcome is Outcome.OPTED_IN:
        _lift(kind, value, account.channel, receipt.at)


def _keep(
    account: Account, callback: Callback, verdict: CallVerdict = CallVerdict.TAKEN, error: str = ""
) -> ReceiptCall:
    headers = {name: value for name, value in callback.headers.items() if name not in SECRET_HEADERS}
    return ReceiptCall.objects.create(
        account=account,
        headers=headers,
        query=dict(callback.query),
        body=callback.body,
        verdict=verdict,
        error=error,
    )


def _remark(call: ReceiptCall, verdict: CallVerdict, error: str) -> None:
    ReceiptCall.objects.filter(pk=call.pk).update(verdict=verdict, error=storable(error, 300))


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
    about = each.delivery_id or each.provider_id
    if not about and each.at is None:
        return f"unique:{uuid7()}"  # STOP, START, and STOP again are three reports
    moment = each.at.isoformat() if each.at else ""
    parts = (about, each.address, each.outcome.value, each.code, moment)
    return "sha256:" + hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()
