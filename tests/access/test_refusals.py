"""What is refused is counted, in groups, and can be told apart; the key is not kept."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule

from pushcenter.access import keys, refusals
from pushcenter.access.models import Refusal
from pushcenter.ids import uuid7
from tests import factories
from tests.access.gateway import MESSAGES, Gateway, order

pytestmark = pytest.mark.django_db
SOMEBODYS = keys.generate(test=False)


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without what the tests before have left in this process, and within one minute."""
    monkeypatch.setattr(refusals, "_seen", {})
    monkeypatch.setattr(refusals, "_known", set())
    now = timezone.now().replace(second=5, microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: now)
    return iter([None])


def written() -> list[Any]:
    refusals.write()
    return [*Refusal.objects.order_by("status", "code").values()]


def row(**expected: Any) -> dict[str, Any]:
    (found,) = written()
    return {name: found[name] for name in expected}


def test_refusals_that_are_alike_are_one_row(shop: Gateway) -> None:
    key = factories.key()[0]
    for _ in range(3):
        last = shop.send(template="no-such-template")
    assert written() != []
    last = shop.send(template="no-such-template")
    expected = {
        "system_id": key.system_id,
        "status": 422,
        "code": "invalid_request",
        "call": "POST /messages",
        "count": 4,
        "request_id": last["X-Request-Id"],
        "address": "127.0.0.1",
    }
    assert row(**expected) == expected


REASONS: dict[str, tuple[str, int, str]] = {
    "no key": ("", 401, "missing_key"),
    "malformed": ("Bearer pc_live_nonsense", 401, "invalid_key"),
    "a password": ("Basic c2VjcmV0OnBhc3N3b3Jk", 401, "invalid_key"),
    "unknown": (f"Bearer {SOMEBODYS}", 401, "invalid_key"),
}


@pytest.mark.parametrize(("header", "status", "code"), REASONS.values(), ids=REASONS)
def test_of_an_unknown_key_no_more_than_its_prefix_is_kept(header: str, status: int, code: str) -> None:
    Gateway().post(MESSAGES, order(), **({"Authorization": header} if header else {}))
    (found,) = written()
    assert (found["status"], found["code"], found["system_id"]) == (status, code, None)
    assert found["prefix"] == (keys.visible_prefix(SOMEBODYS) if SOMEBODYS in header else "")
    assert SOMEBODYS[14:] not in str(found)


def test_a_revoked_key_still_says_whose_it_was() -> None:
    key, secret = factories.key()
    type(key).objects.filter(pk=key.pk).revoke()
    Gateway(secret).send()
    assert row(system_id=1, prefix=1, code=1) == {
        "system_id": key.system_id,
        "prefix": key.prefix,
        "code": "invalid_key",
    }


def test_each_reason_call_and_key_has_its_row(shop: Gateway) -> None:
    reader = Gateway(factories.key(scopes=["read"])[1])
    reader.send()
    shop.get(f"{MESSAGES}/{uuid7()}/trace")
    shop.get("/api/v1/nothing")
    shop.client.generic("NONSENSE", MESSAGES)
    shop.raw(MESSAGES, b"{")
    assert {(each["status"], each["code"], each["call"]) for each in written()} == {
        (403, "missing_scope", "POST /messages"),
        (404, "not_found", "GET /messages/{message_id}/trace"),
        (404, "not_found", ""),
        (405, "method_not_allowed", "OTHER /messages"),
        (400, "invalid_json", "POST /messages"),
    }


def test_what_was_let_in_is_not_counted(shop: Gateway) -> None:
    assert shop.send().status_code == 202
    assert shop.get("/admin/nothing").status_code in {302, 404}
    assert written() == []


def test_a_flood_costs_no_statement_each() -> None:
    caller = Gateway()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            caller.send()
        refusals.write()
    assert len(queries) == 1
    assert row(count=1) == {"count": 100}


def test_a_flood_of_made_up_keys_takes_little_room(shop: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_STRANGERS", 5)
    for _ in range(2):
        for _ in range(10):
            Gateway(keys.generate(test=False)).send()
        refusals.write()
    shop.raw(MESSAGES, b"{")
    found = written()
    assert [each["count"] for each in found if each["code"] == "invalid_key" and each["prefix"]] == [1] * 5
    assert [each["count"] for each in found if each["code"] == "invalid_key" and not each["prefix"]] == [15]
    assert [each["call"] for each in found if each["code"] == "invalid_json"] == ["POST /messages"]


def test_each_minute_has_room_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_STRANGERS", 1)
    start = timezone.now()
    for minute in (0, 0, 1, 1):
        monkeypatch.setattr(timezone, "now", lambda at=minute: start + timedelta(minutes=at))
        Gateway(keys.generate(test=False)).send()
    assert [bool(each["prefix"]) for each in written()].count(True) == 2


def test_what_cannot_be_written_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    Gateway().send()
    with monkeypatch.context() as patch:
        patch.setattr(refusals, "STATEMENT", "SELECT 1 / 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s")
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT before")
            assert refusals.write() == 0
            cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert refusals.write() == 0


def test_old_rows_are_forgotten() -> None:
    Gateway().send()
    (kept,) = written()
    for days in (29, 31, 400):
        Refusal.objects.create(**kept | {"id": uuid7(), "minute": timezone.now() - timedelta(days=days)})
    assert refusals.forget() == 2
    assert Refusal.objects.count() == 2


def test_forgetting_is_scheduled() -> None:
    assert Schedule.objects.get(name="refusals").func == "pushcenter.access.refusals.forget"
