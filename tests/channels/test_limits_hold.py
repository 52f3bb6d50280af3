"""Whatever several workers do, and in whatever order, limits of an account hold."""

import multiprocessing
import random
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from channels_app import connections
from channels_app.allowance import BURST, EVERY, LEASE
from channels_app.contract import Sent
from channels_app.models import Account
from channels_app.pace import Pace
from channels_app.places import Held, granted
from channels_app.traffic import Traffic
from pushcenter.purse import Grant, Limit, Purse, Wish
from tests import factories, pristine


class Bucket:
    """What the statement does with a row."""

    def __init__(self, limit: Limit) -> None:
        self.limit, self.tokens, self.at = limit, float(limit.burst), 0.0

    def ask(self, wish: Wish, now: float) -> Grant:
        filled = self.tokens + wish.back + self.limit.rate * (now - self.at)
        there = min(self.limit.burst, filled)
        taken = max(min(wish.take, int(there)), 0)
        self.tokens, self.at = there - taken, now
        return Grant(tokens=taken, left=self.tokens)


STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.floats(0.0, 0.2)), max_size=120)


@given(rate=st.sampled_from([0.5, 1.0, 7.0, 80.0, 1000.0]), steps=STEPS)
@settings(deadline=None, max_examples=150)
def test_no_order_of_asking_exceeds_a_rate(rate: float, steps: list[tuple[int, int, float]]) -> None:
    limit = Limit.of(rate=rate, burst=max(1, int(rate * BURST)), every=EVERY)
    bucket, purses = Bucket(limit), [Purse(lease=LEASE) for _ in range(4)]
    spent: list[float] = []
    now = 0.0
    for who, wanted, passed in steps:
        now += passed
        purse = purses[who]
        if not purse.wait(now):
            wish = purse.wish(limit)
            purse.fill(wish, bucket.ask(wish, now), limit, now)
        spent += [now for _ in range(wanted) if purse.spend(now)]
    for place, began in enumerate(spent):
        for end in range(place, len(spent)):
            seconds = spent[end] - began
            assert end - place + 1 <= limit.burst + rate * (seconds + LEASE) + 0.001


ASKS = st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 5), st.integers(0, 9)), max_size=60)


@given(limit=st.integers(1, 12), asks=ASKS)
@settings(deadline=None, max_examples=300)
def test_no_order_of_asking_gives_out_more_places_than_there_are(
    limit: int, asks: list[tuple[int, int, int]]
) -> None:
    calls, places, wants = [0] * 5, [0] * 5, [0] * 5
    for who, change, more in asks:
        calls[who] = max(0, min(places[who], calls[who] + change))
        wants[who] = calls[who] + more
        others = [Held(places=places[each], wants=wants[each]) for each in range(5) if each != who]
        places[who] = granted(limit=limit, calls=calls[who], wants=wants[who], others=others)
        assert calls[who] <= places[who] <= max(wants[who], calls[who])
        assert sum(places) <= limit


def test_who_waits_gets_an_equal_share() -> None:
    alone = granted(limit=12, calls=5, wants=12, others=[])
    with_another = granted(limit=12, calls=5, wants=12, others=[Held(places=0, wants=4)])
    assert (alone, with_another) == (12, 6)
    assert granted(limit=12, calls=9, wants=12, others=[Held(places=0, wants=4)]) == 9, (
        "not from under a call"
    )


@pytest.mark.parametrize("number", [0.5, 1, 3, 4, 10, 20, 100, 300])
def test_a_pace_holds_in_every_minute(number: float) -> None:
    pace = Pace.per_minute(number)
    bucket = Bucket(Limit(rate=pace.rate, burst=pace.burst))
    moments = [tick / 10 for tick in range(3000) if bucket.ask(Wish(take=1, back=0), 100 + tick / 10).tokens]
    assert max(sum(start <= each < start + 60 for each in moments) for start in moments) <= max(1, number)
    assert len(moments) >= 0.7 * number * 5


# --- Real processes -----------------------------------------------------------------------------------------

RATE, PLACES, SECONDS = 150, 6, 1.5


@pytest.fixture
def account(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Account]:
    with django_db_blocker.unblock():
        yield factories.account("sms", rate_per_second=RATE, max_in_flight=PLACES)
        pristine.restore()
        connection.close()


def serve(account_id: UUID, began: float, seed: int) -> list[tuple[float, float]]:
    """Begin whatever may begin; when each call began and ended. Runs in a process of its own."""
    account = Account.objects.get(pk=account_id)
    adapter, traffic, dice = connections.connect(account), Traffic(), random.Random(seed)
    under_way: list[tuple[float, float]] = []
    over: list[tuple[float, float]] = []
    while (now := time.monotonic()) < began + SECONDS:
        traffic.refresh()
        for call in [each for each in under_way if each[1] <= now]:
            under_way.remove(call)
            traffic.end(account.pk, Sent(), now - call[0])
            over.append((call[0], now))
        for _ in range(traffic.room(account, adapter) if now >= began else 0):
            traffic.begin(account.pk)
            under_way.append((now, now + dice.uniform(0.005, 0.05)))
        time.sleep(0.002)
    return over + [(start, time.monotonic()) for start, _ in under_way]


def test_processes_together_keep_the_rate_and_the_places(account: Account) -> None:
    connection.close()  # no process takes over another's connection
    began = time.monotonic() + 0.4
    with multiprocessing.get_context("fork").Pool(3) as pool:
        calls = [
            call
            for each in pool.starmap(serve, [(account.pk, began, seed) for seed in range(3)])
            for call in each
        ]
    moments = sorted(start for start, _ in calls)
    assert 0.5 * RATE < len(moments) <= RATE * (SECONDS + LEASE) + BURST * RATE
    assert max(sum(start <= each < end for start, end in calls) for each in moments) <= PLACES


@pytest.mark.django_db
def test_an_account_may_have_no_limits() -> None:
    account = factories.account("sms")
    assert (account.rate_per_second, account.max_in_flight, account.daily_quota) == (None, None, None)
