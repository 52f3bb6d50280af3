"""The clock of Beijing, and numbers as providers in China report them."""

from datetime import UTC, datetime

import pytest

from channels_app.china import e164, is_mainland, moment, says_stop, throttled_until, until
from channels_app.contract import Scope


@pytest.mark.parametrize(
    ("now", "hour", "seconds"),
    [
        (datetime(2026, 11, 25, 15, 59, 0, tzinfo=UTC), 0, 60),  # 23:59 in Beijing
        (datetime(2026, 11, 25, 16, 0, 0, tzinfo=UTC), 0, 24 * 3600),
        (datetime(2026, 11, 25, 23, 0, 0, tzinfo=UTC), 8, 3600),
        (datetime(2026, 11, 26, 0, 0, 1, tzinfo=UTC), 8, 24 * 3600 - 1),
    ],
)
def test_a_limit_ends_at_an_hour_in_beijing(now: datetime, hour: int, seconds: float) -> None:
    assert until(hour, now=now) == seconds


def test_a_table_can_name_the_hour() -> None:
    error = throttled_until(0, scope=Scope.ADDRESS)("too many", code="c")
    assert (error.detail, error.code, error.scope) == ("too many", "c", Scope.ADDRESS)
    assert 0 < error.retry_after <= 24 * 3600


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2017-01-01 00:00:00", datetime(2016, 12, 31, 16, 0, 0, tzinfo=UTC)),
        ("20170101000000", None),
        ("", None),
        (None, None),
    ],
)
def test_a_moment_is_read_in_the_time_of_beijing(text: object, found: datetime | None) -> None:
    assert moment(text) == found


@pytest.mark.parametrize(
    ("reported", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("85290001234", "+85290001234"),
        ("+12025550142", "+12025550142"),
    ],
)
def test_a_reported_number_is_written_as_ours(reported: str, number: str) -> None:
    assert e164(reported) == number


def test_the_country_of_a_number() -> None:
    assert is_mainland("+8613800138000")
    assert not is_mainland("+85290001234")


@pytest.mark.parametrize(
    ("answer", "stops"),
    [("TD", True), (" td ", True), ("退订", True), ("退订。", True), ("R", True), ("Stop!", True), ("ok", False),
     ("T恤", False), ("", False), ("N", False)],
)  # fmt: skip
def test_who_wants_no_more_says_so(answer: str, *, stops: bool) -> None:
    assert says_stop(answer) is stops
