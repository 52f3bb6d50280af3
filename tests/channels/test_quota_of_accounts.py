"""The daily quota of an account: a day of the configured zone, and not a token beyond midnight."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from channels_app import pace
from channels_app.models import AccountDay
from channels_app.pace import AskOfDay, GrantOfDay
from channels_app.quota import DayPurse
from pushcenter.purse import Grant, Wish
from tests import factories


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_a_day_is_one_of_the_configured_zone(zone: str, settings: Settings) -> None:
    settings.TIME_ZONE = zone
    account = factories.account("sms", daily_quota=100)
    ask = AskOfDay(account_id=account.pk, quota=100, day=None, wish=Wish(take=30, back=0))
    given = pace.lease_of_day([ask])[account.pk]
    local = timezone.now().astimezone(ZoneInfo(zone))
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert given.day == local.date()
    assert given.grant == Grant(tokens=30, left=70)
    assert given.ends_in == pytest.approx((midnight - local).total_seconds(), abs=5)


@pytest.mark.django_db
def test_what_is_handed_back_of_another_day_does_not_count_today() -> None:
    account = factories.account("sms", daily_quota=100)
    today = timezone.localdate()

    def ask(take: int, back: int, days: int) -> int:
        day = today - timedelta(days=days)
        wish = Wish(take=take, back=back)
        asked = AskOfDay(account_id=account.pk, quota=100, day=day, wish=wish)
        return pace.lease_of_day([asked])[account.pk].grant.tokens

    assert ask(60, 0, 0) == 60
    assert ask(60, 50, 1) == 40, "yesterday's are gone"
    assert ask(10, 5, 0) == 5
    assert AccountDay.objects.get().used == 100


def given(tokens: int, *, left: int = 50, ends_in: float = 100.0) -> GrantOfDay:
    return GrantOfDay(day=timezone.localdate(), grant=Grant(tokens=tokens, left=left), ends_in=ends_in)


def test_tokens_end_at_midnight() -> None:
    purse = DayPurse(100)
    purse.take(purse.wish(purse.limit), given(2, ends_in=3.0), 0.0)
    assert (purse.held(2.9), purse.held(3.0)) == (2, 0)
    assert purse.until_midnight(2.0) == 1.0


def test_a_quota_that_is_used_up_is_asked_again_when_the_day_begins() -> None:
    purse = DayPurse(100)
    purse.take(purse.wish(purse.limit), given(0, left=0, ends_in=1.0), 0.0)
    assert purse.is_spent
    assert purse.wait(0.0) == 1.0
    purse.take(purse.wish(purse.limit), given(2), 1.0)
    assert not purse.is_spent
