"""``kill -9`` of web workers under load: what was acknowledged is there, and each key has done its work once."""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

import psutil
import pytest

from pushcenter.messaging.models import Batch, Delivery, IdempotentCall, Message
from tests import factories
from tests.access.gateway import MESSAGES, order
from tests.access.server import serving
from tests.access.test_idempotency import BATCH, many

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 6
KILLS = 4
#: Seconds within which a worker has to answer again, on a machine that does other things too.
PATIENCE = 60
#: So many calls are answered before the next worker is killed.
CALM = 25
ITEMS = 3


@dataclass(slots=True)
class Client:
    """Makes one call after another, and repeats each with its key until it is answered."""

    name: str
    port: int
    secret: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    broken: int = 0
    line: HTTPConnection | None = None

    def run(self, is_over: Callable[[], bool]) -> None:
        number = 0
        while not is_over():
            self.call(f"{self.name}-{number}", is_batch=number % 5 == 0)
            number += 1
        self.hang_up()

    def call(self, key: str, *, is_batch: bool) -> None:
        path, body = (
            (BATCH, many(*"123"[:ITEMS], reference=key)) if is_batch else (MESSAGES, order(reference=key))
        )
        until = time.monotonic() + PATIENCE
        while key not in self.acknowledged:
            assert time.monotonic() < until, f"{key} is never answered"
            self.try_once(key, path, json.dumps(body).encode())

    def try_once(self, key: str, path: str, body: bytes) -> None:
        try:
            status, answer = self.post(key, path, body)
        except (OSError, HTTPException):
            self.broken += 1
            self.hang_up()
            return
        assert status in {202, 409, 503}, answer
        if status == 202:
            self.acknowledged[key] = answer["id"]
        elif status == 409:
            assert answer["code"] == "call_in_progress"

    def hang_up(self) -> None:
        if self.line:
            self.line.close()
        self.line = None

    def post(self, key: str, path: str, body: bytes) -> tuple[int, Any]:
        self.line = self.line or HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {
            "Authorization": f"Bearer {self.secret}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        self.line.request("POST", path, body, headers)
        with self.line.getresponse() as response:
            return response.status, json.loads(response.read())


def workers(port: int) -> list[psutil.Process]:
    """The processes that serve a port of this machine, but for their master, which this process has started."""
    here = os.getpid()
    family = psutil.Process(here).children(recursive=True)
    return [each for each in family if each.ppid() != here and f"127.0.0.1:{port}" in each.cmdline()]


def kill_some(port: int, answered: Callable[[], int]) -> None:
    """One worker after another, each while calls are being answered."""
    dice = random.Random(7)
    for _ in range(KILLS):
        enough, until = answered() + CALM, time.monotonic() + PATIENCE
        while answered() < enough or not workers(port):
            assert time.monotonic() < until, "nothing is answered any more"
            threading.Event().wait(0.01)
        dice.choice(workers(port)).kill()


def test_nothing_is_lost_or_doubled_when_web_workers_are_killed() -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    secret = factories.key(factories.system(rate=100_000, burst=100_000))[1]
    is_over = threading.Event()
    with serving("--workers", "2") as port:
        clients = [Client(name=f"client-{place}", port=port, secret=secret) for place in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(each.run, is_over.is_set) for each in clients]
            try:
                kill_some(port, lambda: sum(len(each.acknowledged) for each in clients))
            finally:
                is_over.set()
            for each in running:
                each.result(PATIENCE)

    assert sum(each.broken for each in clients) >= 1, "no call was cut short: nothing was tried"
    acknowledged = {key: answer for each in clients for key, answer in each.acknowledged.items()}
    messages = dict(Message.objects.filter(batch=None).values_list("reference", "pk"))
    batches = dict(Batch.objects.values_list("reference", "pk"))
    assert {key: str(answer) for key, answer in (messages | batches).items()} == acknowledged
    assert Message.objects.filter(batch=None).count() == len(messages)
    assert (
        Message.objects.exclude(batch=None).count() == ITEMS * len(batches) == ITEMS * Batch.objects.count()
    )
    assert Delivery.objects.count() == 2 * Message.objects.count()
    assert IdempotentCall.objects.count() == len(acknowledged)
