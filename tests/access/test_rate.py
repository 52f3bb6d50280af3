"""The rate of a system is kept by all processes together, told in each answer, and survives its store."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from pushcenter.access import throttle
from pushcenter.access.models import Bucket, System
from pushcenter.purse import Limit
from tests import factories
from tests.access.gateway import NOTHING, Gateway, problem, stored

PROCESSES = 4
SECONDS = 2.0
LIMIT = Limit.of(rate=1000, burst=1000)
NOBODYS = "/api/v1/messages/00000000-0000-0000-0000-000000000000"


def hammer(system_id: UUID, began: float, until: float) -> list[float]:
    """Ask without a pause; the times of what was admitted. Runs in a process of its own."""
    admitted = []
    while (now := time.monotonic()) < until:
        if now >= began and throttle.spend(system_id, LIMIT) == 0:
            admitted.append(time.monotonic())
        else:
            time.sleep(0.0005)  # the machine is shared; a refused client comes again soon
    return admitted


def of_all_processes(system_id: UUID) -> list[float]:
    connection.close()  # no process takes over another's connection
    began = time.monotonic() + 0.3
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        calls = [(system_id, began, began + 1.0 + SECONDS)] * PROCESSES
        return sorted(moment for each in pool.starmap(hammer, calls) for moment in each)


@pytest.mark.django_db(transaction=True)
def test_four_processes_together_keep_the_rate() -> None:
    system = factories.system()
    admitted = of_all_processes(system.pk)
    first, last = admitted[0], admitted[-1]
    assert len(admitted) == pytest.approx(LIMIT.burst + LIMIT.rate * (last - first), rel=0.05)
    # Once the burst is spent, each second is worth its rate.
    steady = sum(moment >= last - SECONDS for moment in admitted)
    assert steady == pytest.approx(LIMIT.rate * SECONDS, rel=0.05)


@pytest.mark.django_db(transaction=True)
def test_threads_spend_each_token_once() -> None:
    system = factories.system(rate=1, burst=40)
    limit = Limit.of(rate=system.rate, burst=system.burst)

    def ask(_number: int) -> bool:
        try:
            return throttle.spend(system.pk, limit) == 0
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        admitted = sum(pool.map(ask, range(200)))
    assert 40 <= admitted <= 43


@pytest.mark.django_db
def test_a_lease_costs_one_statement_and_a_flood_no_more() -> None:
    limit = Limit.of(rate=20, burst=2)
    system = factories.system()
    with CaptureQueriesContext(connection) as queries:
        waits = [throttle.spend(system.pk, limit) for _ in range(1000)]
    assert waits.count(0.0) in {2, 3}
    assert len([each for each in queries if "access_bucket" in each["sql"]]) <= 5


@pytest.mark.django_db
def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    caller = Gateway(factories.key(factories.system(rate=1, burst=2))[1])
    for _ in range(2):
        assert caller.get(NOBODYS).status_code == 404
    refused = caller.send()
    problem(refused, 429, "rate_limited")
    assert refused["Retry-After"] == "1"
    assert refused["RateLimit-Policy"] == '"requests";q=1;w=1'
    assert refused["RateLimit"] == '"requests";r=0;t=2'
    assert refused["X-Request-Id"]
    assert stored() == NOTHING


@pytest.mark.django_db
def test_each_answer_says_what_is_left(shop: Gateway) -> None:
    System.objects.update(rate=2, burst=100)
    answers = [shop.send(), shop.send(template="no-such-template"), shop.get(NOBODYS)]
    assert [answer.status_code for answer in answers] == [202, 422, 404]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"requests";q=2;w=1'}
    assert answers[0]["RateLimit"] == '"requests";r=99;t=1'
    assert answers[2]["RateLimit"] in {'"requests";r=97;t=2', '"requests";r=98;t=1'}


@pytest.mark.django_db
def test_systems_have_buckets_of_their_own() -> None:
    shop = Gateway(factories.key(factories.system("shop", rate=1, burst=1))[1])
    erp = Gateway(factories.key(factories.system("erp", rate=1, burst=1))[1])
    assert [caller.send().status_code for caller in (shop, shop, erp)] == [422, 429, 422]


@pytest.mark.django_db
def test_a_wrong_key_or_scope_is_said_before_the_rate_and_takes_nothing_of_it() -> None:
    system = factories.system(rate=1, burst=1)
    reader = Gateway(factories.key(system, scopes=["read"])[1])
    assert [reader.send().status_code for _ in range(3)] == [403, 403, 403]
    assert not Bucket.objects.exists()
    sender = Gateway(factories.key(system)[1])
    assert [sender.send().status_code for _ in range(2)] == [422, 429]
    assert reader.send().status_code == 403


@pytest.fixture
def locked(transactional_db: None) -> Iterator[Any]:
    """A system whose bucket another session has locked."""
    system = factories.system()
    Bucket.objects.create(system=system, tokens=10, granted=0, at=system.created_at)
    parameters = connection.get_connection_params()
    known = {name: parameters[name] for name in ("dbname", "user", "host", "port") if name in parameters}
    with psycopg.connect(**known) as other:
        other.execute("SELECT * FROM access_bucket FOR UPDATE")
        yield system


@pytest.fixture
def gone(transactional_db: None) -> Iterator[Any]:
    """A system, in an installation whose buckets are not there."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_bucket RENAME TO elsewhere")
        yield factories.system()
        cursor.execute("ALTER TABLE elsewhere RENAME TO access_bucket")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("away", ["locked", "gone"])
def test_while_the_store_is_away_the_setting_admits(
    away: str, request: pytest.FixtureRequest, settings: Settings
) -> None:
    caller = Gateway(factories.key(request.getfixturevalue(away))[1])
    settings.THROTTLE_WHEN_AWAY = "admit"
    began = time.monotonic()
    assert [caller.send().status_code for _ in range(20)] == [422] * 20
    assert time.monotonic() - began < 2, "each request waited for the store"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("away", ["locked", "gone"])
def test_while_the_store_is_away_the_setting_refuses(
    away: str, request: pytest.FixtureRequest, settings: Settings
) -> None:
    caller = Gateway(factories.key(request.getfixturevalue(away))[1])
    settings.THROTTLE_WHEN_AWAY = "refuse"
    for _ in range(20):
        refused = caller.send()
        problem(refused, 503, "unavailable")
        assert refused["Retry-After"] == "1"
