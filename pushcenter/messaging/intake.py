"""Intake: from a request to a durable message with its deliveries, or to a list of its faults."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from channels_app import registry
from channels_app.models import Account
from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging import queue, tally
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.routing import Choice, Decision, Reason, Route, plan
from pushcenter.messaging.states import State
from pushcenter.recipients.models import Category
from pushcenter.recipients.resolve import Person, resolve
from templates_app import variables
from templates_app.locales import normalise
from templates_app.models import RouteMode, Template, TemplateVersion

#: How far a caller's clock may be behind ours before ``send_at`` counts as past.
CLOCK_TOLERANCE = timedelta(minutes=1)
#: How far ahead a moment may lie; what is later is a mistake.
LONGEST_AHEAD = timedelta(days=10 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and what is permitted. An empty ``channels`` permits every channel."""

    system_id: UUID
    key_id: UUID | None = None
    is_test: bool = False
    channels: Collection[str] = ()
    highest_priority: Lane = Lane.CRITICAL
    may_address_inline: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One message as asked for, its shape already checked."""

    template: str
    to: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    channels: Sequence[str] = ()
    priority: Lane | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    reference: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request that was found good: everything that is stored of it."""

    version: TemplateVersion
    category: Category
    person: Person
    decisions: Sequence[Decision]
    lane: Lane
    send_at: datetime | None
    expires_at: datetime
    params: Mapping[str, Any]


class NotPermitted(Rejected):
    """The request is well formed, but this caller may not ask for it."""


def accept(request: Request, *, caller: Caller) -> Message:
    """Store the message, its deliveries and a wake-up in one transaction; the message is durable on return.

    Raises :class:`Rejected` or :class:`NotPermitted`; then nothing is stored.
    """
    now = timezone.now()
    prepared = prepare(request, caller=caller, now=now)
    message = _message(request, prepared, caller, now)
    deliveries = [
        _delivery(message, each, prepared, now) for each in prepared.decisions if _becomes_a_row(each)
    ]
    with transaction.atomic():
        message.save(force_insert=True)
        Delivery.objects.bulk_create(deliveries)
        tally.write(tally.accepted(message, deliveries))
        if any(each.state == State.PENDING for each in deliveries):
            queue.wake(message.lane, message.send_at)
    return message


def prepare(request: Request, *, caller: Caller, now: datetime) -> Prepared:
    """Check a request against templates, recipients and permissions; raises as :func:`accept` does."""
    _check_permissions(request, caller)
    version = _published_version(request.template)
    template = version.template
    faults = [*variables.faults(version, request.params), *_unknown_channels(request.channels)]
    category, category_faults = _category(request, template)
    expires_at, time_faults = _times(request, template, now)
    person, address_faults = _person(request)
    if problems := [*faults, *category_faults, *time_faults, *address_faults]:
        raise Rejected(problems)
    decisions = plan(_route(request, version, category, caller), person)
    _demand_a_usable_channel(decisions)
    return Prepared(
        version=version,
        category=category,
        person=person,
        decisions=decisions,
        lane=_lane(request.priority or Lane(template.priority), caller),
        send_at=request.send_at,
        expires_at=expires_at,
        params=variables.with_defaults(version, request.params),
    )


def _check_permissions(request: Request, caller: Caller) -> None:
    faults = []
    if request.priority and request.priority.is_above(caller.highest_priority):
        detail = f"This system may go up to {caller.highest_priority.value}."
        faults.append(Fault(pointer="/priority", code="priority_not_permitted", detail=detail))
    if caller.channels:
        faults += [
            Fault(
                pointer=pointer("channels", index),
                code="channel_not_permitted",
                detail=f"Not permitted: {name}.",
            )
            for index, name in enumerate(request.channels)
            if name in registry.channels() and name not in caller.channels
        ]
    if not caller.may_address_inline:
        faults += [
            Fault(
                pointer=pointer("to", kind),
                code="inline_address_not_permitted",
                detail="Name a recipient instead.",
            )
            for kind in registry.address_kinds()
            if kind in request.to
        ]
    if faults:
        raise NotPermitted(faults)


def _published_version(code: str) -> TemplateVersion:
    versions = TemplateVersion.objects.select_related("template__category").prefetch_related("variants")
    version = versions.filter(template__code=code, state="published").first()
    if version is not None:
        return version
    codes = Template.objects.values_list("code", flat=True)
    if code in codes:
        fault = Fault(
            pointer="/template", code="template_not_published", detail="It has no published version."
        )
    else:
        near = difflib.get_close_matches(code, codes, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        fault = Fault(
            pointer="/template", code="unknown_template", detail=f"No template has this code.{hint}"
        )
    raise Rejected([fault])


def _unknown_channels(names: Sequence[str]) -> list[Fault]:
    known = registry.channels()
    return [
        Fault(
            pointer=pointer("channels", index),
            code="unknown_channel",
            detail=f"There is no channel {name!r}.",
        )
        for index, name in enumerate(names)
        if name not in known
    ]


def _person(request: Request) -> tuple[Person, Sequence[Fault]]:
    try:
        return resolve(request.to), ()
    except Rejected as rejected:
        return Person(), rejected.faults


def _category(request: Request, template: Template) -> tuple[Category, list[Fault]]:
    if not request.category or request.category == template.category.code:
        return template.category, []
    category = Category.objects.filter(code=request.category).first()
    if category is None:
        return template.category, [
            Fault(pointer="/category", code="unknown_category", detail="No category has this code.")
        ]
    if category.is_mandatory and not template.category.is_mandatory:
        detail = "A mandatory category is the template's to choose, not the caller's."
        return category, [Fault(pointer="/category", code="category_not_permitted", detail=detail)]
    return category, []


def _lane(wanted: Lane, caller: Caller) -> Lane:
    """The lane of the template or the request, but none above what the system is permitted."""
    return caller.highest_priority if wanted.is_above(caller.highest_priority) else wanted


def _times(request: Request, template: Template, now: datetime) -> tuple[datetime, list[Fault]]:
    faults = [*_too_late("send_at", request.send_at, now), *_too_late("expires_at", request.expires_at, now)]
    if faults:
        return now, faults
    start = max(request.send_at or now, now)
    if request.send_at and request.send_at < now - CLOCK_TOLERANCE:
        faults.append(Fault(pointer="/send_at", code="in_the_past", detail="This moment has passed."))
    if request.expires_at and request.expires_at <= start:
        detail = "This must lie after send_at and in the future."
        faults.append(Fault(pointer="/expires_at", code="too_early", detail=detail))
    lifetime = timedelta(seconds=template.time_to_live or settings.DEFAULT_TIME_TO_LIVE)
    return request.expires_at or start + lifetime, faults


def _too_late(name: str, moment: datetime | None, now: datetime) -> list[Fault]:
    if moment is None or moment <= now + LONGEST_AHEAD:
        return []
    return [Fault(pointer=pointer(name), code="too_late", detail="This lies more than ten years ahead.")]


def _route(request: Request, version: TemplateVersion, category: Category, caller: Caller) -> Route:
    template = version.template
    served = registry.channels() if caller.is_test else Account.objects.served_channels()
    known = [name for name in request.channels or template.channels if name in registry.channels()]
    return Route(
        channels=list(dict.fromkeys(known)),
        first_only=template.route_mode == RouteMode.FIRST,
        category=category.code,
        is_mandatory=category.is_mandatory,
        variants={variant.channel for variant in version.variants.all()},
        permitted=caller.channels,
        served=set(served),
    )


# Reasons for which the caller, and not the recipient's wish, leaves a message without a channel.
CALLERS_FAULTS = frozenset({Reason.NO_ADDRESS, Reason.NO_VARIANT, Reason.NOT_PERMITTED, Reason.NO_ACCOUNT})


def _demand_a_usable_channel(decisions: Sequence[Decision]) -> None:
    if any(each.reason not in CALLERS_FAULTS for each in decisions):
        return
    reasons = ", ".join(f"{each.channel}: {each.reason.value}" for each in decisions)
    code = (
        "no_usable_address"
        if any(each.reason is Reason.NO_ADDRESS for each in decisions)
        else "no_usable_channel"
    )
    raise Rejected(
        [Fault(pointer="/to", code=code, detail=f"No channel can be used ({reasons or 'empty route'}).")]
    )


def _message(request: Request, prepared: Prepared, caller: Caller, now: datetime) -> Message:
    return Message(
        id=uuid7(),
        system_id=caller.system_id,
        key_id=caller.key_id,
        is_test=caller.is_test,
        version=prepared.version,
        template=prepared.version.template,
        category=prepared.category.code,
        recipient_id=prepared.person.recipient_id,
        to=dict(request.to) | {"name": prepared.person.name, "locale": prepared.person.locale},
        params=prepared.params,
        metadata=request.metadata,
        reference=request.reference,
        lane=prepared.lane,
        plan=[each.as_json() for each in prepared.decisions],
        request_id=request.request_id,
        send_at=prepared.send_at,
        expires_at=prepared.expires_at,
        accepted_at=now,
    )


def _becomes_a_row(decision: Decision) -> bool:
    return decision.choice is not Choice.FALLBACK


def _delivery(message: Message, decision: Decision, prepared: Prepared, now: datetime) -> Delivery:
    skipped = decision.choice is Choice.SKIPPED
    return Delivery(
        id=uuid7(),
        message=message,
        recipient_id=message.recipient_id,
        channel=decision.channel,
        kind=decision.kind,
        address=decision.address,
        locale=normalise(prepared.person.locale),
        lane=message.lane,
        state=State.SKIPPED if skipped else State.PENDING,
        code=decision.reason.value if skipped else "",
        reason=decision.detail if skipped else "",
        due_at=message.send_at or now,
        expires_at=message.expires_at,
        accepted_at=now,
        ended_at=now if skipped else None,
    )
