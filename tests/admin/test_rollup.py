"""Tallies become figures, each exactly once."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django_q.models import Schedule

from analytics_app import rollup
from analytics_app.models import HourlyStat
from analytics_app.rollup import fold
from pushcenter.ids import uuid7
from pushcenter.messaging.models import Tally
from tests import factories

HOUR = datetime(2026, 3, 1, 10, tzinfo=UTC)


def tally(measure: str, amount: int = 1, **fields: Any) -> Tally:
    keys = {"hour": HOUR, "system_id": factories.system().pk, "channel": "email", **fields}
    return Tally(measure=measure, amount=amount, **keys)


@pytest.fixture
def template_id(db: None) -> Any:
    return factories.template().pk


def test_tallies_of_one_hour_are_added_up(template_id: Any) -> None:
    changes = [("accepted", 3), ("sent", 2), ("sent", 1), ("in_doubt", 1), ("in_doubt", -1), ("replied", 1)]
    Tally.objects.bulk_create(tally(name, amount, template_id=template_id) for name, amount in changes)
    assert fold() == 6
    stat = HourlyStat.objects.get()
    assert (stat.accepted, stat.sent, stat.in_doubt, stat.hour) == (3, 3, 0, HOUR)
    assert not Tally.objects.exists()
    Tally.objects.bulk_create([tally("sent", 2, template_id=template_id)])
    assert (fold(), fold()) == (1, 0)
    stat.refresh_from_db()
    assert (stat.accepted, stat.sent) == (3, 5)


def test_channels_and_hours_stay_apart(template_id: Any) -> None:
    other = HOUR.replace(hour=11)
    Tally.objects.bulk_create(
        tally("sent", template_id=template_id, channel=channel, hour=hour)
        for channel in ("email", "sms")
        for hour in (HOUR, other)
    )
    fold()
    assert HourlyStat.objects.count() == 4


def test_a_limit_leaves_the_rest_for_the_next_time(template_id: Any) -> None:
    Tally.objects.bulk_create(tally("sent", template_id=template_id) for _ in range(5))
    assert [fold(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert HourlyStat.objects.get().sent == 5


def test_tallies_of_a_template_that_is_gone_are_dropped(template_id: Any) -> None:
    Tally.objects.bulk_create([tally("sent", template_id=uuid7()), tally("sent", template_id=template_id)])
    assert fold() == 2
    assert HourlyStat.objects.get().sent == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_double_nothing_and_lose_nothing() -> None:
    template_id = factories.template().pk
    channels = ("email", "sms", "push")
    Tally.objects.bulk_create(
        tally("sent", template_id=template_id, channel=channel) for _ in range(400) for channel in channels
    )
    folded: list[int] = []
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        try:
            while count := fold(limit=50):
                folded.append(count)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(folded) == 1200
    assert {stat.channel: stat.sent for stat in HourlyStat.objects.all()} == dict.fromkeys(channels, 400)


@pytest.mark.django_db(transaction=True)
def test_a_fold_that_fails_leaves_the_tallies() -> None:
    Tally.objects.bulk_create([tally("sent", template_id=factories.template().pk)])
    with transaction.atomic():
        fold()
        transaction.set_rollback(True)
    assert Tally.objects.count() == 1
    assert not HourlyStat.objects.exists()


@pytest.mark.django_db
def test_the_rollup_is_scheduled() -> None:
    assert Schedule.objects.get(name="rollup").func == "analytics_app.rollup.run"


@pytest.mark.django_db
def test_a_run_folds_everything_and_a_second_one_finds_nothing() -> None:
    factories.template(channels=["email"])
    factories.account("email")
    factories.message(to={"email": "li@example.com"})
    assert rollup.run() > 0
    assert rollup.run() == 0
    assert HourlyStat.objects.get().accepted == 1
