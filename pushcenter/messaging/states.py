"""The states of a delivery, and which of them are ends. docs/architecture.md draws the transitions."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    PENDING = "pending", _("pending")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    UNDELIVERED = "undelivered", _("undelivered")
    FAILED = "failed", _("failed")
    SKIPPED = "skipped", _("skipped")
    EXPIRED = "expired", _("expired")
    CANCELLED = "cancelled", _("cancelled")
    IN_DOUBT = "in_doubt", _("in doubt")


IN_FLIGHT = frozenset({State.PENDING, State.SENDING})
REACHED = frozenset({State.SENT, State.DELIVERED})
UNSUCCESSFUL = frozenset({State.UNDELIVERED, State.FAILED, State.SKIPPED, State.EXPIRED, State.CANCELLED})


def summary(states: list[State]) -> str:
    """One word for a message from the states of its deliveries: the best that was reached, else what is open."""
    for state in (State.DELIVERED, State.SENT, State.SENDING, State.PENDING, State.IN_DOUBT):
        if state in states:
            return state.value
    for state in (State.UNDELIVERED, State.FAILED, State.EXPIRED, State.CANCELLED):
        if state in states:
            return state.value
    return State.SKIPPED.value
