"""Places of an account that limits how many calls may be under way at once, whichever worker makes them.

Each worker leases the places that it needs, and renews them while it uses them. A worker begins no call when its lease
is nearly over, and a lease outlasts the longest call: so the limit holds even while one is cut off from the database,
and the places of one that died come free when its calls must have ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from channels_app.models import AccountLoad
from channels_app.pace import QUICKLY

#: The first number of the advisory locks under which places are given out.
LOCK_CLASS = 5002
#: A lease is longer than a call by so many seconds: within them it has to be renewed, or no call begins.
MARGIN = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The places of one worker: how many it has, and how many it would like."""

    places: int
    wants: int


def granted(*, limit: int, calls: int, wants: int, others: Sequence[Held]) -> int:
    """How many places a worker gets, which has ``calls`` under way and would like ``wants`` places.

    Nobody loses a place under a call. While others wait for more, each keeps to an equal share.
    """
    free = max(0, limit - sum(each.places for each in others))
    eager = sum(each.wants > each.places for each in others)
    share = max(1, limit // (1 + sum(each.wants > 0 for each in others)))
    return max(min(calls, wants), min(free, wants if not eager else max(calls, min(wants, share))))


def lease(account_id: UUID, process: str, *, limit: int, calls: int, wants: int, seconds: float) -> int:
    """Lease or renew places for ``seconds``, in a transaction of its own; returns how many."""
    with transaction.atomic():
        now = begin(account_id)
        others = AccountLoad.objects.filter(~Q(process=process), account_id=account_id, until__gt=now)
        held = [Held(places=places, wants=wanted) for places, wanted in others.values_list("places", "wants")]
        places = granted(limit=limit, calls=calls, wants=wants, others=held)
        AccountLoad.objects.update_or_create(
            account_id=account_id,
            process=process,
            defaults={
                "calls": calls,
                "places": places,
                "wants": wants,
                "until": now + timedelta(seconds=seconds),
            },
        )
    return places


def begin(account_id: UUID) -> datetime:
    """One worker at a time from here to the end of the transaction; the database's time."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(QUICKLY)}")
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_CLASS, str(account_id)])
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
