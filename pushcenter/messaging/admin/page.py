"""The page of one message: its timeline, its deliveries, what the recipient saw."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from channels_app import registry
from pushcenter.dressing import pretty
from pushcenter.messaging.admin.labels import STATE_COLOURS
from pushcenter.messaging.admin.personal import masked_addresses, sees_personal_data
from pushcenter.messaging.content import seen
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State, summary
from pushcenter.messaging.trace import Entry, timeline
from pushcenter.recipients.masking import mask
from pushcenter.retold import named, retold
from pushcenter.spans import distance
from templates_app.looks import look

ICONS = {"ok": "check_circle", "warning": "error", "bad": "cancel", "neutral": "radio_button_checked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the timeline, with its distance from acceptance and what is known in detail."""

    entry: Entry
    offset: str
    icon: str
    channel: Any
    details: list[tuple[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A delivery as the table shows it."""

    delivery: Delivery
    channel: Any
    address: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one delivery says, as its recipient sees it; an empty picture where it cannot be rendered."""

    channel: Any
    locale: str
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows. Without the right to it, ``params``, ``metadata`` and ``sights`` are empty."""

    state: State
    colour: str
    steps: list[Step]
    rows: list[Row]
    sights: list[Sight]
    is_open: bool
    to: str
    params: str
    metadata: str


def page(message: Message, request: HttpRequest, *, is_own: bool = False) -> Page:
    """``is_own`` tells that the person at the keyboard sent it to himself, so that there is nothing to hide."""
    is_open = is_own or sees_personal_data(request)
    deliveries = list(message.deliveries.select_related("account").order_by("id"))
    state = State(summary([State(each.state) for each in deliveries]))
    return Page(
        state=state,
        colour=STATE_COLOURS[state],
        steps=[_step(entry, message) for entry in timeline(message)],
        rows=[_row(each, is_open=is_open) for each in deliveries],
        sights=_sights(message, deliveries) if is_open else [],
        is_open=is_open,
        to=pretty(message.to if is_open else masked_addresses(message.to)),
        params=pretty(message.params) if is_open else "",
        metadata=pretty(message.metadata) if is_open and message.metadata else "",
    )


def _step(entry: Entry, message: Message) -> Step:
    known = [
        (named(key), _told(value)) for key, value in entry.data.items() if value not in ("", None, [], {})
    ]
    return Step(
        entry=entry,
        offset=distance(entry.at - message.accepted_at),
        icon=ICONS[entry.outcome],
        channel=label_of(entry.channel),
        details=known,
    )


def _told(value: Any) -> Any:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return retold(value) if isinstance(value, str) else value


def _row(delivery: Delivery, *, is_open: bool) -> Row:
    return Row(
        delivery=delivery,
        channel=label_of(delivery.channel),
        address=delivery.address if is_open else mask(delivery.address),
        colour=STATE_COLOURS[delivery.state],
    )


def _sights(message: Message, deliveries: Iterable[Delivery]) -> list[Sight]:
    found = []
    for delivery in deliveries:
        delivery.message = message
        content = seen(delivery)
        picture = look(delivery.channel, content) if content else ""
        found.append(Sight(channel=label_of(delivery.channel), locale=delivery.locale, picture=picture))
    return found


label_of = registry.label
