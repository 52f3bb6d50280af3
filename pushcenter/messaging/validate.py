"""Whether a request can be accepted: against permissions, templates, clock; people come later, all at once.

Nothing here asks the database, except to say more about what is wrong.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from channels_app import registry
from channels_app.serving import paused_channels, served_channels
from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.lanes import Lane
from pushcenter.messaging.request import Caller, Item, Request
from pushcenter.messaging.routing import Route
from pushcenter.recipients import categories
from templates_app import catalog
from templates_app.catalog import Published
from templates_app.spelling import nearest

#: How far a caller's clock may be behind ours before ``send_at`` counts as past.
CLOCK_TOLERANCE = timedelta(minutes=1)
#: How far ahead a moment may lie; what is later is a mistake.
LONGEST_AHEAD = timedelta(days=10 * 366)


class NotPermitted(Rejected):
    """The request is well formed, but this caller may not ask for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a good request comes to: all that its messages have in common.

    ``canary`` are the same terms with the version that some of the messages try out.
    """

    caller: Caller
    published: Published
    category: str
    route: Route
    lane: Lane
    send_at: datetime | None
    expires_at: datetime
    accepted_at: datetime
    metadata: Any
    request_id: str
    batch_id: UUID | None = None
    canary: "Terms | None" = None


def terms(
    request: Request, *, caller: Caller, now: datetime, batch_id: UUID | None = None
) -> tuple[Terms, list[Fault]]:
    """The terms of a request and the faults in what its messages share; terms with faults are of no use.

    Raises :class:`NotPermitted`, and :class:`Rejected` where no template is found to hold the rest against.
    """
    found = judge(request, caller=caller, now=now, batch_id=batch_id)
    if found.refused:
        raise NotPermitted(found.refused)
    if found.terms is None:
        raise Rejected(found.faults)
    return found.terms, found.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that can be said of a request, also of one that is refused; without a template there are no terms."""

    terms: Terms | None
    refused: list[Fault]
    faults: list[Fault]


def judge(request: Request, *, caller: Caller, now: datetime, batch_id: UUID | None = None) -> Judgement:
    """Hold what the messages of a request share against permissions, templates and clock."""
    refused = _not_permitted(request, caller)
    published = catalog.published(request.template)
    if published is None:
        return Judgement(
            terms=None, refused=refused, faults=[] if refused else [_no_template(request.template)]
        )
    if not caller.may_send(template=published.code, category=published.category):
        detail = "This system may not send this template."
        refused.append(Fault(pointer="/template", code="template_not_permitted", detail=detail))
    category, is_mandatory, category_faults = _category(request, published)
    expires_at, time_faults = _times(request, published, now)
    found = Terms(
        caller=caller,
        published=published,
        category=category,
        route=route(request.channels, published, category, caller, is_mandatory=is_mandatory),
        lane=_lane(request.priority or published.priority, caller),
        send_at=request.send_at,
        expires_at=expires_at,
        accepted_at=now,
        metadata=request.metadata,
        request_id=request.request_id,
        batch_id=batch_id,
    )
    if published.canary:
        found = with_canary(found, published.canary, channels=request.channels, is_mandatory=is_mandatory)
    faults = [*_unknown_channels(request.channels), *category_faults, *time_faults]
    return Judgement(terms=found, refused=refused, faults=faults)


def with_canary(terms: Terms, canary: Published, *, channels: Sequence[str], is_mandatory: bool) -> Terms:
    """The same terms, and beside them those with the version that is tried out."""
    by_canary = route(channels, canary, terms.category, terms.caller, is_mandatory=is_mandatory)
    return replace(terms, canary=replace(terms, published=canary, route=by_canary))


def drawn(terms: Terms, params: Mapping[str, Any]) -> Terms:
    """The terms of one good message: by chance those of the canary, if it takes these parameters."""
    canary = terms.canary
    if canary is None or random.random() >= terms.published.canary_share:  # noqa: S311  (no secret)
        return terms
    return terms if canary.published.check.faults(params) else canary


def item_faults(item: Item, of: Terms) -> list[Fault]:
    """The faults of one message, but for its recipient; raises :class:`NotPermitted`."""
    if not of.caller.may_address_inline and (faults := _inline_addresses(item)):
        raise NotPermitted(faults)
    return of.published.check.faults(item.params)


def _not_permitted(request: Request, caller: Caller) -> list[Fault]:
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
        faults += _inline_addresses(Item(to=request.to, params={}))
    return faults


def _inline_addresses(item: Item) -> list[Fault]:
    detail = "Name a recipient instead."
    return [
        Fault(pointer=pointer("to", kind), code="inline_address_not_permitted", detail=detail)
        for kind in registry.address_kinds()
        if kind in item.to
    ]


def _no_template(code: str) -> Fault:
    codes = catalog.codes()
    if code in codes:
        detail = "It has no published version."
        return Fault(pointer="/template", code="template_not_published", detail=detail)
    near = nearest(code, codes)
    hint = f" Did you mean {near}?" if near else ""
    detail = f"No template has this code.{hint}"
    return Fault(pointer="/template", code="unknown_template", detail=detail)


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


def _category(request: Request, published: Published) -> tuple[str, bool, list[Fault]]:
    """The code of the category, whether it is mandatory, and what is wrong with it."""
    if not request.category or request.category == published.category:
        return published.category, published.is_mandatory, []
    is_mandatory = categories.is_mandatory(request.category)
    if is_mandatory is None:
        fault = Fault(pointer="/category", code="unknown_category", detail="No category has this code.")
        return published.category, published.is_mandatory, [fault]
    if is_mandatory and not published.is_mandatory:
        detail = "A mandatory category is the template's to choose, not the caller's."
        fault = Fault(pointer="/category", code="category_not_permitted", detail=detail)
        return request.category, True, [fault]
    return request.category, is_mandatory, []


def _lane(wanted: Lane, caller: Caller) -> Lane:
    """The lane of the template or the request, but none above what the system is permitted."""
    return caller.highest_priority if wanted.is_above(caller.highest_priority) else wanted


def _times(request: Request, published: Published, now: datetime) -> tuple[datetime, list[Fault]]:
    if request.send_at is None and request.expires_at is None:
        return now + _lifetime(published), []
    faults = [*_too_late("send_at", request.send_at, now), *_too_late("expires_at", request.expires_at, now)]
    if faults:
        return now, faults
    start = max(request.send_at or now, now)
    if request.send_at and request.send_at < now - CLOCK_TOLERANCE:
        faults.append(Fault(pointer="/send_at", code="in_the_past", detail="This moment has passed."))
    if request.expires_at and request.expires_at <= start:
        detail = "This must lie after send_at and in the future."
        faults.append(Fault(pointer="/expires_at", code="too_early", detail=detail))
    return request.expires_at or start + _lifetime(published), faults


def _lifetime(published: Published) -> timedelta:
    return timedelta(seconds=published.time_to_live or settings.DEFAULT_TIME_TO_LIVE)


def _too_late(name: str, moment: datetime | None, now: datetime) -> list[Fault]:
    if moment is None or moment <= now + LONGEST_AHEAD:
        return []
    return [Fault(pointer=pointer(name), code="too_late", detail="This lies more than ten years ahead.")]


def route(
    channels: Sequence[str], published: Published, category: str, caller: Caller, *, is_mandatory: bool
) -> Route:
    """What decides on the channels, besides the person; without ``channels``, those of the template are taken."""
    known = registry.channels()
    return Route(
        channels=tuple(dict.fromkeys(name for name in channels or published.channels if name in known)),
        first_only=published.first_only,
        steps=published.steps,
        category=category,
        is_mandatory=is_mandatory,
        variants=published.written,
        permitted=caller.channels,
        served=known.keys() if caller.is_test else served_channels(),
        paused=() if caller.is_test else paused_channels(),
    )
