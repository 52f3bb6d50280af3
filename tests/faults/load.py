"""The load: callers who repeat each call with its key until it is answered, and remember what was acknowledged."""

import json
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Any

from tests.faults.plan import Plan

SINGLE = "/api/v1/messages"
BATCH = f"{SINGLE}/batch"
#: Lanes and templates, with how often each is chosen.
LANES = {"critical": 1, "high": 2, "normal": 4, "low": 3}
WEBHOOK, SMS, SMS_ONCE = "paid-webhook", "paid-sms", "paid-sms-once"
TEMPLATES = {WEBHOOK: 5, SMS: 4, SMS_ONCE: 1}
#: So many people are written to, each at an address of his or her own.
PEOPLE = 500
ANSWER_WITHIN_S = 15
#: Seconds for which one call is repeated; then the run has failed.
PATIENCE_S = 120
PAUSE_S = 0.1
#: A message has to have so much time left when it is accepted.
MARGIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked for; ``due`` is in seconds from the start of the load. Keys and references are its name."""

    name: str
    path: str
    shared: Mapping[str, Any]
    people: Sequence[Mapping[str, str]]
    due: float

    def body(self, name: str, expires_at: datetime) -> bytes:
        items = [
            {"to": to, "params": {"order_no": name}, "reference": f"{name}-{place}"}
            for place, to in enumerate(self.people)
        ]
        own = {"items": items} if self.path == BATCH else items[0]
        return json.dumps({**self.shared, **own, "expires_at": expires_at.isoformat()}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A call that was answered by 202: its name, and the id of its message or batch."""

    name: str
    id: str
    messages: int
    is_batch: bool


@dataclass(slots=True, kw_only=True)
class Load:
    plan: Plan
    dice: random.Random
    port: int
    provider_port: int
    secret: str
    acknowledged: list[Acknowledged] = field(default_factory=list)
    #: Answers that no caller should get, whatever dies.
    surprises: list[str] = field(default_factory=list)
    unanswered: int = 0
    #: Set when the load may end with the last call of the plan; until then it goes on.
    is_enough: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def messages(self) -> int:
        return sum(each.messages for each in self.acknowledged)

    def run(self) -> None:
        """Make all calls at their times; returns when each is acknowledged."""
        calls, begun = self._calls(), time.monotonic()
        try:
            with ThreadPoolExecutor(self.plan.callers) as pool:
                running = [pool.submit(self._caller, calls, begun) for _ in range(self.plan.callers)]
            for each in running:
                each.result()
        finally:
            self.is_over.set()

    def _calls(self) -> Iterator[Call]:
        """Those of the plan, evenly spread over its seconds, and then one single after another."""
        singles = [(self.plan.seconds * number / self.plan.singles, 1) for number in range(self.plan.singles)]
        batches = [
            (self.plan.seconds * number / self.plan.batches, self.plan.batch_size)
            for number in range(self.plan.batches)
        ]
        number = 0
        for due, messages in sorted(singles + batches):
            number += 1
            yield self._call(number, due, messages)
        while not self.is_enough.is_set():
            number, due = number + 1, due + self.plan.seconds / self.plan.singles
            yield self._call(number, due, 1)

    def _call(self, number: int, due: float, messages: int) -> Call:
        [template] = self.dice.choices([*TEMPLATES], [*TEMPLATES.values()])
        [lane] = self.dice.choices([*LANES], [*LANES.values()])
        return Call(
            name=f"call-{number}",
            path=SINGLE if messages == 1 else BATCH,
            shared={"template": template, "priority": lane},
            people=[self._person() for _ in range(messages)],
            due=due,
        )

    def _person(self) -> Mapping[str, str]:
        person = self.dice.randrange(PEOPLE)
        return {
            "url": f"http://127.0.0.1:{self.provider_port}/hooks/{person}",
            "phone": f"+1212555{1000 + person}",
        }

    def _caller(self, calls: Iterator[Call], begun: float) -> None:
        line = Line(port=self.port, secret=self.secret)
        while not self.is_over.is_set():
            with self._lock:
                call = next(calls, None)
            if call is None:
                break
            self.is_over.wait(max(0.0, begun + call.due - time.monotonic()))
            self._insist(call, line)
        line.hang_up()

    def _insist(self, call: Call, line: "Line") -> None:
        """Call until it is acknowledged; anew, under another name, where its time went by unanswered."""
        until = time.monotonic() + PATIENCE_S
        for trial in count():
            name = f"{call.name}-{trial}"
            expires_at = datetime.now(UTC) + timedelta(seconds=self.plan.lifetime)
            body = call.body(name, expires_at)  # one for all tries: another body would be another call
            while datetime.now(UTC) < expires_at - MARGIN:
                if self._is_acknowledged(call, name, body, expires_at, line) or self.is_over.wait(PAUSE_S):
                    return
                if time.monotonic() > until:
                    raise TimeoutError(f"{name} is never acknowledged")

    def _is_acknowledged(
        self, call: Call, name: str, body: bytes, expires_at: datetime, line: "Line"
    ) -> bool:
        try:
            status, answer = line.post(call.path, body, key=name)
        except (OSError, HTTPException, ValueError):
            self.unanswered += 1
            line.hang_up()
            return False
        if status == 202:
            is_batch = call.path == BATCH
            self.acknowledged.append(
                Acknowledged(name=name, id=answer["id"], messages=len(call.people), is_batch=is_batch)
            )
            return True
        # One that was read after its time was over is refused, and rightly.
        is_late = status == 422 and datetime.now(UTC) > expires_at
        if status != 503 and answer.get("code") != "call_in_progress" and not is_late:
            self.surprises.append(f"{status} for {name}: {str(answer)[:300]}")
        return False


@dataclass(slots=True, kw_only=True)
class Line:
    """A caller's connection, opened again when it was lost."""

    port: int
    secret: str
    connection: HTTPConnection | None = None

    def post(self, path: str, body: bytes, *, key: str) -> tuple[int, Any]:
        return self._ask("POST", path, body, {"Content-Type": "application/json", "Idempotency-Key": key})

    def get(self, path: str) -> tuple[int, Any]:
        return self._ask("GET", path, None, {})

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, Any]:
        self.connection = self.connection or HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_WITHIN_S)
        self.connection.request(method, path, body, {"Authorization": f"Bearer {self.secret}", **headers})
        with self.connection.getresponse() as response:
            return response.status, json.loads(response.read())

    def hang_up(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
