"""Rates, daily quotas and turns of accounts: the statements that all workers share.

Tokens of an account's rate are leased by blocks from its bucket (:mod:`pushcenter.purse`), those of its quota from the
row of the day. The pace to an address is a bucket of its own, which is asked for each message.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from pushcenter.purse import Grant, Wish, refilled

K = TypeVar("K", bound=Hashable)
#: What a statement here waits for another worker, which holds a row for the time of one statement. What was leased
#: and is forgotten by a crash of the database within a second would be given once more: no commit waits for the disk.
QUICKLY = "set_config('lock_timeout', '250ms', true)", "set_config('synchronous_commit', 'off', true)"
SET = " AND ".join(f"{each} IS NOT NULL" for each in QUICKLY)
#: A part of what an address may get in a minute can come at once; the rest is spread.
AT_ONCE = 4

AVAILABLE = refilled("b", rate="excluded.rate", burst="excluded.burst", back="excluded.back")
GRANTED = f"least(excluded.asked, floor({AVAILABLE}))"
LEASE = f"""
INSERT INTO channels_app_accountbucket AS b
       (account_id, address, rate, burst, asked, back, tokens, granted, at)
SELECT v.account_id, v.address, v.rate, v.burst, v.asked, v.back,
       v.burst - least(v.asked, v.burst), least(v.asked, v.burst), statement_timestamp()
  FROM unnest(%(account)s::uuid[], %(address)s::text[], %(rate)s::float[], %(burst)s::int[], %(asked)s::int[],
              %(back)s::int[]) AS v(account_id, address, rate, burst, asked, back)
 WHERE {SET}
 ORDER BY v.account_id, v.address
ON CONFLICT (account_id, address) DO UPDATE
   SET rate = excluded.rate, burst = excluded.burst, asked = excluded.asked, back = excluded.back,
       tokens = {AVAILABLE} - {GRANTED},
       granted = {GRANTED},
       at = greatest(b.at, statement_timestamp())
RETURNING account_id, address, granted, tokens
"""  # noqa: S608 - constants

LEFT = "excluded.quota - greatest(0, d.used - excluded.back)"
GRANTED_TODAY = f"greatest(0, least(excluded.asked, {LEFT}))"
LEASE_OF_DAY = f"""
WITH clock AS (SELECT (statement_timestamp() AT TIME ZONE %(zone)s)::date AS today WHERE {SET})
INSERT INTO channels_app_accountday AS d (account_id, day, quota, asked, back, used, granted)
SELECT v.account_id, clock.today, v.quota, v.asked, CASE WHEN v.day = clock.today THEN v.back ELSE 0 END,
       least(v.asked, v.quota), least(v.asked, v.quota)
  FROM clock, unnest(%(account)s::uuid[], %(day)s::date[], %(quota)s::int[], %(asked)s::int[], %(back)s::int[])
              AS v(account_id, day, quota, asked, back)
 ORDER BY v.account_id
ON CONFLICT (account_id, day) DO UPDATE
   SET quota = excluded.quota, asked = excluded.asked, back = excluded.back,
       used = greatest(0, d.used - excluded.back) + {GRANTED_TODAY},
       granted = {GRANTED_TODAY}
RETURNING account_id, day, granted, quota - used,
          extract(epoch FROM ((day + 1)::timestamp AT TIME ZONE %(zone)s) - statement_timestamp())::float
"""  # noqa: S608 - constants
# A bucket that is full says nothing.
TIDY = (
    """DELETE FROM channels_app_accountbucket
        WHERE at < statement_timestamp() - interval '10 minutes'
          AND tokens + rate * extract(epoch FROM statement_timestamp() - at) >= burst""",
    "DELETE FROM channels_app_accountday WHERE day < statement_timestamp() - interval '400 days'",
    "DELETE FROM channels_app_accountload WHERE until < statement_timestamp() - interval '10 minutes'",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of one bucket; with an ``address`` of the one for it."""

    account_id: UUID
    address: str = ""
    rate: float
    burst: int
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOfDay:
    """What is asked of a daily quota; ``day`` is the one of the lease that is handed back."""

    account_id: UUID
    quota: int
    day: date | None
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantOfDay:
    """What the quota gave; ``ends_in`` is how many seconds the day still has."""

    day: date
    grant: Grant
    ends_in: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast one address may be written to: tokens per second, and how many at once.

    In no minute does it get more than it may: what can come at once is taken off the rest.
    """

    rate: float
    burst: int

    @classmethod
    def per_minute(cls, number: float) -> "Pace":
        burst = max(1, int(number) // AT_ONCE)
        spread = number - burst if number >= AT_ONCE else number
        return cls(rate=spread / 60, burst=burst)


def lease(asks: Sequence[Ask]) -> dict[tuple[UUID, str], Grant]:
    """Ask several buckets in one statement."""
    values = {
        "account": [each.account_id for each in asks],
        "address": [each.address for each in asks],
        "rate": [float(each.rate) for each in asks],
        "burst": [each.burst for each in asks],
        "asked": [each.wish.take for each in asks],
        "back": [each.wish.back for each in asks],
    }
    rows = _run(LEASE, values)
    return {(row[0], row[1]): Grant(tokens=row[2], left=row[3]) for row in rows}


def lease_of_day(asks: Sequence[AskOfDay]) -> dict[UUID, GrantOfDay]:
    """Ask several quotas in one statement."""
    values = {
        "account": [each.account_id for each in asks],
        "quota": [each.quota for each in asks],
        "day": [each.day for each in asks],
        "asked": [each.wish.take for each in asks],
        "back": [each.wish.back for each in asks],
        "zone": settings.TIME_ZONE,
    }
    return {
        account_id: GrantOfDay(day=day, grant=Grant(tokens=granted, left=left), ends_in=ends_in)
        for account_id, day, granted, left, ends_in in _run(LEASE_OF_DAY, values)
    }


def turns(account_id: UUID, wanted: Mapping[K, str], pace: Pace) -> dict[K, float]:
    """Take a turn for each message, named by any key, to its address; seconds to wait for those that got none.

    They come again at that time and ask anew: a turn that was kept for them would be lost with them when their batch is
    stopped, and would make urgent messages wait behind it.
    """
    keys: dict[str, list[K]] = {}
    for key, address in wanted.items():
        keys.setdefault(digest(address), []).append(key)
    asks = [
        Ask(
            account_id=account_id,
            address=address,
            rate=pace.rate,
            burst=pace.burst,
            wish=Wish(take=len(each), back=0),
        )
        for address, each in keys.items()
    ]
    waits: dict[K, float] = {}
    for (_, address), grant in lease(asks).items():
        for number, key in enumerate(keys[address][grant.tokens :], 1):
            waits[key] = max(0.05, (number - grant.left) / pace.rate)
    return waits


def digest(address: str) -> str:
    """No address stays behind in the table of turns."""
    return sha256(address.encode()).hexdigest()[:32]


def tidy() -> None:
    """Delete what nobody needs any more: full buckets, old days, the load of workers that are gone."""
    with connection.cursor() as cursor:
        for statement in TIDY:
            cursor.execute(statement)


def _run(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    if connection.in_atomic_block:  # it goes on after an error
        with transaction.atomic():
            return _execute(statement, values)
    return _execute(statement, values)


def _execute(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
