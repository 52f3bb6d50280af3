"""Calls with an ``Idempotency-Key``: what they did and their answer are committed together, so each happens once.

Whoever acts on a key holds an advisory lock on it until the end of the transaction. A twin that comes meanwhile is
told to come again; one that comes later gets the first answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.utils import timezone

from pushcenter import prepared
from pushcenter.messaging.models import IdempotentCall
from pushcenter.messaging.request import Call

#: How long an answer is kept, at least.
KEEP = timedelta(days=7)
#: So many answers are deleted by one statement.
GROUP = 10_000

LOCK = """
SELECT pg_try_advisory_xact_lock(number) FROM unnest(%(numbers)s::bigint[]) WITH ORDINALITY AS n (number, place)
 ORDER BY place
"""
FIND = """
SELECT system_id, is_test, key, fingerprint, status, location, body FROM messaging_idempotentcall
 WHERE (system_id, is_test, key) IN (
         SELECT * FROM unnest(%(system)s::uuid[], %(test)s::bool[], %(key)s::text[]))
"""
KEPT = """
INSERT INTO messaging_idempotentcall (system_id, is_test, key, fingerprint, status, location, body, created_at)
SELECT *, statement_timestamp()
  FROM unnest(%(system)s::uuid[], %(test)s::bool[], %(key)s::text[], %(fingerprint)s::bytea[], %(status)s::smallint[],
              %(location)s::text[], %(body)s::bytea[])
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
            _columns(calls)
            | {
                "fingerprint": [call.fingerprint for call in calls],
                "status": [answer.status for answer in kept],
                "location": [answer.location for answer in kept],
                "body": [answer.body for answer in kept],
            },
        )


def forget() -> int:
    """Delete what is older than ``KEEP``; returns how many answers. The task behind the sweep."""
    old = IdempotentCall.objects.filter(created_at__lt=timezone.now() - KEEP)
    gone = 0
    while count := IdempotentCall.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:GROUP])
    ).delete()[0]:
        gone += count
    return gone


def _outcome(call: Call, known: Mapping[Call, tuple[bytes, Answer]], free: set[int]) -> Outcome:
    found = known.get(_name(call))
    if found is None:
        return None if id(call) in free else InProgress()
    fingerprint, answer = found
    return Replayed(answer=answer) if fingerprint == call.fingerprint else Mismatch()


def _lock(calls: Sequence[Call]) -> set[int]:
    """Which of these calls nobody else is at; of twins among them the first."""
    names = [_name(call) for call in calls]
    locked = [row[0] for row in prepared.rows(LOCK, {"numbers": [_number(name) for name in names]})]
    return {
        id(call)
        for place, (call, name, is_free) in enumerate(zip(calls, names, locked, strict=True))
        if is_free and name not in names[:place]
    }


def _find(calls: Sequence[Call]) -> dict[Call, tuple[bytes, Answer]]:
    return {
        Call(system_id=system, is_test=test, key=key, fingerprint=b""): (
            bytes(fingerprint),
            Answer(status=status, location=location, body=bytes(body)),
        )
        for system, test, key, fingerprint, status, location, body in prepared.rows(FIND, _columns(calls))
    }


def _name(call: Call) -> Call:
    """The call without what it says: two with the same key have the same name."""
    return Call(system_id=call.system_id, is_test=call.is_test, key=call.key, fingerprint=b"")


def _number(name: Call) -> int:
    """The number of the lock. Two names with one number only wait for one another."""
    digest = sha256(f"{name.system_id} {name.is_test} {name.key}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _columns(calls: Sequence[Call]) -> dict[str, list[Any]]:
    return {
        "system": [call.system_id for call in calls],
        "test": [call.is_test for call in calls],
        "key": [call.key for call in calls],
    }
