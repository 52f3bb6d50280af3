"""What would become of a request, or did become of a message: by the code that decides, so that both say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from pushcenter.faults import Rejected
from pushcenter.messaging import chain, intake, quota, stops, validate
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.quota import QuotaExceeded
from pushcenter.messaging.request import Caller, Item, Request
from pushcenter.messaging.routing import Choice, Reason, plan
from pushcenter.messaging.states import State
from pushcenter.messaging.stops import Pause
from pushcenter.messaging.validate import Judgement, Terms
from pushcenter.recipients.person import Person
from pushcenter.recipients.resolve import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Whether it is accepted, or the error that sending would raise; the rest as far as it can be decided.

    ``channels`` holds routing decisions as JSON, in the order of the route, each with its ``delivery`` where there
    is one. ``paused`` says what holds it at this moment.
    """

    refusal: Rejected | QuotaExceeded | None = None
    template: str = ""
    version: int | None = None
    category: str = ""
    lane: str = ""
    due_at: datetime | None = None
    expires_at: datetime | None = None
    recipient: str | None = None
    name: str = ""
    locale: str = ""
    paused: Sequence[Pause] = field(default_factory=list)
    channels: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return self.refusal is None


def request(asked: Request, *, caller: Caller) -> Explained:
    """What :func:`intake.accept` would do; nothing is stored."""
    item = Item(to=asked.to, params=asked.params, reference=asked.reference)
    now = timezone.now()
    judged = validate.judge(asked, caller=caller, now=now)
    terms = judged.terms
    person = _person(item, caller)
    paused = _paused(terms) if terms else []
    planned = _with_steps([each.as_json() for each in plan(terms.route, person)]) if terms and person else []
    return Explained(
        refusal=_refusal(asked, item, caller),
        **(_of_terms(terms) if terms else {"template": asked.template}),
        **(_of_times(terms, now) if terms and not _has_bad_times(judged) else {}),
        **(_of_person(person) if person else {}),
        paused=paused,
        channels=[_held(each) if paused and _is_chosen(each) else each for each in planned],
    )


def _paused(terms: Terms) -> list[Pause]:
    return stops.pauses(
        lane=terms.lane.value, system_id=terms.caller.system_id, template_id=terms.published.template_id
    )


def _is_chosen(decision: Mapping[str, Any]) -> bool:
    return decision["choice"] == Choice.CHOSEN.value


def _held(decision: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**decision, "reason": Reason.PAUSED.value}


def _with_steps(decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """With what each step of a chain waits for, also in words."""
    return [
        {
            **each,
            "until": each.get("until"),
            "within": each.get("within"),
            "detail": each["detail"] or chain.told(decisions, each),
        }
        for each in decisions
    ]


def _refusal(asked: Request, item: Item, caller: Caller) -> Rejected | QuotaExceeded | None:
    """What sending would raise: the same steps in the same order, but for storing."""
    try:
        terms = intake.checked(asked, item, caller=caller)
        intake.decide(terms, resolve(item.to, is_test=caller.is_test))
        _check_quota(caller, terms.accepted_at)
    except (Rejected, QuotaExceeded) as error:
        return error
    return None


def _check_quota(caller: Caller, now: datetime) -> None:
    if caller.daily_quota is None or caller.is_test:
        return
    left = quota.look(caller.system_id, caller.daily_quota, now)
    if not left.remaining:
        raise quota.exceeded(left, now)


def _person(item: Item, caller: Caller) -> Person | None:
    try:
        return resolve(item.to, is_test=caller.is_test)
    except Rejected:
        return None


def _has_bad_times(judged: Judgement) -> bool:
    return any(fault.pointer in {"/send_at", "/expires_at"} for fault in judged.faults)


def _of_times(terms: Terms, now: datetime) -> dict[str, Any]:
    return {"due_at": max(terms.send_at or now, now), "expires_at": terms.expires_at}


def _of_terms(terms: Terms) -> dict[str, Any]:
    return {
        "template": terms.published.code,
        "version": terms.published.number,
        "category": terms.category,
        "lane": terms.lane.value,
    }


def _of_person(person: Person) -> dict[str, Any]:
    return {"recipient": person.external_id or None, "name": person.name, "locale": person.locale}


def message(found: Message) -> Explained:
    """What was decided on a message, and what became of each channel."""
    deliveries: dict[str, Delivery] = {each.channel: each for each in found.deliveries.all()}
    waits = {name for name, each in deliveries.items() if each.state == State.PENDING}
    paused = _pauses(found) if waits else []
    return Explained(
        template=found.template.code,
        version=found.version.number,
        category=found.category,
        lane=found.lane,
        due_at=found.send_at or found.accepted_at,
        expires_at=found.expires_at,
        recipient=found.recipient.external_id if found.recipient else None,
        name=found.to.get("name", ""),
        locale=found.to.get("locale", ""),
        paused=paused,
        channels=[
            {
                **(_held(each) if paused and each["channel"] in waits else each),
                "delivery": deliveries.get(each["channel"]),
            }
            for each in _with_steps(found.plan)
        ],
    )


def _pauses(found: Message) -> list[Pause]:
    return stops.pauses(
        lane=found.lane,
        system_id=found.system_id,
        template_id=found.template_id,
        batch=found.batch,
        is_held=any(each.held for each in found.deliveries.all()),
    )
