"""Who gets in: 401 for a key that opens nothing, 403 for one that may not be used here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from pushcenter.access import keys
from pushcenter.access.models import ApiKey
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, order, problem, stored

pytestmark = pytest.mark.django_db
SOMEBODYS = keys.generate(test=False)

HEADERS = {
    "another scheme": f"Basic {SOMEBODYS}",
    "no scheme": SOMEBODYS,
    "no key": "Bearer",
    "blank key": "Bearer  ",
    "malformed": "Bearer pc_live_nonsense",
    "unknown": f"Bearer {SOMEBODYS}",
    "two keys": f"Bearer {SOMEBODYS} {SOMEBODYS}",
    "not ASCII": "Bearer pc_live_ключ",
    "SQL": "Bearer ' OR 1=1 --",
    "very long": "Bearer " + "a" * 7_900,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_key_that_opens_nothing_is_refused(header: str) -> None:
    response = Gateway().post(MESSAGES, order(), Authorization=header)
    problem(response, 401, "invalid_key")
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["X-Request-Id"]


def test_a_call_without_a_key_is_told_how_to_send_one() -> None:
    response = Gateway().send()
    assert "Authorization: Bearer" in problem(response, 401, "missing_key")["detail"]
    assert response["WWW-Authenticate"].startswith("Bearer")


def revoke(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).revoke()


def expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


def deactivate(key: ApiKey) -> None:
    key.system.is_active = False
    key.system.save()


def delete(key: ApiKey) -> None:
    key.delete()


@pytest.mark.parametrize("end", [revoke, expire, deactivate, delete])
def test_a_key_that_ended_is_refused_from_the_next_call_on(
    shop: Gateway, end: Callable[[ApiKey], None]
) -> None:
    assert shop.send().status_code == 202
    before = stored()
    end(ApiKey.objects.get())
    answer = problem(shop.send(), 401, "invalid_key")
    unknown = problem(Gateway(SOMEBODYS).send(), 401, "invalid_key")
    assert answer == unknown, "the answer tells a key that was from one that never was"
    assert stored() == before


def test_the_scheme_may_be_written_in_any_case(shop: Gateway) -> None:
    secret = factories.key()[1]
    assert Gateway().post(MESSAGES, order(), Authorization=f"bearer {secret}").status_code == 202


NETWORKS: dict[str, tuple[list[str], str, bool]] = {
    "any": ([], "203.0.113.9", True),
    "inside": (["10.0.0.0/8"], "10.1.2.3", True),
    "outside": (["10.0.0.0/8"], "11.1.2.3", False),
    "one of two": (["10.0.0.0/8", "192.0.2.7"], "192.0.2.7", True),
    "version 6": (["2001:db8::/32"], "2001:db8::1", True),
    "version 4 inside 6": (["10.0.0.0/8"], "::ffff:10.1.2.3", True),
    "another version": (["10.0.0.0/8"], "::1", False),
    "no address": (["10.0.0.0/8"], "", False),
    "a socket file and no limit": ([], "", True),
}


@pytest.mark.parametrize(("networks", "address", "is_in"), NETWORKS.values(), ids=NETWORKS)
def test_a_key_opens_from_its_networks_alone(
    shop: Gateway, networks: list[str], address: str, *, is_in: bool
) -> None:
    caller = Gateway(factories.key(allowed_networks=networks)[1])
    caller.client.defaults["REMOTE_ADDR"] = address
    response = caller.send()
    if is_in:
        assert response.status_code == 202
    else:
        problem(response, 403, "address_not_permitted")
        assert stored() == NOTHING


def test_the_last_use_is_written_once_a_minute(shop: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    start = timezone.now()
    assert last_use(shop, start, monkeypatch) == start
    assert last_use(shop, start + timedelta(seconds=59), monkeypatch) == start
    later = start + timedelta(seconds=61)
    assert last_use(shop, later, monkeypatch) == later


def last_use(caller: Gateway, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert caller.send().status_code == 202
    return ApiKey.objects.get().last_used_at


def test_a_refused_key_has_not_been_used(shop: Gateway) -> None:
    row, secret = factories.key(expires_at=timezone.now())
    problem(Gateway(secret).send(), 401, "invalid_key")
    row.refresh_from_db()
    assert row.last_used_at is None
