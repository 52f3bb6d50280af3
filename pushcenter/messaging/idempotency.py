"""Calls with an ``Idempotency-Key``: what they did and their answer are committed together, so each happens once.

Whoever acts on a key holds an advisory lock on it until the end of the transaction. A twin that comes meanwhile is
told to come again; one that comes later gets the first answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import cast
from uuid import UUID

from django.utils import timezone

from pushcenter import prepared
from pushcenter.messaging.models import IdempotentCall
from pushcenter.messaging.request import Call

#: How long an answer is kept, at least.
KEEP = timedelta(days=7)
#: So many answers are deleted by one statement, and so many statements are in one run: more than a minute brings.
GROUP = 10_000
GROUPS = 20

LOCK = """
SELECT pg_try_advisory_xact_lock(number) FROM unnest($1::bigint[]) WITH ORDINALITY AS n (number, place)
 ORDER BY place
"""
FIND = """
SELECT system_id, is_test, key, encode(fingerprint, 'hex'), status, location, encode(body, 'hex')
  FROM messaging_idempotentcall
 WHERE (system_id, is_test, key) IN (
         SELECT * FROM unnest($1::uuid[], $2::bool[], $3::text[]))
"""
KEPT = """
INSERT INTO messaging_idempotentcall (system_id, is_test, key, fingerprint, status, location, body, created_at)
SELECT system, test, key, decode(fingerprint, 'hex'), status, location, decode(body, 'hex'), statement_timestamp()
  FROM unnest($1::uuid[], $2::bool[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[])
    AS kept (system, test, key, fingerprint, status, location, body)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered to a call that did something."""

    status: int
    body: bytes
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The key has been used for the same call: this was the answer."""

    answer: Answer


class Conflict(Exception):
    """The key cannot be used for this call."""


class Mismatch(Conflict):
    """It belongs to another call."""


class InProgress(Conflict):
    """The same call is being worked on at this moment."""


Outcome = Replayed | Conflict | None


def enter(calls: Sequence[Call | None]) -> list[Outcome]:
    """What is known of each call; None where it may go ahead. To be called in the transaction that acts on them."""
    wanted = [call for call in calls if call is not None]
    if not wanted:
        return [None] * len(calls)
    free = _lock(wanted)
    known = _find(wanted)
    return [None if call is None else _outcome(call, known, free) for call in calls]


def keep(answers: Sequence[tuple[Call, Answer]]) -> None:
    """Store the answers of calls that went ahead; in the same transaction."""
    if answers:
        calls = [call for call, _ in answers]
        kept = [answer for _, answer in answers]
        prepared.rows(
            KEPT,
            *_columns(calls),
            prepared.array(call.fingerprint.hex() for call in calls),
            prepared.array(answer.status for answer in kept),
            prepared.array(answer.location for answer in kept),
            prepared.array(answer.body.hex() for answer in kept),
        )


def answer_to(call: Call) -> Answer | None:
    """What this very call was answered, if it was made before."""
    fingerprint, answer = _find([call]).get(_name(call), (b"", None))
    return answer if fingerprint == call.fingerprint else None


def forget() -> int:
    """Delete what is older than ``KEEP``, as much as one run takes; returns how many answers. Runs every minute."""
    gone = 0
    for _ in range(GROUPS):
        count = _forget_some()
        gone += count
        if count < GROUP:
            break
    return gone


def _forget_some() -> int:
    old = IdempotentCall.objects.filter(created_at__lt=timezone.now() - KEEP)
    some = list(old.order_by("created_at").values_list("pk", flat=True)[:GROUP])
    return IdempotentCall.objects.filter(pk__in=some).delete()[0]


def _outcome(call: Call, known: Mapping[Call, tuple[bytes, Answer]], free: set[int]) -> Outcome:
    found = known.get(_name(call))
    if found is None:
        return None if id(call) in free else InProgress()
    fingerprint, answer = found
    return Replayed(answer=answer) if fingerprint == call.fingerprint else Mismatch()


def _lock(calls: Sequence[Call]) -> set[int]:
    """Which of these calls nobody else is at; of twins among them the first."""
    names = [_name(call) for call in calls]
    locked = [row[0] for row in prepared.rows(LOCK, prepared.array(_number(name) for name in names))]
    first = {name: call for call, name in reversed(list(zip(calls, names, strict=True)))}
    return {
        id(call)
        for call, name, is_free in zip(calls, names, locked, strict=True)
        if is_free == "t" and first[name] is call
    }


def _find(calls: Sequence[Call]) -> dict[Call, tuple[bytes, Answer]]:
    return {
        Call(system_id=UUID(system), is_test=test == "t", key=key, fingerprint=b""): (
            bytes.fromhex(fingerprint),
            Answer(status=int(status), location=location, body=bytes.fromhex(body)),
        )
        for system, test, key, fingerprint, status, location, body in cast(
            "list[tuple[str, ...]]", prepared.rows(FIND, *_columns(calls))
        )
    }


def _name(call: Call) -> Call:
    """The call without what it says: two with the same key have the same name."""
    return Call(system_id=call.system_id, is_test=call.is_test, key=call.key, fingerprint=b"")


def _number(name: Call) -> int:
    """The number of the lock. Two names with one number only wait for one another."""
    digest = sha256(f"{name.system_id} {name.is_test} {name.key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _columns(calls: Sequence[Call]) -> tuple[str, str, str]:
    return (
        prepared.array(call.system_id for call in calls),
        prepared.array(call.is_test for call in calls),
        prepared.array(call.key for call in calls),
    )
