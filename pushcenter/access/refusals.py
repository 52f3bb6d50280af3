"""What was refused, to whom, and how often: the access log.

Each process counts its refusals in memory and adds them to the table in groups, so that a flood of them costs no
statement each. What a process has not written when it is killed is lost: this log explains, and proves nothing.
"""

import atexit
import json
import logging
import os
import re
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from pushcenter.access import gate, keys
from pushcenter.access.models import Refusal
from pushcenter.access.principal import Principal
from pushcenter.access.problems import CONTENT_TYPE
from pushcenter.ids import uuid7

#: Seconds between two writings.
WRITE_EVERY = 2.0
#: So many kinds are kept apart in one minute; those that come later become one for each reason. Callers whom nobody
#: knows, who may make up a key for each request, get less room than the systems.
MOST_KINDS = 5_000
MOST_STRANGERS = 100
KEPT_FOR = timedelta(days=30)
#: Rows that one statement deletes.
GROUP = 5_000
#: Other methods come from nobody that we want to tell apart.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
CALLS = ("api/v1/", "callbacks/")
log = logging.getLogger(__name__)

# In one order, so that two processes never wait for each other in a circle.
STATEMENT = """
INSERT INTO access_refusal AS r
    (id, minute, system_id, prefix, status, code, call, count, first_at, last_at, request_id, address)
SELECT * FROM unnest(
    %s::uuid[], %s::timestamptz[], %s::uuid[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::int[],
    %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[]
)
ON CONFLICT ON CONSTRAINT refusal_once_a_minute DO UPDATE
   SET count = r.count + EXCLUDED.count,
       first_at = least(r.first_at, EXCLUDED.first_at),
       last_at = greatest(r.last_at, EXCLUDED.last_at),
       request_id = EXCLUDED.request_id,
       address = EXCLUDED.address
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Kind:
    """What makes one row: refusals that are alike in all this are counted together."""

    minute: datetime
    system: str
    prefix: str
    status: int
    code: str
    call: str


@dataclass(slots=True, kw_only=True)
class Seen:
    """How often, when, and the last one."""

    count: int = 0
    first_at: datetime
    last_at: datetime
    request_id: str = ""
    address: str = ""


_seen: dict[Kind, Seen] = {}
#: The kinds of the current minute, written or not.
_known: set[Kind] = set()
_lock = threading.Lock()


def _forget_what_a_parent_saw() -> None:
    """In the child of a fork: its parent writes that."""
    global _lock  # noqa: PLW0603 - the parent may hold the old one
    _lock = threading.Lock()
    _seen.clear()


os.register_at_fork(after_in_child=_forget_what_a_parent_saw)


def note(request: HttpRequest, response: HttpResponseBase) -> None:
    """Count an answer that refuses; a statement comes later."""
    writer.keep_going()
    now = timezone.now()
    kind = _kind(request, response, now)
    with _lock:
        kind = _bounded(kind)
        seen = _seen.setdefault(kind, Seen(first_at=now, last_at=now))
        seen.count += 1
        seen.last_at = now
        seen.request_id = response.headers.get("X-Request-Id", "")[:64]
        seen.address = _address(request)


def _bounded(kind: Kind) -> Kind:
    """The kind itself while there is room for it in this minute."""
    if kind in _known:
        return kind
    if _known and next(iter(_known)).minute != kind.minute:
        _known.clear()
    if len(_known) >= (MOST_KINDS if kind.system else MOST_STRANGERS):
        return Kind(minute=kind.minute, system="", prefix="", status=kind.status, code=kind.code, call="")
    _known.add(kind)
    return kind


def _kind(request: HttpRequest, response: HttpResponseBase, now: datetime) -> Kind:
    caller: Principal | None = request.META.get(gate.CALLER)
    return Kind(
        minute=now.replace(second=0, microsecond=0),
        system=str(caller.system.pk) if caller else "",
        prefix=caller.key.prefix if caller else _prefix(request),
        status=response.status_code,
        code=_code(response),
        call=_call(request),
    )


def _prefix(request: HttpRequest) -> str:
    """The prefix of an unknown key, which somebody may have mixed up; of anything else, nothing is kept."""
    secret = request.META.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]
    return keys.visible_prefix(secret) if keys.is_well_formed(secret) else ""


def _code(response: HttpResponseBase) -> str:
    if response.headers.get("Content-Type") != CONTENT_TYPE or not isinstance(response, HttpResponse):
        return ""
    return str(json.loads(response.content)["code"])[:60]


def _call(request: HttpRequest) -> str:
    """Such as ``POST /messages/{message_id}/cancel``; what is no call has no name."""
    route = request.resolver_match.route if request.resolver_match else ""
    if not route.startswith(CALLS):
        return ""
    method = request.method if request.method in METHODS else "OTHER"
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.removeprefix("api/v1/"))
    return f"{method} /{path}"[:200]


def _address(request: HttpRequest) -> str:
    try:
        return str(ip_address(gate.caller_address(request)))
    except ValueError:
        return ""


def write() -> int:
    """Add what was counted so far to the table; returns the number of rows. What cannot be written is let go."""
    with _lock:
        taken = sorted(_seen.items())
        _seen.clear()
    if not taken:
        return 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(STATEMENT, _columns(taken))
    except Error as error:
        log.warning("%s kinds of refusals could not be written: %s", len(taken), type(error).__name__)
        return 0
    return len(taken)


def _columns(taken: list[tuple[Kind, Seen]]) -> list[list[object]]:
    rows = [
        (
            uuid7(),
            kind.minute,
            UUID(kind.system) if kind.system else None,
            kind.prefix,
            kind.status,
            kind.code,
            kind.call,
            seen.count,
            seen.first_at,
            seen.last_at,
            seen.request_id,
            seen.address,
        )
        for kind, seen in taken
    ]
    return [list(column) for column in zip(*rows, strict=True)]


class Writer:
    """A thread that writes every two seconds, and once more when its process ends.

    Only a web server wants it; elsewhere whoever has refused something calls :func:`write`.
    """

    def __init__(self) -> None:
        self.is_wanted = False
        self._end = threading.Event()
        self._process = 0

    def keep_going(self) -> None:
        """Start, unless it runs; after a fork, a process needs a thread of its own."""
        if self.is_wanted and self._process != os.getpid():
            self._process = os.getpid()
            thread = threading.Thread(target=self._run, name="refusals", daemon=True)
            thread.start()
            atexit.register(self._stop, thread)

    def _run(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._end.wait(WRITE_EVERY)
            write()
            connection.close()

    def _stop(self, thread: threading.Thread) -> None:
        self._end.set()
        thread.join(WRITE_EVERY)


writer = Writer()


def forget() -> int:
    """Delete what is older than 30 days; the task that the worker runs every minute."""
    total = 0
    while gone := _forget_some(timezone.now() - KEPT_FOR):
        total += gone
    return total


def _forget_some(before: datetime) -> int:
    old = Refusal.objects.filter(minute__lt=before).order_by("minute").values("pk")[:GROUP]
    return Refusal.objects.filter(pk__in=old).delete()[0]
