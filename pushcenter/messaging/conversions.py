"""Conversions: what a person did for the business after a message, as the system that sent it reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from pushcenter.faults import Fault, Rejected
from pushcenter.messaging import interactions
from pushcenter.messaging.models import Delivery, Interaction, Message
from pushcenter.messaging.validate import CLOCK_TOLERANCE

#: Who has come furthest has the best claim to a conversion; of several, whoever did so last.
STEPS = ("clicked_at", "opened_at", "delivered_at", "sent_at")


class NoSuchMessage(Exception):
    """The system has sent no such message with a key of this kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A conversion as reported: of a message, or of the newest one with a reference to a recipient."""

    system_id: UUID
    is_test: bool
    message: UUID | None = None
    recipient: str = ""
    reference: str = ""
    channel: str = ""
    event: str = ""
    value: Decimal | None = None
    currency: str = ""
    at: datetime | None = None
    event_id: str = ""

    @property
    def unique_id(self) -> str:
        """The event id among those of all systems; test keys have ids of their own."""
        kind = "test" if self.is_test else "live"
        return f"{self.system_id}:{kind}:{self.event_id}" if self.event_id else ""

    def data(self) -> dict[str, Any]:
        """What is kept of it beside the delivery and the time."""
        value = "" if self.value is None else f"{self.value:f}"
        told = {"event": self.event, "value": value, "currency": self.currency, "event_id": self.event_id}
        return {name: text for name, text in told.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The interaction, and whether this report made it or an earlier one with the same event id."""

    interaction: Interaction
    is_new: bool


def record(report: Report) -> Recorded:
    """Write a conversion down. Raises :class:`NoSuchMessage`, or :class:`Rejected` where it cannot be one."""
    if found := _recorded_before(report):
        return Recorded(interaction=found, is_new=False)
    message = _message(report)
    delivery = _delivery(report, list(message.deliveries.all()))
    at = report.at or timezone.now()
    if faults := _time_faults(at, message):
        raise Rejected(faults)
    try:
        made = interactions.record(
            delivery, "converted", at=at, source="system", data=report.data(), event_id=report.unique_id
        )
    except IntegrityError:  # a twin with the same event id was faster
        if found := _recorded_before(report):
            return Recorded(interaction=found, is_new=False)
        raise
    return Recorded(interaction=made, is_new=True)


def _recorded_before(report: Report) -> Interaction | None:
    if not report.event_id:
        return None
    return Interaction.objects.select_related("delivery").filter(event_id=report.unique_id).first()


def _message(report: Report) -> Message:
    own = Message.objects.filter(system=report.system_id, is_test=report.is_test)
    if report.message:
        found = own.filter(pk=report.message)
    else:
        # The recipients that only test keys know have no row.
        named = Q(recipient__external_id=report.recipient) | Q(recipient=None, to__recipient=report.recipient)
        found = own.filter(named, reference=report.reference)
    message = found.order_by("-id").first()
    if message is None:
        raise NoSuchMessage
    return message


def _delivery(report: Report, deliveries: Sequence[Delivery]) -> Delivery:
    named = [each for each in deliveries if not report.channel or each.channel == report.channel]
    for step in STEPS:
        if reached := [each for each in named if getattr(each, step)]:
            return max(reached, key=lambda each: getattr(each, step))
    if report.channel:
        detail = f"The message has not been sent on the channel {report.channel}."
        raise Rejected([Fault(pointer="/channel", code="not_sent", detail=detail)])
    detail = "The message has not been sent on any channel."
    raise Rejected([Fault(pointer="", code="not_sent", detail=detail)])


def _time_faults(at: datetime, message: Message) -> list[Fault]:
    if at > timezone.now() + CLOCK_TOLERANCE:
        return [Fault(pointer="/at", code="in_the_future", detail="This moment lies ahead.")]
    if at < message.accepted_at - CLOCK_TOLERANCE:
        detail = "The message had not been accepted at this moment."
        return [Fault(pointer="/at", code="too_early", detail=detail)]
    return []
