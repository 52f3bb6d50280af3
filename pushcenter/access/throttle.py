"""How many requests a system may make: a bucket of tokens, filled at its rate, that all web processes share.

The bucket is a row of an unlogged table; :mod:`pushcenter.purse` says how tokens are leased from it. While it is empty
a process remembers until when, so that a flood of refused requests costs no statement each.
"""

import logging
import os
import time
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error, connection, transaction

from pushcenter.purse import Grant, Limit, Purse, Wish, refilled

#: Milliseconds that a lease waits for another process, which holds the row for the time of one statement.
LOCK_TIMEOUT = "250ms"
log = logging.getLogger(__name__)

AVAILABLE = refilled("b", rate="%(rate)s", burst="%(burst)s", back="%(back)s")
GRANTED = f"least(%(take)s, floor({AVAILABLE}))"
# The time-out holds for this statement, which is a transaction of its own.
STATEMENT = f"""
INSERT INTO access_bucket AS b (system_id, tokens, granted, at)
SELECT %(system)s, %(burst)s - %(take)s, %(take)s, statement_timestamp()
 WHERE set_config('lock_timeout', '{LOCK_TIMEOUT}', true) IS NOT NULL
ON CONFLICT (system_id) DO UPDATE
   SET tokens = {AVAILABLE} - {GRANTED},
       granted = {GRANTED},
       at = greatest(b.at, statement_timestamp())
RETURNING granted, tokens
"""  # noqa: S608 - constants


class StoreAway(Exception):
    """The bucket cannot be asked, and the setting says that nothing is admitted then."""


_purses: dict[UUID, Purse] = {}
# A child of a fork has spent nothing of what its parent has leased.
os.register_at_fork(after_in_child=_purses.clear)


def spend(system_id: UUID, limit: Limit) -> float:
    """Take a token: 0 admits the request, else it is refused and may come again in so many seconds.

    Raises :class:`StoreAway` where ``THROTTLE_WHEN_AWAY`` is ``refuse``.
    """
    purse = _purse(system_id)
    now = time.monotonic()
    with purse.lock:
        if purse.spend(now):
            return 0.0
        if not purse.wait(now):
            _lease(purse, system_id, limit, now)
            if purse.spend(now):
                return 0.0
        if not purse.is_away:
            return purse.wait(now)
    if settings.THROTTLE_WHEN_AWAY == "refuse":
        raise StoreAway
    return 0.0


def headers(system_id: UUID, limit: Limit, *, is_refused: bool = False) -> dict[str, str]:
    """What the system may still do, by draft-ietf-httpapi-ratelimit-headers (revision 10)."""
    remaining = 0 if is_refused else _purse(system_id).remaining(limit, time.monotonic())
    until_full = max(1, ceil((limit.burst - remaining) / limit.rate))
    return {
        "RateLimit-Policy": f'"requests";q={limit.rate};w=1',
        "RateLimit": f'"requests";r={remaining};t={until_full}',
    }


def _purse(system_id: UUID) -> Purse:
    return _purses.get(system_id) or _purses.setdefault(system_id, Purse())


def _lease(purse: Purse, system_id: UUID, limit: Limit, now: float) -> None:
    wish = purse.wish(limit)
    try:
        purse.fill(wish, _ask(system_id, limit, wish), limit, now)
    except Error as error:
        log.warning("the store of the throttle is away: %s", type(error).__name__)
        purse.forgo(now)


def _ask(system_id: UUID, limit: Limit, wish: Wish) -> Grant:
    if connection.in_atomic_block:  # it goes on after an error
        with transaction.atomic():
            return _execute(system_id, limit, wish)
    return _execute(system_id, limit, wish)


def _execute(system_id: UUID, limit: Limit, wish: Wish) -> Grant:
    values: dict[str, Any] = {
        "system": system_id,
        "rate": limit.rate,
        "burst": limit.burst,
        "take": wish.take,
        "back": wish.back,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, values)
        tokens, left = cursor.fetchone()
    return Grant(tokens=tokens, left=left)
