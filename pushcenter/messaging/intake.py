"""Intake: from requests to durable messages with their deliveries, or to a list of faults.

Each request is checked by itself (:mod:`validate`). What is good goes on together, a single message with those that
come at the same moment (:mod:`group`), a batch as a whole: people are looked up, channels chosen, and everything is
stored in one transaction.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from pushcenter import prepared
from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.ids import uuid7
from pushcenter.messaging import brake, idempotency, quota, rows, validate
from pushcenter.messaging.group import Group
from pushcenter.messaging.idempotency import Answer, Conflict, Replayed
from pushcenter.messaging.models import Batch
from pushcenter.messaging.quota import Left, QuotaExceeded
from pushcenter.messaging.request import Call, Caller, Item, Request
from pushcenter.messaging.routing import Decision, Reason, plan
from pushcenter.messaging.rows import Accepted, Rows
from pushcenter.messaging.validate import NotPermitted, Terms
from pushcenter.recipients.person import Person
from pushcenter.recipients.resolve import resolve, resolve_all

__all__ = [
    "Accepted", "Batched", "Call", "Caller", "Conflict", "Item", "NotPermitted", "QuotaExceeded", "Replayed",
    "Request", "accept", "accept_batch", "checked",
]  # fmt: skip

#: Reasons for which the caller, and not the recipient's wish, leaves a message without a channel.
CALLERS_FAULTS = frozenset({Reason.NO_ADDRESS, Reason.NO_VARIANT, Reason.NOT_PERMITTED, Reason.NO_ACCOUNT})
#: So many faults of an item that is left out are told.
MOST_OF_AN_ITEM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message that was found good but for its recipient."""

    terms: Terms
    item: Item
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class _Decided:
    """A good message of a batch."""

    item: Item
    terms: Terms
    person: Person
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batched:
    """A batch that is stored. ``rejected`` says of each item that was left out why."""

    id: UUID
    accepted: int
    rejected: Mapping[int, Rejected]

    def as_json(self) -> dict[str, Any]:
        """The answer to the call that brought it."""
        return {
            "id": str(self.id),
            "accepted": self.accepted,
            "rejected": [
                {"index": index, "errors": [asdict(fault) for fault in found.faults[:MOST_OF_AN_ITEM]]}
                for index, found in sorted(self.rejected.items())
            ],
        }


def accept(request: Request, *, caller: Caller, call: Call | None = None) -> Accepted | Replayed:
    """Store the message, its deliveries and a wake-up; they are durable on return.

    Raises :class:`Rejected`, :class:`NotPermitted`, :class:`QuotaExceeded` or, for the key of ``call``,
    :class:`Conflict`; then nothing is stored.
    """
    item = Item(to=request.to, params=request.params, reference=request.reference)
    terms = checked(request, item, caller=caller)
    return _singles.join(Draft(terms=terms, item=item, call=call))


def checked(request: Request, item: Item, *, caller: Caller) -> Terms:
    """The terms of a request for one message; raises as :func:`accept` does, with all the faults at once."""
    terms, faults = validate.terms(request, caller=caller, now=timezone.now())
    faults = [*validate.item_faults(item, terms), *faults]
    if faults:
        raise Rejected([*faults, *_recipient_faults(item, caller)])
    return validate.drawn(terms, item.params)


def _recipient_faults(item: Item, caller: Caller) -> Sequence[Fault]:
    try:
        resolve(item.to, is_test=caller.is_test)
    except Rejected as rejected:
        return rejected.faults
    return ()


def accept_batch(
    request: Request,
    items: Mapping[int, Item],
    *,
    caller: Caller,
    rejected: Mapping[int, Sequence[Fault]],
    skip_rejected: bool,
    call: Call | None = None,
) -> Batched | Replayed:
    """Store many messages on the same terms, all in one transaction, by their index in the call.

    ``rejected`` holds items that are known to be bad already. With ``skip_rejected`` these and others that turn out
    bad are left out; else one of them refuses the whole call. Raises as :func:`accept` does.
    """
    batch_id = uuid7()
    terms, faults = validate.terms(request, caller=caller, now=timezone.now(), batch_id=batch_id)
    if faults:
        raise Rejected(faults)
    good, bad = _decided(items, terms)
    bad |= {index: Rejected(found) for index, found in rejected.items()}
    if bad and not skip_rejected:
        raise _all_of(bad)
    with transaction.atomic():
        [known] = idempotency.enter([call])
        if isinstance(known, Replayed):
            return known
        if isinstance(known, Conflict):
            raise known
        return _store_batch(request, terms, good, bad, call)


def _decided(items: Mapping[int, Item], terms: Terms) -> tuple[list[_Decided], dict[int, Rejected]]:
    """What is good, with its decisions, and what is not."""
    good: list[_Decided] = []
    bad: dict[int, Rejected] = {}
    people = resolve_all([(item.to, terms.caller.is_test) for item in items.values()])
    for (index, item), person in zip(items.items(), people, strict=True):
        try:
            good.append(_decided_one(item, person, terms))
        except Rejected as error:
            bad[index] = error
    return good, bad


def _decided_one(item: Item, person: Person | Rejected, terms: Terms) -> _Decided:
    faults = validate.item_faults(item, terms)
    if isinstance(person, Rejected):
        raise Rejected([*faults, *person.faults])
    if faults:
        raise Rejected(faults)
    chosen = validate.drawn(terms, item.params)
    return _Decided(item, chosen, person, decide(chosen, person))


def _all_of(bad: Mapping[int, Rejected]) -> Rejected:
    """The faults of all items, each with the item in its pointer."""
    faults = [
        Fault(pointer=pointer("items", index) + fault.pointer, code=fault.code, detail=fault.detail)
        for index, rejected in sorted(bad.items())
        for fault in rejected.faults
    ]
    return (
        NotPermitted(faults)
        if any(isinstance(each, NotPermitted) for each in bad.values())
        else Rejected(faults)
    )


def _store_batch(
    request: Request, terms: Terms, good: Sequence[_Decided], bad: Mapping[int, Rejected], call: Call | None
) -> Batched:
    quotas = _Quotas.of([terms])
    quotas.use(terms, len(good))
    batch = Batched(id=terms.batch_id or uuid7(), accepted=len(good), rejected=bad)
    row = Batch.objects.create(
        id=batch.id,
        system_id=terms.caller.system_id,
        key_id=terms.caller.key_id,
        is_test=terms.caller.is_test,
        template_id=terms.published.template_id,
        reference=request.reference,
        accepted=batch.accepted,
        rejected=len(bad),
        accepted_at=terms.accepted_at,
    )
    size = brake.slice_of(len(good))
    written = Rows(slice=size)
    for each in good:
        written.add(each.item, each.terms, each.person, each.decisions)
    written.write()
    if size:
        brake.put_on(row, size, starts=terms.send_at or terms.accepted_at)
    quotas.count()
    if call:
        answer = Answer(
            status=202, body=msgspec.json.encode(batch.as_json()), location=batch_location(batch.id)
        )
        idempotency.keep([(call, answer)])
    return batch


def decide(terms: Terms, person: Person) -> list[Decision]:
    """Which channels the message takes; raises :class:`Rejected` where the caller has left it none."""
    decisions = plan(terms.route, person)
    if any(each.reason not in CALLERS_FAULTS for each in decisions):
        return decisions
    reasons = ", ".join(f"{each.channel}: {each.reason.value}" for each in decisions)
    code = (
        "no_usable_address"
        if any(each.reason is Reason.NO_ADDRESS for each in decisions)
        else "no_usable_channel"
    )
    detail = f"No channel can be used ({reasons or 'empty route'})."
    raise Rejected([Fault(pointer="/to", code=code, detail=detail)])


def _accept_all(drafts: Sequence[Draft]) -> list[Accepted | Replayed | Exception]:
    """Store single messages of any callers together; one result each, in their order."""
    prepared.revive()
    with transaction.atomic():
        known = idempotency.enter([draft.call for draft in drafts])
        people = resolve_all([(draft.item.to, draft.terms.caller.is_test) for draft in drafts])
        quotas = _Quotas.of([draft.terms for draft in drafts])
        written = Rows()
        results = [
            _accept_one(draft, person, quotas, written) if outcome is None else outcome
            for draft, person, outcome in zip(drafts, people, known, strict=True)
        ]
        written.write()
        quotas.count()
        idempotency.keep(_answers(drafts, results))
    return results


def _accept_one(
    draft: Draft, person: Person | Rejected, quotas: "_Quotas", written: Rows
) -> Accepted | Exception:
    if isinstance(person, Rejected):
        return person
    try:
        decisions = decide(draft.terms, person)
        quotas.use(draft.terms, 1)
    except (Rejected, QuotaExceeded) as error:
        return error
    return written.add(draft.item, draft.terms, person, decisions)


def _answers(
    drafts: Sequence[Draft], results: Sequence[Accepted | Replayed | Exception]
) -> list[tuple[Call, Answer]]:
    return [
        (draft.call, Answer(status=202, body=rows.answer(result), location=location(result.id)))
        for draft, result in zip(drafts, results, strict=True)
        if draft.call and isinstance(result, Accepted)
    ]


def location(message_id: str) -> str:
    """Where a message is to be read."""
    return f"/api/v1/messages/{message_id}"


def batch_location(batch_id: UUID) -> str:
    """Where the progress of a batch is to be read."""
    return f"/api/v1/batches/{batch_id}"


@dataclass(slots=True)
class _Quotas:
    """The daily quotas of the systems in one transaction, and what they have used of them in it."""

    now: datetime
    left: Mapping[UUID, Left]
    used: "Counter[UUID]"

    @classmethod
    def of(cls, all_terms: Iterable[Terms]) -> "_Quotas":
        now = timezone.now()
        callers = [terms.caller for terms in all_terms if not terms.caller.is_test]
        limits = {each.system_id: each.daily_quota for each in callers if each.daily_quota is not None}
        return cls(now, quota.lock(limits, now) if limits else {}, Counter())

    def use(self, terms: Terms, number: int) -> None:
        """Raises :class:`QuotaExceeded` where so many are not left."""
        system = terms.caller.system_id
        if terms.caller.is_test or system not in self.left:
            return
        if self.used[system] + number > self.left[system].remaining:
            raise quota.exceeded(self.left[system], self.now)
        self.used[system] += number

    def count(self) -> None:
        if self.used:
            quota.count(self.used, self.now)


_singles = Group[Draft, Accepted | Replayed](_accept_all)
