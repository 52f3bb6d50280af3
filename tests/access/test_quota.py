"""The daily quota of a system: as many messages as it says, whoever asks at the same moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from pushcenter.access.models import System
from pushcenter.messaging import quota
from pushcenter.messaging.models import DailyUse, Message
from pushcenter.messaging.quota import Left
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, order, problem, stored
from tests.access.test_idempotency import BATCH, again, many
from tests.threads import at_once

pytestmark = pytest.mark.django_db


def limit(number: int | None) -> None:
    System.objects.update(daily_quota=number)


def used() -> int:
    return sum(DailyUse.objects.values_list("accepted", flat=True))


def refuse(response: Any, left: int, of: int) -> None:
    """The answer to what goes beyond the quota: 429, to be tried again after midnight UTC."""
    detail = problem(response, 429, "daily_quota_exceeded")["detail"]
    assert f"{left} of {of} messages are left" in detail
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert abs(int(response["Retry-After"]) - (midnight - now).total_seconds()) < 10


def test_it_is_refused_exactly_at_the_limit(shop: Gateway) -> None:
    limit(3)
    assert [shop.send().status_code for _ in range(3)] == [202] * 3
    before = stored()
    for _ in range(2):
        refuse(shop.send(), 0, 3)
    assert (stored(), used()) == (before, 3)


def test_a_batch_counts_its_messages_and_comes_whole_or_not_at_all(shop: Gateway) -> None:
    limit(5)
    assert shop.post(BATCH, many("1", "2", "3")).json()["accepted"] == 3
    refuse(shop.post(BATCH, many("4", "5", "6")), 2, 5)
    assert (Message.objects.count(), used()) == (3, 3)
    assert shop.post(BATCH, many("4", "5")).status_code == 202
    refuse(shop.send(), 0, 5)
    assert used() == 5


def test_what_is_left_out_of_a_batch_is_not_counted(shop: Gateway) -> None:
    limit(2)
    body = many("1", 2, "3", on_error="skip")  # type: ignore[arg-type]
    assert shop.post(BATCH, body).json()["accepted"] == 2
    assert used() == 2


def test_what_is_refused_or_asked_again_is_not_counted(shop: Gateway) -> None:
    limit(2)
    assert shop.send(template="no-such").status_code == 422
    assert shop.send(to={"recipient": "nobody"}).status_code == 422
    assert shop.post(BATCH, many("1", 2)).status_code == 422  # type: ignore[arg-type]
    assert used() == 0
    assert {again(shop, MESSAGES, order()).status_code for _ in range(5)} == {202}
    assert used() == 1
    assert {again(shop, BATCH, many("1"), "k-2").status_code for _ in range(5)} == {202}
    assert used() == 2


def test_what_was_accepted_is_answered_again_when_nothing_is_left(shop: Gateway) -> None:
    limit(1)
    first = again(shop, MESSAGES, order())
    assert again(shop, MESSAGES, order()).content == first.content
    refuse(again(shop, MESSAGES, order(), "k-2"), 0, 1)


def test_a_call_beyond_the_quota_leaves_its_key_free(shop: Gateway) -> None:
    limit(0)
    refuse(again(shop, MESSAGES, order()), 0, 0)
    limit(1)
    assert again(shop, MESSAGES, order()).status_code == 202


def test_a_message_that_is_skipped_was_accepted_and_counts(shop: Gateway) -> None:
    limit(1)
    factories.recipient("u-2").preferences.create(category=factories.category())
    assert shop.send(to={"recipient": "u-2"}).json()["status"] == "skipped"
    refuse(shop.send(), 0, 1)


def test_test_keys_have_no_quota_and_use_none(shop: Gateway) -> None:
    limit(0)
    tester = Gateway(factories.key(is_test=True)[1])
    assert tester.send().status_code == 202
    assert tester.post(BATCH, many("1", "2")).status_code == 202
    assert (stored()["messages"], DailyUse.objects.count()) == (3, 0)


def test_without_a_quota_nothing_is_counted(shop: Gateway) -> None:
    assert shop.send().status_code == 202
    assert DailyUse.objects.count() == 0


def test_each_system_has_its_own(shop: Gateway) -> None:
    erp = Gateway(factories.key(factories.system("erp"))[1])
    limit(1)
    assert [shop.send().status_code, erp.send().status_code, shop.send().status_code] == [202, 202, 429]


def test_the_next_day_begins_anew(shop: Gateway) -> None:
    limit(1)
    shop.send()
    DailyUse.objects.update(day=(datetime.now(UTC) - timedelta(days=1)).date())
    assert shop.send().status_code == 202
    assert sorted(DailyUse.objects.values_list("accepted", flat=True)) == [1, 1]


MOMENTS = {
    "2026-03-01T00:00:00+00:00": 86_400,
    "2026-03-01T23:59:59.900000+00:00": 1,
    "2026-03-01T23:00:00+00:00": 3_600,
    "2026-03-02T07:00:00+08:00": 3_600,
    "2026-03-01T20:00:00-05:00": 82_800,
}


@pytest.mark.parametrize(("moment", "seconds"), MOMENTS.items())
def test_the_day_ends_at_midnight_utc(moment: str, seconds: int) -> None:
    error = quota.exceeded(Left(limit=1, remaining=0), datetime.fromisoformat(moment))
    assert error.retry_after == seconds


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [17])
def test_callers_at_the_same_moment_get_no_more_than_there_is(shop: Gateway, number: int) -> None:
    limit(number)
    secrets = [factories.key()[1] for _ in range(6)]

    def asking(secret: str, path: str, body: Any) -> Callable[[], list[int]]:
        return lambda: [Gateway(secret).post(path, body).status_code for _ in range(8)]

    calls = [asking(secret, MESSAGES, order()) for secret in secrets[:4]]
    calls += [asking(secret, BATCH, many("1", "2", "3")) for secret in secrets[4:]]
    found = [status for statuses in at_once(calls) for status in statuses]
    assert set(found) == {202, 429}
    assert Message.objects.count() == used() == number
    refuse(shop.send(), 0, number)


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_counted(shop: Gateway) -> None:
    limit(1)
    with transaction.atomic():
        assert shop.send().status_code == 202
        transaction.set_rollback(True)
    assert (stored(), used()) == (NOTHING, 0)
    assert shop.send().status_code == 202


@pytest.mark.django_db(transaction=True)
def test_two_systems_in_one_transaction_do_not_wait_for_one_another_in_a_circle() -> None:
    ids = [factories.system(code).pk for code in ("a", "b", "c", "d")]

    def counting(order: list[Any]) -> None:
        now = timezone.now()
        for _ in range(20):
            with transaction.atomic():
                quota.lock(dict.fromkeys(order, 9_999), now)
                quota.count(dict.fromkeys(order, 1), now)

    orders = [ids, ids[::-1], ids[1:] + ids[:1]]
    assert at_once([partial(counting, each) for each in orders]) == [None] * 3
    assert set(DailyUse.objects.values_list("accepted", flat=True)) == {60}
