"""A worker's hands for tests: take what is due, and say what came of it."""

import asyncio
import time
from typing import Any

from django.utils import timezone

from channels_app.deadlines import TimeLimit
from pushcenter.messaging import claims
from pushcenter.messaging.claims import Claimed, Wish
from pushcenter.messaging.flight import Flight, Passenger, flights, prepare
from pushcenter.messaging.knowledge import Knowledge
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.seats import Seats
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended, Verdict


def claim(lane: str = "normal", limit: int = 9, lease: float = 60) -> list[Claimed]:
    """Up to so many deliveries of each queue of a lane."""
    wishes = [Wish(each.queue, limit) for each in claims.waiting() if each.queue.lane == lane]
    return claims.claim(wishes, lease=lease) if wishes else []


def as_claimed(delivery: Delivery) -> Claimed:
    """A delivery as if it had been claimed; it needs no message in the database."""
    known = dict.fromkeys(Claimed._fields, "") | {"batch_id": None, "recipient_id": None, "pinned_to": None}
    row = {
        "id": str(delivery.pk),
        "claims": str(delivery.claims),
        "attempts": "0",
        "throttled": "0",
        "is_test": "f",
    }
    return Claimed(**{**known, **row})  # type: ignore[arg-type]


def row(claimed: Claimed) -> Delivery:
    """The delivery as it is now."""
    return Delivery.objects.get(pk=claimed.id)


def ended(claimed: Claimed, **verdict: Any) -> Ended:
    """An attempt of the simulated provider that came to an end; without a word, to be repeated at once."""
    now = timezone.now()
    return Ended(
        claimed=claimed,
        number=claimed.calls + 1,
        called=True,
        verdict=Verdict(**{"state": State.PENDING, "outcome": "temporary", "due_at": now, **verdict}),
        adapter="simulated",
        account_id=None,
        started_at=now,
        finished_at=now,
    )


def flight(claimed: Claimed) -> Flight:
    """The call that is about to be made for it."""
    knowledge = Knowledge()
    knowledge.refresh()
    passenger = prepare(claimed, Seats(knowledge), knowledge)
    assert isinstance(passenger, Passenger)
    [found] = flights([passenger], time.monotonic() + 60)
    return found


def fly(flight: Flight) -> list[Ended]:
    """Make the call, on a loop of its own."""

    async def alone() -> list[Ended]:
        with TimeLimit() as limit:
            await flight.fly(limit)
            return flight.ends()

    return asyncio.run(alone())
