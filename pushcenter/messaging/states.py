"""The states of a delivery, and which of them are ends. docs/architecture.md draws the transitions."""

from collections.abc import Collection

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

    # As equal as its text, and as quick: Python's own goes by the name of the member.
    __hash__ = str.__hash__


IN_FLIGHT = frozenset({State.PENDING, State.SENDING})
REACHED = frozenset({State.SENT, State.DELIVERED})
UNSUCCESSFUL = frozenset({State.UNDELIVERED, State.FAILED, State.SKIPPED, State.EXPIRED, State.CANCELLED})


#: One word for a message comes from the states of its deliveries: the best that was reached, else what is open.
PRECEDENCE = (
    State.DELIVERED,
    State.SENT,
    State.SENDING,
    State.PENDING,
    State.IN_DOUBT,
    State.UNDELIVERED,
    State.FAILED,
    State.EXPIRED,
    State.CANCELLED,
    State.SKIPPED,
)


def summary(states: Collection[State]) -> str:
    """The status of a message whose deliveries are in these states."""
    return next((state for state in PRECEDENCE if state in states), State.SKIPPED).value
