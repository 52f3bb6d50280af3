"""Figures over the API: those of the calling system, to this moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from analytics_app.models import MEASURES, HourlyStat
from pushcenter.access.models import System
from pushcenter.messaging import dispatch
from templates_app.models import Template
from tests import factories
from tests.access.gateway import Gateway, faults

pytestmark = pytest.mark.django_db
STATS = "/api/v1/stats"
MARCH = {"from": "2026-03-01", "to": "2026-03-03"}


def stat(
    hour: str, template: str = "order-paid", system: str = "shop", channel: str = "email", **sums: int
) -> None:
    HourlyStat.objects.create(
        hour=datetime.fromisoformat(hour).replace(tzinfo=UTC),
        system=factories.system(system),
        template=Template.objects.get(code=template),
        channel=channel,
        **sums,
    )


@pytest.fixture
def shop(db: None) -> Gateway:
    factories.template()
    factories.template("news", ["email"])
    stat("2026-03-01T00:00", accepted=10, sent=8, delivered=6, opened=4, clicked=2, converted=1, failed=2)
    stat("2026-03-01T23:00", channel="sms", accepted=5, sent=2, delivered=2)
    stat("2026-03-03T12:00", "news", accepted=1, expired=1)
    stat("2026-03-02T12:00", system="erp", accepted=100, sent=100)
    return Gateway(factories.key(scopes=["stats"])[1])


def rows(response: Any) -> dict[str, int]:
    assert response.status_code == 200, response.content[:1000]
    return {each["key"]: each["accepted"] for each in response.json()["items"]}


def test_a_row_has_every_measure_and_the_rates(shop: Gateway) -> None:
    answer = shop.get(STATS, **MARCH).json()
    assert set(answer) == {"from", "to", "time_zone", "group", "items", "total"}
    assert (answer["from"], answer["to"], answer["time_zone"], answer["group"]) == (
        "2026-03-01", "2026-03-03", "UTC", "day",
    )  # fmt: skip
    first, second, _third = answer["items"]
    assert set(first) == {"key", "rates", *MEASURES}
    assert (first["accepted"], first["sent"], first["failed"]) == (15, 10, 2)
    assert first["rates"] == {"reach": 0.8, "open": 0.4, "click": 0.2, "conversion": 0.1}
    assert second["rates"] == dict.fromkeys(first["rates"])
    assert (answer["total"]["accepted"], answer["total"]["rates"]["reach"]) == (16, 0.8)


GROUPS: dict[str, dict[str, int]] = {
    "day": {"2026-03-01": 15, "2026-03-02": 0, "2026-03-03": 1},
    "channel": {"email": 11, "sms": 5},
    "template": {"order-paid": 15, "news": 1},
}


@pytest.mark.parametrize(("group", "expected"), GROUPS.items(), ids=GROUPS)
def test_figures_are_those_of_the_calling_system(shop: Gateway, group: str, expected: dict[str, int]) -> None:
    assert rows(shop.get(STATS, group=group, **MARCH)) == expected


def test_every_hour_is_a_row(shop: Gateway) -> None:
    found = rows(shop.get(STATS, group="hour", **MARCH))
    assert len(found) == 72
    assert {hour: number for hour, number in found.items() if number} == {
        "2026-03-01T00:00:00Z": 10, "2026-03-01T23:00:00Z": 5, "2026-03-03T12:00:00Z": 1,
    }  # fmt: skip


def test_days_are_those_of_the_installation(shop: Gateway) -> None:
    with timezone.override("Asia/Shanghai"):
        answer = shop.get(STATS, **MARCH)
    assert answer.json()["time_zone"] == "Asia/Shanghai"
    assert rows(answer) == {"2026-03-01": 10, "2026-03-02": 5, "2026-03-03": 1}


@pytest.mark.parametrize(
    ("query", "accepted"),
    [({"channel": "sms"}, 5), ({"template": "news"}, 1), ({"template": "news", "channel": "sms"}, 0)],
)
def test_figures_are_narrowed_down(shop: Gateway, query: dict[str, str], accepted: int) -> None:
    assert shop.get(STATS, **MARCH, **query).json()["total"]["accepted"] == accepted


def test_what_happened_this_minute_is_in_and_tests_are_not() -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    shop, tester = (Gateway(factories.key(is_test=is_test)[1]) for is_test in (False, True))
    for caller in (shop, tester):
        caller.send(channels=["inbox"])
    dispatch.run("normal")
    assert shop.get(STATS).json()["total"]["delivered"] == 1
    answer = tester.get(STATS).json()
    assert (answer["total"]["delivered"], len(answer["items"])) == (0, 30)


def test_without_a_first_day_it_is_thirty_days(shop: Gateway) -> None:
    answer = shop.get(STATS, to="2026-03-03").json()
    assert (answer["from"], len(answer["items"])) == ("2026-02-02", 30)


BAD: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a moment": ({"from": "2026-03-01T00:00:00Z"}, [("/from", "invalid")]),
    "no day": ({"to": "2026-02-30"}, [("/to", "invalid")]),
    "backwards": ({"from": "2026-03-02", "to": "2026-03-01"}, [("/to", "too_early")]),
    "three years": ({"from": "2023-01-01", "to": "2025-12-31"}, [("/from", "too_long")]),
    "too many hours": ({"group": "hour", "from": "2026-01-01", "to": "2026-02-01"}, [("/from", "too_long")]),
    "the beginning of time": ({"from": "0001-01-01"}, [("/from", "no_such_year")]),
    "the end of time": ({"to": "9999-12-31"}, [("/to", "no_such_year")]),
    "unknown group": ({"group": "system"}, [("/group", "invalid_choice")]),
    "unknown channel": ({"channel": "fax"}, [("/channel", "unknown_channel")]),
    "unknown template": ({"template": "' OR 1=1 --"}, [("/template", "unknown_template")]),
    "template with a null character": ({"template": "\0"}, [("/template", "null_characters_not_allowed")]),
    "unknown parameter": ({"system": "erp"}, [("/system", "unknown_field")]),
}


@pytest.mark.parametrize(("query", "expected"), BAD.values(), ids=BAD)
def test_a_bad_question_is_refused(
    shop: Gateway, query: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(shop.get(STATS, **query)) == expected


def test_the_longest_spans_are_answered(shop: Gateway) -> None:
    first = datetime(2024, 3, 3, tzinfo=UTC).date()
    longest = {"from": first, "to": first + timedelta(days=731)}
    assert len(shop.get(STATS, **longest).json()["items"]) == 732
    assert len(shop.get(STATS, group="hour", **{**MARCH, "to": "2026-03-31"}).json()["items"]) == 31 * 24


def test_a_template_that_may_not_be_sent_is_unknown(shop: Gateway) -> None:
    System.objects.update(templates=["news"])
    other = Gateway(factories.key(scopes=["stats"])[1])
    assert other.get(STATS, template="news").status_code == 200
    assert faults(other.get(STATS, template="order-paid")) == [("/template", "unknown_template")]
