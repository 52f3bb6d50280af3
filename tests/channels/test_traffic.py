"""Accounts as several workers share them, against the real store; each worker is a Traffic of its own."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from channels_app import connections, health, traffic
from channels_app.breaker import HEARD_AFTER, STREAK
from channels_app.contract import (
    Adapter,
    Address,
    Misconfigured,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.line import HANGING, PATIENCE, REPORT_EVERY
from channels_app.models import Account, AccountBucket, AccountDay, AccountEvent, AccountHealth, AccountLoad
from channels_app.traffic import Traffic
from tests import factories, pristine

SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SENT, FAULT, TIMEOUT = Sent(), Temporary("down", code="503"), Temporary("?", code="timeout", maybe_sent=True)


class Clock:
    """The time of a worker; what the database says of time stays real."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Worker:
    """One worker process."""

    def __init__(self, account: Account) -> None:
        self.clock = Clock()
        self.traffic = Traffic(clock=self.clock)
        self.account = account
        self.adapter: Adapter = connections.connect(account)

    def room(self, *, after: float = 0.0) -> int:
        """Ask for room as the dispatcher does, again and again, for so long; the room at the end."""
        until = self.clock.now + after
        found = self.look()
        while self.clock.now < until or (not after and not found and self.clock.now < until + 0.2):
            self.clock.now += 0.05
            found = self.look()
        return found

    def look(self) -> int:
        self.traffic.refresh()
        return self.traffic.room(self.account, self.adapter)

    def call(self, result: Any = SENT, *, times: int = 1, seconds: float = 0.01) -> None:
        self.look()
        for _ in range(times):
            self.traffic.begin(self.account.pk)
            self.clock.now += seconds
            self.traffic.end(self.account.pk, result, seconds)

    @property
    def is_healthy(self) -> bool:
        return self.traffic.is_healthy(self.account.pk)


Make = Callable[..., list[Worker]]


@pytest.fixture
def workers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Make]:
    """Workers of one account, committed, because nothing is asked within a transaction; and removed with all that they
    left behind.
    """
    with django_db_blocker.unblock():

        def make(number: int = 2, *, adapter: str = "simulated", **fields: Any) -> list[Worker]:
            account = factories.account("sms", adapter, **fields)
            return [Worker(account) for _ in range(number)]

        yield make
        pristine.restore()
        connection.close()


def pass_time(seconds: float) -> None:
    """Let everything that is written down about accounts be older."""
    with connection.cursor() as cursor:
        for name in ("until", "changed_at", "trouble_since", "slowed_until"):
            cursor.execute(
                f"UPDATE channels_app_accounthealth SET {name} = {name} - make_interval(secs => %s)",
                [seconds],
            )
        cursor.execute("UPDATE channels_app_accountbucket SET at = at - make_interval(secs => %s)", [seconds])
        cursor.execute(
            "UPDATE channels_app_accountload SET until = until - make_interval(secs => %s)", [seconds]
        )


def open_breaker(worker: Worker) -> None:
    """Fail until everybody has been heard."""
    worker.call(FAULT, times=STREAK)
    worker.room(after=0.1)
    pass_time(HEARD_AFTER)
    worker.call(FAULT)
    worker.room(after=REPORT_EVERY + 0.1)
    assert AccountHealth.objects.get().is_open


# --- Without limits -----------------------------------------------------------------------------------------


def test_an_account_without_limits_has_its_places_and_costs_no_statement_of_its_own(workers: Make) -> None:
    (worker,) = workers(1)
    worker.look()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(1000):
            assert worker.traffic.room(worker.account, worker.adapter) == worker.adapter.concurrency
            worker.call(seconds=0.001)
    assert len(queries) <= 5, "looks at those that are not well, four times in a second"
    assert worker.traffic.next_turn() is None
    assert not AccountHealth.objects.exists()


def test_calls_under_way_take_places(workers: Make) -> None:
    (worker,) = workers(1)
    worker.look()
    worker.traffic.begin(worker.account.pk)
    assert worker.look() == worker.adapter.concurrency - 1
    worker.traffic.end(worker.account.pk, SENT, 0.1)
    assert worker.look() == worker.adapter.concurrency


def test_a_provider_that_hangs_is_passed_over(workers: Make) -> None:
    (worker,) = workers(1)
    worker.look()
    for _ in range(worker.adapter.concurrency):
        worker.traffic.begin(worker.account.pk)
    assert worker.is_healthy, "it is only busy"
    worker.clock.now += HANGING + 0.1
    assert not worker.is_healthy
    worker.traffic.end(worker.account.pk, SENT, 3.0)
    assert worker.is_healthy


# --- The breaker --------------------------------------------------------------------------------------------


def test_failures_of_one_worker_open_it_for_all(workers: Make) -> None:
    one, other = workers()
    other.look()
    open_breaker(one)
    assert (one.room(), other.room(after=0.3)) == (0, 0)
    assert (one.is_healthy, other.is_healthy) == (False, False)
    row = AccountHealth.objects.get()
    assert (row.code, row.detail) == ("503", "down")
    assert [each.kind for each in AccountEvent.objects.all()] == ["opened"]
    turn = other.traffic.next_turn()
    assert turn is not None
    assert 3 < turn < 7


def test_one_worker_probes_and_success_lets_all_go_on(workers: Make) -> None:
    one, other = workers()
    open_breaker(one)
    pass_time(10)
    assert sorted((one.room(after=0.6), other.room(after=0.6))) == [0, 1]
    prober = one if one.room() else other
    assert prober.is_healthy
    prober.traffic.begin(prober.account.pk)
    assert prober.room() == 0, "one probe is enough"
    prober.traffic.end(prober.account.pk, SENT, 0.01)
    assert prober.room(after=0.1) == prober.adapter.concurrency
    assert other.room(after=0.4) == other.adapter.concurrency
    assert {each.kind for each in AccountEvent.objects.all()} == {"opened", "closed"}


def test_a_failed_probe_makes_the_pause_longer(workers: Make) -> None:
    (worker,) = workers(1)
    open_breaker(worker)
    pass_time(10)
    assert worker.room(after=0.6) == 1
    worker.call(TIMEOUT)
    assert worker.room(after=0.1) == 0
    turn = worker.traffic.next_turn()
    assert turn is not None
    assert 9 < turn < 13
    assert AccountEvent.objects.count() == 1, "it has not closed in between"


def test_the_end_of_an_older_call_is_not_taken_for_the_probe(workers: Make) -> None:
    (worker,) = workers(1)
    worker.look()
    worker.traffic.begin(worker.account.pk)
    open_breaker(worker)
    pass_time(10)
    assert worker.room(after=0.6) == 1
    worker.traffic.begin(worker.account.pk)
    worker.traffic.end(worker.account.pk, TIMEOUT, 30.0)
    worker.room(after=0.6)
    assert AccountHealth.objects.get().switch == "half_open"


ANSWERS = [
    SENT,
    Refused("no"),
    Unreachable("gone"),
    Throttled("slow", scope=Scope.ADDRESS),
    Misconfigured("key"),
]


@pytest.mark.parametrize("result", ANSWERS, ids=lambda each: type(each).__name__)
def test_an_answer_is_no_failure(result: Any, workers: Make) -> None:
    (worker,) = workers(1)
    worker.call(result, times=100)
    worker.room(after=REPORT_EVERY + 0.1)
    assert not AccountHealth.objects.exists()
    assert worker.is_healthy


def test_failures_of_servers_that_are_not_one_provider_say_nothing_of_the_account(workers: Make) -> None:
    (worker,) = workers(1, adapter="http", config={"secret": SECRET})
    worker.call(FAULT, times=100)
    worker.room(after=REPORT_EVERY + 0.1)
    assert not AccountHealth.objects.exists()


def test_listeners_are_told_once_of_each_change_even_after_a_fault_of_theirs(workers: Make) -> None:
    heard: list[tuple[bool, str]] = []
    fault: list[Exception] = [RuntimeError("no")]

    def listen(*, is_open: bool, detail: str, **_others: Any) -> None:
        if fault:
            raise fault.pop()
        heard.append((is_open, detail))

    (worker,) = workers(1)
    health.breaker_changed.connect(listen)
    try:
        open_breaker(worker)
        assert not heard
        assert (health.tell(), health.tell()) == (1, 0)
        assert health.close([worker.account], by="ann") == 1
    finally:
        health.breaker_changed.disconnect(listen)
    assert heard == [(True, "503 down"), (False, "503 down")]


def test_an_operator_closes_it_at_once(workers: Make) -> None:
    (worker,) = workers(1)
    open_breaker(worker)
    assert health.close([worker.account], by="ann") == 1
    assert worker.room(after=0.3) == worker.adapter.concurrency
    assert AccountEvent.objects.filter(kind="closed_by_hand", detail="by ann").count() == 1
    assert health.close([worker.account], by="ann") == 0


# --- A pause that the provider asks for ---------------------------------------------------------------------


def test_retry_after_slows_the_account_in_all_workers(workers: Make) -> None:
    one, other = workers()
    other.look()
    one.call(Throttled("slow", retry_after=5.0))
    assert (one.room(after=0.1), other.room(after=0.3)) == (0, 0)
    turn = one.traffic.next_turn()
    assert turn is not None
    assert 4 < turn <= 5
    assert one.is_healthy, "it is waited for"
    pass_time(5)
    assert other.room(after=0.3) == other.adapter.concurrency


def test_a_long_pause_lets_the_next_account_take_over(workers: Make) -> None:
    (worker,) = workers(1)
    worker.call(Throttled("tomorrow", retry_after=PATIENCE + 10))
    assert not worker.is_healthy


@pytest.mark.parametrize(("asked", "longest"), [(-3.0, 0.2), (float("nan"), 0.2), (1e9, 24 * 3600)])
def test_what_a_provider_asks_for_is_believed_within_reason(
    asked: float, longest: float, workers: Make
) -> None:
    (worker,) = workers(1)
    worker.call(Throttled("?", retry_after=asked))
    assert worker.traffic.room(worker.account, worker.adapter) == 0
    turn = worker.traffic.next_turn()
    assert turn is not None
    assert turn <= longest + 0.001


# --- Rates --------------------------------------------------------------------------------------------------


def begun(workers: Sequence[Worker], *, seconds: float) -> list[float]:
    """Have workers begin as many calls as they may, in real time; when each began."""
    moments: list[float] = []
    for worker in workers:
        worker.traffic = Traffic()
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for worker in workers:
            for _ in range(worker.look()):
                worker.traffic.begin(worker.account.pk)
                worker.traffic.end(worker.account.pk, SENT, 0.0)
                moments.append(now)
        time.sleep(0.01)
    return moments


def test_all_workers_together_keep_the_rate(workers: Make) -> None:
    rate = 200
    moments = begun(workers(3, rate_per_second=rate), seconds=2.0)
    burst = rate * 0.25
    assert len(moments) == pytest.approx(2.0 * rate + burst, rel=0.15)
    for start in moments[:: len(moments) // 20]:
        assert sum(start <= each < start + 1.0 for each in moments) <= 1.5 * rate + burst


def test_a_slow_rate_is_kept_too(workers: Make) -> None:
    moments = begun(workers(2, rate_per_second=2.0), seconds=1.7)
    assert 3 <= len(moments) <= 4


def test_the_wait_for_a_token_is_known(workers: Make) -> None:
    (worker,) = workers(1, rate_per_second=0.5)
    assert worker.room() == 1
    worker.call()
    assert worker.room(after=0.2) == 0
    turn = worker.traffic.next_turn()
    assert turn is not None
    assert 1.5 < turn <= 2.0
    assert worker.is_healthy


# --- Quota --------------------------------------------------------------------------------------------------


def test_a_daily_quota_is_never_exceeded(workers: Make) -> None:
    both = workers(2, daily_quota=20)
    for _ in range(100):
        for worker in both:
            if worker.room(after=0.1):
                worker.call()
    day = AccountDay.objects.get()
    assert day.used == 20
    assert [worker.room(after=0.2) for worker in both] == [0, 0]
    assert not any(worker.is_healthy for worker in both), "the next account takes over"
    AccountDay.objects.update(day=F("day") - 1)
    assert both[0].room(after=2.1) > 0


def test_bulk_calls_count_each_message_and_fit_into_what_is_left(workers: Make) -> None:
    (worker,) = workers(1, daily_quota=1000)
    sent = 0
    for _ in range(200):
        if worker.room(after=0.1):
            size = worker.traffic.portion(worker.account.pk, 37)
            worker.traffic.begin(worker.account.pk, size)
            worker.traffic.end(worker.account.pk, SENT, 0.01)
            sent += size
    assert sent == 1000
    assert AccountDay.objects.get().used == 1000


def test_what_a_worker_did_not_use_of_the_quota_is_for_others(workers: Make) -> None:
    one, other = workers(2, daily_quota=100)
    one.room()
    one.call()
    one.traffic.leave()
    assert AccountDay.objects.get().used == 1
    assert other.room() > 0


# --- In flight ----------------------------------------------------------------------------------------------


def test_calls_at_the_same_time_are_limited_for_all_workers_together(workers: Make) -> None:
    three = workers(3, max_in_flight=5)
    for _ in range(40):
        for worker in three:
            if worker.room(after=0.1):
                worker.traffic.begin(worker.account.pk)
    held = [worker.traffic._lines[worker.account.pk].calls for worker in three]
    assert sum(held) == 5
    three[0].traffic.end(three[0].account.pk, SENT, 1.0)
    assert sum(worker.room(after=2.5) for worker in three) <= 1


def test_places_of_a_worker_that_died_come_free(workers: Make) -> None:
    one, other = workers(2, max_in_flight=1)
    assert one.room() == 1
    one.traffic.begin(one.account.pk)
    assert other.room(after=1.0) == 0
    pass_time(one.adapter.capabilities.timeout + 6)
    assert other.room(after=1.0) == 1


def test_a_worker_that_is_cut_off_begins_nothing(workers: Make) -> None:
    (worker,) = workers(1, max_in_flight=3)
    assert worker.room() > 0
    worker.clock.now += 10
    assert worker.traffic.room(worker.account, worker.adapter) == 0


# --- Pace ---------------------------------------------------------------------------------------------------


def test_an_address_gets_its_messages_at_its_pace(workers: Make) -> None:
    one, other = workers(2, address_rate_per_minute=20)
    wanted: dict[Any, str] = dict.fromkeys(range(8), "group:ops")
    late = one.traffic.waits_until(one.account, wanted | {"else": "group:dev"})
    assert sorted(late) == [5, 6, 7], "five can come at once, and other addresses are not held up"
    assert late[5] < late[6] < late[7]
    assert other.traffic.waits_until(other.account, {"x": "group:ops"})
    pass_time(4.1)
    assert not other.traffic.waits_until(other.account, {"x": "group:ops"})


def test_without_a_pace_nothing_is_asked(workers: Make) -> None:
    (worker,) = workers(1)
    worker.look()
    with CaptureQueriesContext(connection) as queries:
        assert worker.traffic.waits_until(worker.account, {1: "+8613800138000"}) == {}
    assert not queries


# --- Choosing -----------------------------------------------------------------------------------------------

PHONE = Address(kind="phone", value="+8613800138000")


def chosen(worker: Worker, *, failed: Account | None = None) -> str:
    """Of all accounts, in real order; the name of the one that gets a message."""
    accounts = list(Account.objects.usable())
    account, _ = connections.choose(
        accounts, PHONE, failed=failed.pk if failed else None, traffic=worker.traffic
    )
    return account.name


def test_the_next_priority_takes_over_while_a_breaker_is_open(workers: Make) -> None:
    (worker,) = workers(1, name="first")
    factories.account("sms", name="second", priority=20)
    assert chosen(worker) == "first"
    open_breaker(worker)
    assert chosen(worker) == "second"
    pass_time(10)
    worker.room(after=0.6)
    assert chosen(worker) == "first", "it is tried out"


def test_an_account_that_is_only_busy_is_waited_for(workers: Make) -> None:
    (worker,) = workers(1, name="first", rate_per_second=1)
    factories.account("sms", name="second", priority=20)
    assert worker.room() == 1
    worker.call()
    with pytest.raises(connections.NoRoom):
        chosen(worker)
    assert chosen(worker, failed=worker.account) == "second"


# --- When things go wrong -----------------------------------------------------------------------------------


def test_a_store_that_is_away_fails_nobody(workers: Make) -> None:
    (worker,) = workers(1, rate_per_second=100)
    assert worker.room() > 0
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE channels_app_accountbucket RENAME TO away")
        try:
            worker.call(times=20)
            assert worker.room(after=1.0) == 0, "nothing goes out uncounted"
            assert worker.traffic.waits_until(worker.account, {1: "a"}) == {}
        finally:
            cursor.execute("ALTER TABLE away RENAME TO channels_app_accountbucket")
    assert worker.room(after=1.5) > 0


def test_what_nobody_needs_any_more_is_deleted(workers: Make) -> None:
    (worker,) = workers(1, rate_per_second=5, max_in_flight=2, address_rate_per_minute=0.05)
    worker.room()
    worker.traffic.waits_until(worker.account, {1: "group:ops"})
    pass_time(650)
    traffic.tidy()
    assert not AccountLoad.objects.exists()
    assert AccountBucket.objects.count() == 1, "one that is not full yet stays"
    pass_time(650)
    traffic.tidy()
    assert not AccountBucket.objects.exists()


@pytest.mark.django_db
def test_within_a_transaction_nothing_is_asked() -> None:
    worker = Worker(factories.account("sms", rate_per_second=5))
    with CaptureQueriesContext(connection) as queries:
        assert worker.room() == 0
    assert not queries


def test_limits_that_change_hold_at_once(workers: Make) -> None:
    (worker,) = workers(1)
    assert worker.room() == worker.adapter.concurrency
    worker.account.rate_per_second = 4
    worker.account.save()
    assert worker.look() == 0
    assert worker.room() == 1


def test_a_child_of_a_fork_begins_anew(workers: Make) -> None:
    (worker,) = workers(1)
    worker.look()
    before = worker.traffic.process
    worker.traffic.forget()
    assert worker.traffic.process != before
    assert worker.traffic.is_healthy(UUID(int=1))
