"""Lanes, channels and accounts keep out of each other's way, and places are never exceeded."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings as project
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ

from channels_app.adapters.simulated import SimulatedAdapter
from channels_app.contract import ChannelError, Outgoing, Sent
from pushcenter.lanes import Lane
from pushcenter.messaging import busy, dispatch, queue
from pushcenter.messaging.dispatch import Dispatcher
from pushcenter.messaging.flight import Flight
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended
from tests import factories
from tests.threads import until

pytestmark = pytest.mark.django_db
HANGS = "hangs@example.com"


class Gate:
    """Calls to one address hang until it is opened; the others are answered at once."""

    def __init__(self) -> None:
        self.is_open = False
        self.waiting = self.most = 0

    async def send(self, _adapter: SimulatedAdapter, message: Outgoing) -> Sent:
        if message.address.value == HANGS:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            while not self.is_open:  # noqa: ASYNC110  (opened from another thread)
                await asyncio.sleep(0.005)
            self.waiting -= 1
        return Sent(final=True)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()

    async def send(adapter: SimulatedAdapter, message: Outgoing) -> Sent:
        return await gate.send(adapter, message)

    monkeypatch.setattr(SimulatedAdapter, "send", send)
    factories.template(channels=["email"])
    factories.template("by-sms", ["sms"])
    factories.accounts("email", "sms")
    yield gate
    gate.is_open = True


@pytest.fixture
def five_places(monkeypatch: pytest.MonkeyPatch) -> None:
    capable(monkeypatch, concurrency=5)


def capable(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    monkeypatch.setattr(SimulatedAdapter, "capabilities", replace(SimulatedAdapter.capabilities, **changed))


@contextmanager
def another_session() -> "Iterator[psycopg.Connection[Any]]":
    """Another process's connection to the same database."""
    connection.ensure_connection()
    info = connection.connection.info
    with psycopg.connect(host=info.host, port=info.port, user=info.user, dbname=info.dbname) as opened:
        yield opened


def to_hang(number: int, **fields: Any) -> list[Message]:
    return [factories.message(to={"email": HANGS}, **fields) for _ in range(number)]


def state(message: Message) -> str:
    return message.deliveries.get().state


def go_until(worker: Dispatcher, condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        worker.step()


@pytest.mark.usefixtures("five_places")
def test_a_provider_that_hangs_delays_nobody_else(gate: Gate) -> None:
    hanging = to_hang(10)
    worker = Dispatcher()
    go_until(worker, lambda: gate.waiting == 4)  # of five places, nine tenths
    other = factories.message("by-sms", to={"phone": "+8613800138000"}, priority=Lane.LOW)
    go_until(worker, lambda: state(other) == State.DELIVERED)
    assert sorted(state(each) for each in hanging) == ["pending"] * 6 + ["sending"] * 4
    gate.is_open = True
    assert worker.work() == 11
    assert gate.most == 4


@pytest.mark.usefixtures("five_places")
def test_a_backlog_of_low_ones_leaves_a_place_for_a_critical_one(gate: Gate) -> None:
    to_hang(10, priority=Lane.LOW)
    worker = Dispatcher()
    go_until(worker, lambda: gate.waiting == 4)
    urgent = factories.message(to={"email": "li@example.com"}, priority=Lane.CRITICAL)
    go_until(worker, lambda: state(urgent) == State.DELIVERED)
    gate.is_open = True
    worker.work()


@pytest.mark.usefixtures("five_places")
def test_what_is_lined_up_for_a_fast_provider_leaves_a_place_when_it_hangs(gate: Gate) -> None:
    for _ in range(40):
        factories.message(to={"email": "li@example.com"}, priority=Lane.LOW)
    to_hang(60, priority=Lane.LOW)
    worker = Dispatcher()
    go_until(worker, lambda: gate.waiting == 4)
    worker.step()
    assert Delivery.objects.filter(state=State.SENDING).count() > 4
    urgent = factories.message(to={"email": "li@example.com"}, priority=Lane.CRITICAL)
    go_until(worker, lambda: state(urgent) == State.DELIVERED)
    assert gate.most == 4
    gate.is_open = True
    assert worker.work() == 101
    assert gate.most == 4


def test_a_lane_takes_no_more_than_its_window(gate: Gate, settings: Any) -> None:
    settings.LANE_WINDOWS = {**settings.LANE_WINDOWS, "low": 3}
    to_hang(5, priority=Lane.LOW)
    normal = to_hang(5)
    worker = Dispatcher()
    go_until(worker, lambda: gate.waiting == 8)
    assert Delivery.objects.filter(lane="low", state=State.SENDING).count() == 3
    assert {state(each) for each in normal} == {State.SENDING}
    gate.is_open = True
    worker.work()


def test_a_call_that_hangs_does_not_end_the_service_when_the_turn_is_over(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.DISPATCH_SECONDS = 0
    monkeypatch.setattr(dispatch, "LAST_CALLS", 0.05)
    monkeypatch.setattr(dispatch, "TURNS", 10**6)
    worker = Dispatcher()
    worker._end = float("inf")
    worker._turn_until = time.monotonic() + 60
    to_hang(1)
    go_until(worker, lambda: gate.waiting == 1)
    worker._turn_until = time.monotonic()
    later = factories.message(to={"email": "li@example.com"})
    go_until(worker, lambda: state(later) == State.DELIVERED)
    gate.is_open = True
    assert worker.work() == 2


def test_what_says_the_same_goes_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    async def send_many(
        _adapter: SimulatedAdapter, messages: Sequence[Outgoing]
    ) -> list[Sent | ChannelError]:
        calls.append(len(messages))
        return [Sent(final=True) for _ in messages]

    capable(monkeypatch, batch_size=10)
    monkeypatch.setattr(SimulatedAdapter, "send_many", send_many)
    factories.template(channels=["email"])
    factories.account("email")
    for number in range(25):
        factories.message(to={"email": f"u-{number}@example.com"}, params={"order_no": "1"})
    for number in range(3):
        factories.message(to={"email": f"v-{number}@example.com"}, params={"order_no": "2"})
    assert dispatch.run("normal") == 28
    assert sorted(calls) == [3, 5, 10, 10]
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.DELIVERED, 1)}


def test_too_few_results_of_a_bulk_call_leave_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send_many(_adapter: SimulatedAdapter, _messages: Sequence[Outgoing]) -> list[Sent]:
        return [Sent()]

    capable(monkeypatch, batch_size=10)
    monkeypatch.setattr(SimulatedAdapter, "send_many", send_many)
    factories.template(channels=["email"], doubt_policy="hold")
    factories.account("email")
    for number in range(2):
        factories.message(to={"email": f"u-{number}@example.com"})
    dispatch.run("normal")
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.IN_DOUBT}


def test_who_can_be_asked_is_written_down_before_the_call(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    capable(monkeypatch, lookup=True)
    [message] = to_hang(1)
    worker = Dispatcher()
    go_until(worker, lambda: gate.waiting == 1)
    delivery = message.deliveries.get()
    assert delivery.account is not None
    assert (delivery.state, delivery.account.channel) == (State.SENDING, "email")
    gate.is_open = True
    worker.work()


def test_messages_of_test_keys_do_not_wait_for_accounts(gate: Gate) -> None:
    type(factories.account("push")).objects.filter(channel="push").pause(reason="an outage")
    factories.template("pushed", ["push"])
    real = [factories.message("pushed", to={"push_token": f"t-{number}"}) for number in range(3)]
    test = factories.message("pushed", to={"push_token": "t"}, caller=factories.caller(is_test=True))
    dispatch.run("normal")
    assert state(test) == State.DELIVERED
    assert {state(each) for each in real} == {State.PENDING}


def test_a_message_that_is_due_later_leaves_a_wake_up_for_its_lane(gate: Gate) -> None:
    later = factories.in_an_hour()
    factories.message(to={"email": "li@example.com"}, priority=Lane.HIGH, send_at=later)
    factories.message(to={"email": "li@example.com"}, priority=Lane.LOW)
    OrmQ.objects.all().delete()
    assert dispatch.run("low") == 1
    assert list(OrmQ.objects.values_list("key", "lock")) == [("high", later)]


class TestWorkersOfACluster:
    @pytest.fixture
    def broker(self, monkeypatch: pytest.MonkeyPatch) -> queue.LaneBroker:
        monkeypatch.setattr(Conf, "WORKERS", 2)
        monkeypatch.setattr(Conf, "POLL", 0)
        monkeypatch.setattr(queue, "ON_ITS_WAY", 60.0)
        return queue.LaneBroker("pushcenter")

    def take(self, broker: queue.LaneBroker) -> str | None:
        taken = broker.dequeue()
        return OrmQ.objects.get(pk=taken[0][0]).key.partition(":")[0] if taken else None

    def test_one_is_left_for_housekeeping(self, broker: queue.LaneBroker) -> None:
        for lane in ("high", "low"):
            queue.wake(lane)
        queue.later("some.function", at=timezone.now())
        assert [self.take(broker) for _ in range(3)] == ["high", "pushcenter", None]
        OrmQ.objects.filter(key="high:running").delete()
        assert self.take(broker) == "low"

    def test_one_is_left_for_the_lanes(self, broker: queue.LaneBroker) -> None:
        for _ in range(2):
            queue.later("some.function", at=timezone.now())
        assert [self.take(broker) for _ in range(2)] == ["pushcenter", None]
        queue.wake("low")
        assert self.take(broker) == "low"

    def test_a_worker_that_is_at_it_holds_its_place_and_a_lost_one_does_not(
        self, broker: queue.LaneBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue, "ON_ITS_WAY", 0.0)
        queue.wake("high")
        queue.wake("low")
        assert self.take(broker) == "high"
        with another_session() as worker:
            worker.execute(
                "SELECT pg_advisory_lock_shared(%s, %s)", [busy.LANES, busy._cluster(os.getppid())]
            )
            assert self.take(broker) is None
        until(lambda: not busy.at_work())  # a session that was left ends in a moment
        assert self.take(broker) == "low"

    def test_a_task_is_known_from_its_beginning_to_its_end(self, transactional_db: None) -> None:
        for func, kind in ((queue.DISPATCH, busy.LANES), ("some.function", busy.CHORES)):
            task = {"func": func}
            busy.begin(task=task)
            assert busy.at_work() == {kind: 1}
            busy.end(task=task)
            assert not busy.at_work()

    def test_a_database_that_is_away_is_asked_again_soon(
        self, broker: queue.LaneBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(_broker: queue.LaneBroker) -> None:
            raise OperationalError

        monkeypatch.setattr(queue, "AWAY", 0)
        monkeypatch.setattr(connection, "close", lambda: None)
        with monkeypatch.context() as patch:
            patch.setattr(queue.LaneBroker, "_take", away)
            assert broker.dequeue() is None
        queue.wake("low")
        assert self.take(broker) == "low"

    def one_of_two_serves_the_lanes(self, broker: queue.LaneBroker, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Conf, "WORKERS", 3)
        queue.wake("low")
        assert self.take(broker) == "low"

    def test_another_worker_is_woken_only_where_the_first_does_not_keep_up(
        self, broker: queue.LaneBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.one_of_two_serves_the_lanes(broker, monkeypatch)
        queue.wake("high")
        queue.later("some.function", at=timezone.now())
        assert [self.take(broker) for _ in range(2)] == ["pushcenter", None]
        waited = timedelta(seconds=queue.PATIENCE)
        OrmQ.objects.filter(key="high").update(lock=F("lock") - waited)
        assert self.take(broker) == "high"

    def test_a_call_for_help_is_answered_at_once(
        self, broker: queue.LaneBroker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.one_of_two_serves_the_lanes(broker, monkeypatch)
        queue.wake("low")
        for _ in range(2):
            queue.call_for_help("low")
        assert [self.take(broker) for _ in range(2)] == ["low", None]

    def test_word_of_new_work_ends_the_rest(
        self, broker: queue.LaneBroker, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Conf, "POLL", 30)

        def bring() -> None:
            time.sleep(0.3)  # the broker rests by then
            queue.wake("low")
            connection.close()

        with ThreadPoolExecutor() as threads:
            begun = time.monotonic()
            brought = threads.submit(bring)
            assert broker.dequeue() is None
            assert time.monotonic() - begun < 10
            brought.result()
        assert self.take(broker) == "low"

    def test_work_for_later_is_no_news(
        self, broker: queue.LaneBroker, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Conf, "POLL", 0.2)
        broker.dequeue()
        queue.wake("low", timezone.now() + timedelta(hours=1))
        begun = time.monotonic()
        assert broker.dequeue() is None
        assert time.monotonic() - begun >= 0.2

    def test_lanes_of_others_are_left_to_them(self, broker: queue.LaneBroker, settings: Any) -> None:
        settings.LANES = ["critical"]
        queue.wake("low")
        queue.wake("critical")
        assert [self.take(broker) for _ in range(2)] == ["critical", None]


def test_the_settings_know_the_lanes() -> None:
    assert list(Lane.values) == list(project.LANES) == list(project.LANE_WINDOWS)


@pytest.mark.usefixtures("gate")
def test_a_call_that_cannot_be_judged_stands_in_nobodys_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    odd, other = (
        factories.message(to={"email": "odd@example.com"}),
        factories.message(to={"email": "li@example.com"}),
    )
    ends = Flight.ends

    def mistaken(flight: Flight) -> list[Ended]:
        if flight.passengers[0].claimed.address == "odd@example.com":
            raise KeyError("odd")
        return ends(flight)

    monkeypatch.setattr(Flight, "ends", mistaken)
    assert Dispatcher().work() == 1
    assert [state(odd), state(other)] == [State.SENDING, State.DELIVERED], (
        "the lease of the odd one tells the sweep"
    )
    assert "was not understood" in caplog.text
