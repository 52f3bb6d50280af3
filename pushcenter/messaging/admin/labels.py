"""States and outcomes in their colours."""

from pushcenter.dressing import badge
from pushcenter.messaging.states import State

STATE_COLOURS = {
    "pending": "info",
    "sending": "info",
    "sent": "primary",
    "delivered": "success",
    "undelivered": "danger",
    "failed": "danger",
    "skipped": "warning",
    "expired": "danger",
    "cancelled": "default",
    "in_doubt": "warning",
}
OUTCOME_COLOURS = {
    "sent": "success",
    "temporary": "warning",
    "throttled": "warning",
    "unreachable": "danger",
    "refused": "danger",
    "misconfigured": "danger",
    "lost": "danger",
}


def state_badge(state: str) -> str:
    return badge(State(state).label, STATE_COLOURS[state])
