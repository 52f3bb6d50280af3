"""Broadcasts: accepted as one row, and expanded by a worker into messages, a thousand people at a time.

People come in the order of their ids, and the last one stands on the batch (``cursor``). Messages, deliveries,
figures and the cursor of one chunk commit together, so that a worker may die at any moment: nobody is lost, and
nobody gets it twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from pushcenter.faults import Fault, Rejected
from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging import batches, brake, idempotency, intake, quota, validate
from pushcenter.messaging.idempotency import Answer, Conflict, Replayed
from pushcenter.messaging.models import Batch
from pushcenter.messaging.request import Call, Caller, Item, Request
from pushcenter.messaging.routing import plan, why_nothing
from pushcenter.messaging.rows import Rows
from pushcenter.messaging.validate import NotPermitted, Terms
from pushcenter.recipients import audience
from pushcenter.recipients.audience import Audience
from pushcenter.recipients.person import Person
from pushcenter.recipients.resolve import people
from templates_app import catalog
from templates_app.models import TemplateVersion, VersionState

#: People in one transaction.
CHUNK = 1_000
QUOTA_USED_UP = "the daily quota is used up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A broadcast that is stored, for so many people at this moment."""

    id: UUID
    people: int

    def as_json(self) -> dict[str, Any]:
        """The answer to the call that brought it."""
        return {"id": str(self.id), "people": self.people}


def checked(
    request: Request, given: Mapping[str, Any], *, caller: Caller, batch_id: UUID
) -> tuple[Terms, int]:
    """The terms of a broadcast, and how many people it is for; raises as :func:`accept` does."""
    if not caller.may_broadcast:
        detail = "This system may not broadcast."
        raise NotPermitted([Fault(pointer="", code="broadcast_not_permitted", detail=detail)])
    terms, faults = validate.terms(request, caller=caller, now=timezone.now(), batch_id=batch_id)
    faults += [*terms.published.check.faults(request.params), *audience.faults(given)]
    if faults:
        raise Rejected(faults)
    number = Audience.of(given).people(before=terms.accepted_at).count()
    if fault := _wrong_size(number, caller):
        raise Rejected([fault])
    return terms, number


def _wrong_size(number: int, caller: Caller) -> Fault | None:
    if not number:
        return Fault(pointer="/audience", code="nobody", detail="Nobody is in this audience.")
    if caller.max_broadcast is not None and number > caller.max_broadcast:
        detail = f"These are {number:,} people; your system may send to {caller.max_broadcast:,} at once."
        return Fault(pointer="/audience", code="too_many_people", detail=detail)
    return None


def accept(
    request: Request, given: Mapping[str, Any], *, caller: Caller, call: Call | None = None
) -> Begun | Replayed:
    """Store a broadcast and wake a worker; durable on return.

    Raises :class:`Rejected`, :class:`NotPermitted`, :class:`QuotaExceeded` or, for the key of ``call``,
    :class:`Conflict`; then nothing is stored.
    """
    terms, number = checked(request, given, caller=caller, batch_id=uuid7())
    with transaction.atomic():
        [known] = idempotency.enter([call])
        if isinstance(known, Replayed):
            return known
        if isinstance(known, Conflict):
            raise known
        if caller.daily_quota is not None and not caller.is_test:
            left = quota.look(caller.system_id, caller.daily_quota, terms.accepted_at)
            if not left.remaining:
                raise quota.exceeded(left, terms.accepted_at)
        return _store(request, given, terms, number, call)


def _store(request: Request, given: Mapping[str, Any], terms: Terms, number: int, call: Call | None) -> Begun:
    begun = Begun(id=terms.batch_id or uuid7(), people=number)
    batch = Batch.objects.create(
        id=begun.id,
        system_id=terms.caller.system_id,
        key_id=terms.caller.key_id,
        is_test=terms.caller.is_test,
        template_id=terms.published.template_id,
        reference=request.reference,
        accepted_at=terms.accepted_at,
        audience=given,
        terms=_kept(terms, request.params),
        people=number,
    )
    if size := brake.slice_of(number):
        brake.put_on(batch, size, starts=terms.send_at or terms.accepted_at)
    batches.ask_for_work(batch)
    if call:
        body = msgspec.json.encode(begun.as_json())
        idempotency.keep([(call, Answer(status=202, body=body, location=intake.batch_location(begun.id)))])
    return begun


def _kept(terms: Terms, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker needs to know later: what was agreed on, whatever changes meanwhile."""
    return {
        "version": str(terms.published.version_id),
        "canary": str(terms.canary.published.version_id) if terms.canary else None,
        "category": terms.category,
        "is_mandatory": terms.route.is_mandatory,
        "channels": [*terms.route.channels],
        "permitted": [*terms.caller.channels],
        "lane": terms.lane.value,
        "send_at": terms.send_at and terms.send_at.isoformat(),
        "expires_at": terms.expires_at.isoformat(),
        "metadata": terms.metadata,
        "params": params,
        "request_id": terms.request_id,
    }


def _terms(batch: Batch) -> Terms:
    """What :func:`_kept` kept; which channels have an account is looked up anew."""
    kept = batch.terms
    versions = TemplateVersion.objects.select_related("template__category").prefetch_related("variants")
    published = catalog.of(versions.get(pk=kept["version"]))
    caller = Caller(
        system_id=batch.system_id,
        key_id=batch.key_id,
        is_test=batch.is_test,
        channels=tuple(kept["permitted"]),
        daily_quota=batch.system.daily_quota,
    )
    found = Terms(
        caller=caller,
        published=published,
        category=kept["category"],
        route=validate.route(
            kept["channels"], published, kept["category"], caller, is_mandatory=kept["is_mandatory"]
        ),
        lane=Lane(kept["lane"]),
        send_at=datetime.fromisoformat(kept["send_at"]) if kept["send_at"] else None,
        expires_at=datetime.fromisoformat(kept["expires_at"]),
        accepted_at=batch.accepted_at,
        metadata=kept["metadata"],
        request_id=kept["request_id"],
        batch_id=batch.pk,
    )
    canary = versions.filter(pk=kept.get("canary"), state=VersionState.CANARY).first()
    if canary is None:  # there was none, or it has been withdrawn since
        return found
    found = replace(found, published=replace(published, canary_share=(canary.canary_percent or 0) / 100))
    return validate.with_canary(
        found, catalog.of(canary), channels=kept["channels"], is_mandatory=kept["is_mandatory"]
    )


def expand(batch: Batch, now: datetime, *, most: int = CHUNK) -> datetime | None:
    """Make the messages of the next people; when to go on with the others, None where none are left.

    To be called in a transaction that has locked the batch.
    """
    terms = _terms(batch)
    if terms.expires_at <= now:
        _finish(batch, Counter(expired=max(0, batch.people - batch.expanded)), now)
        return None
    room = min(most, _room(terms, now))
    if not room:
        return _wait_for_tomorrow(batch, now)
    ids = _next(batch, room)
    made, left_out = _write(terms, batch.terms["params"], ids)
    if made and terms.caller.daily_quota is not None and not batch.is_test:
        quota.count({batch.system_id: made}, now)
    batch.accepted += made
    batch.expanded += len(ids)
    batch.cursor = ids[-1] if ids else batch.cursor
    batch.pause_reason = ""
    if len(ids) < room:
        _finish(batch, left_out, now)
        return None
    _save(batch, left_out)
    return now


def _room(terms: Terms, now: datetime) -> int:
    """For how many people there is room in the next chunk; the quota is locked until the end of the transaction."""
    caller = terms.caller
    if caller.daily_quota is None or caller.is_test:
        return CHUNK
    left = quota.lock({caller.system_id: caller.daily_quota}, now)[caller.system_id]
    return min(CHUNK, left.remaining)


def _wait_for_tomorrow(batch: Batch, now: datetime) -> datetime:
    """No more people on this day; what has been made of the broadcast goes out meanwhile."""
    if not batch.pause_reason:
        batch.pause_reason = QUOTA_USED_UP
        batch.save(update_fields=["pause_reason"])
        batches.note(batch, "batch_waits", reason=QUOTA_USED_UP)
    return quota.midnight(now)


def _next(batch: Batch, number: int) -> list[UUID]:
    found = Audience.of(batch.audience).people(before=batch.accepted_at)
    if batch.cursor:
        found = found.filter(pk__gt=batch.cursor)
    return list(found.values_list("pk", flat=True)[:number])


def _write(terms: Terms, params: Mapping[str, Any], ids: Sequence[UUID]) -> tuple[int, "Counter[str]"]:
    """Store the messages of these people; returns how many, and how many get nothing, by reason."""
    known, written, left_out = people(ids), Rows(), Counter[str]()
    made = 0
    for person in (known[each] for each in ids if each in known):
        chosen = validate.drawn(terms, params)
        decisions = plan(chosen.route, person)
        reason = why_nothing(decisions)
        if reason:
            left_out[reason.value] += 1
        if reason not in intake.CALLERS_FAULTS:
            written.add(_item(person, params), chosen, person, decisions)
            made += 1
    written.write()
    return made, left_out


def _item(person: Person, params: Mapping[str, Any]) -> Item:
    return Item(to={"recipient": person.external_id}, params=params)


def _finish(batch: Batch, left_out: "Counter[str]", now: datetime) -> None:
    batch.expanded_at = now
    _save(batch, left_out)


def _save(batch: Batch, left_out: "Counter[str]") -> None:
    batch.left_out = {**Counter(batch.left_out) + left_out}
    fields = ["accepted", "expanded", "cursor", "expanded_at", "left_out", "pause_reason"]
    batch.save(update_fields=fields)
