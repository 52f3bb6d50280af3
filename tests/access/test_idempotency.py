"""A call with an Idempotency-Key happens once, and its answer is the same whenever it is asked for again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import Schedule

from pushcenter.access.models import System
from pushcenter.messaging import idempotency
from pushcenter.messaging.models import Batch, IdempotentCall, Message
from templates_app.models import TemplateVersion
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, order, problem, stored
from tests.threads import PATIENCE, at_once

pytestmark = pytest.mark.django_db

BATCH, INBOX = f"{MESSAGES}/batch", "/api/v1/recipients/u-1001/inbox/read"


def many(*numbers: str, **shared: Any) -> dict[str, Any]:
    """The body of a batch: an order for each number."""
    items = [{"to": {"recipient": "u-1001"}, "params": {"order_no": number}} for number in numbers]
    return {"template": "order-paid", "items": items, **shared}


#: Every call that brings something: its address, and two bodies of it.
CALLS: dict[str, tuple[str, Any, Any]] = {
    "message": (MESSAGES, order(), order(reference="another")),
    "batch": (BATCH, many("1", "2"), many("1", "3")),
    "batch with something left out": (BATCH, many("1", 2, on_error="skip"), many("1")),  # type: ignore[arg-type]
    "inbox": (INBOX, {}, {"ids": []}),
}


def again(caller: Gateway, path: str, body: Any, key: str = "k-1") -> Any:
    return caller.post(path, body, **{"Idempotency-Key": key})


@pytest.mark.parametrize(("path", "body", "_other"), CALLS.values(), ids=CALLS)
def test_the_same_call_gets_the_same_answer_and_does_nothing(
    shop: Gateway, path: str, body: Any, _other: Any
) -> None:
    first = again(shop, path, body)
    before = stored()
    assert first.status_code in {200, 202}
    assert "Idempotent-Replayed" not in first
    for _ in range(2):
        second = again(shop, path, body)
        assert second.content == first.content
        assert second["Idempotent-Replayed"] == "true"
        for name in ("Location", "Content-Type"):
            assert second.headers.get(name) == first.headers.get(name)
        assert second.status_code == first.status_code
    assert stored() == before
    assert IdempotentCall.objects.count() == 1


@pytest.mark.parametrize(("path", "body", "other"), CALLS.values(), ids=CALLS)
def test_a_key_belongs_to_one_call(shop: Gateway, path: str, body: Any, other: Any) -> None:
    first = again(shop, path, body)
    before = stored()
    problem(again(shop, path, other), 409, "idempotency_key_reused")
    elsewhere = MESSAGES if path != MESSAGES else BATCH
    problem(
        again(shop, elsewhere, order() if elsewhere == MESSAGES else many("1")), 409, "idempotency_key_reused"
    )
    assert stored() == before
    assert again(shop, path, body).content == first.content


def test_the_same_words_in_another_order_are_another_body(shop: Gateway) -> None:
    again(shop, MESSAGES, order())
    problem(again(shop, MESSAGES, dict(reversed(order().items()))), 409, "idempotency_key_reused")


def test_without_a_key_each_call_is_one_of_its_own(shop: Gateway) -> None:
    assert shop.send().json()["id"] != shop.send().json()["id"]
    assert IdempotentCall.objects.count() == 0


def test_other_keys_are_other_calls(shop: Gateway) -> None:
    assert len({again(shop, MESSAGES, order(), key).json()["id"] for key in ("a", "A", "a b")}) == 3


def test_systems_and_the_two_kinds_of_keys_do_not_know_of_each_other(shop: Gateway) -> None:
    callers = {
        "live": shop,
        "test": Gateway(factories.key(is_test=True)[1]),
        "another system": Gateway(factories.key(factories.system("erp"))[1]),
    }
    ids = {name: again(caller, MESSAGES, order()).json()["id"] for name, caller in callers.items()}
    assert len(set(ids.values())) == 3
    for name, caller in callers.items():
        assert again(caller, MESSAGES, order()).json()["id"] == ids[name]


def test_all_live_keys_of_a_system_share_what_was_done(shop: Gateway) -> None:
    successor = Gateway(factories.key()[1])
    assert again(successor, MESSAGES, order()).content == again(shop, MESSAGES, order()).content


REFUSED: dict[str, tuple[str, Any, int]] = {
    "message with a fault": (MESSAGES, order(template="no-such"), 422),
    "message to nobody": (MESSAGES, order(to={"recipient": "nobody"}), 422),
    "message in no JSON": (MESSAGES, float("nan"), 400),
    "batch with a fault": (BATCH, many("1", 2), 422),  # type: ignore[arg-type]
    "batch without items": (BATCH, many(), 422),
    "inbox": (INBOX, {"ids": ["x"]}, 422),
    "inbox of nobody": (INBOX.replace("u-1001", "nobody"), {}, 404),
}


@pytest.mark.parametrize(("path", "body", "status"), REFUSED.values(), ids=REFUSED)
def test_a_refused_call_leaves_its_key_free(shop: Gateway, path: str, body: Any, status: int) -> None:
    assert again(shop, path, body).status_code == status
    assert again(shop, path, body).status_code == status
    assert (stored(), IdempotentCall.objects.count()) == (NOTHING, 0)
    assert again(shop, MESSAGES, order()).status_code == 202


def test_what_was_accepted_stays_so_whatever_has_changed_since(shop: Gateway) -> None:
    system = factories.system(max_batch=2)
    calls = [
        (MESSAGES, order(send_at=(timezone.now() + timedelta(seconds=1)).isoformat(), priority="critical")),
        (MESSAGES, order(to={"email": "ann@example.com"})),
        (BATCH, many("1", "2", priority="high")),
    ]
    first = [again(shop, path, body, f"k-{place}") for place, (path, body) in enumerate(calls)]
    assert [each.status_code for each in first] == [202, 202, 202]
    before = stored()
    System.objects.filter(pk=system.pk).update(
        highest_priority="low", may_address_inline=False, max_batch=1, daily_quota=0
    )
    TemplateVersion.objects.update(state="archived")
    for place, (path, body) in enumerate(calls):
        assert again(shop, path, body, "new").status_code in {403, 422}
        assert again(shop, path, body, f"k-{place}").content == first[place].content
    assert stored() == before


BAD_KEYS = {
    "empty": "",
    "blanks": "   ",
    "a blank at its end": "k-1 ",
    "too long": "k" * 256,
    "a tab": "k\t1",
    "not ASCII": "ключ",
    "Latin-1": "clé",
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
@pytest.mark.parametrize("path", [MESSAGES, BATCH, INBOX])
def test_what_cannot_be_a_key_is_refused(shop: Gateway, path: str, key: str) -> None:
    body = {MESSAGES: order(), BATCH: many("1"), INBOX: {}}[path]
    problem(again(shop, path, body, key), 400, "invalid_header")
    assert stored() == NOTHING


@pytest.mark.parametrize(
    "key", ["k", "k" * 255, '"8e03978e-40d5-43e8-bc93-6894a57f9324"', "a b, c; d=\\e{}'"]
)
def test_a_key_may_be_any_printable_text(shop: Gateway, key: str) -> None:
    first = again(shop, MESSAGES, order(), key)
    assert again(shop, MESSAGES, order(), key).content == first.content
    assert IdempotentCall.objects.get().key == key


def test_an_answer_is_kept_for_a_week_and_its_key_is_free_after_that(shop: Gateway) -> None:
    first = again(shop, MESSAGES, order())
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(days=6, hours=23))
    assert idempotency.forget() == 0
    assert again(shop, MESSAGES, order()).content == first.content
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(days=7, seconds=1))
    assert idempotency.forget() == 1
    assert again(shop, MESSAGES, order()).json()["id"] != first.json()["id"]
    assert Message.objects.count() == 2


def test_one_run_forgets_no_more_than_it_may(shop: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        again(shop, MESSAGES, order(), str(number))
    IdempotentCall.objects.update(created_at=timezone.now() - timedelta(days=8))
    monkeypatch.setattr(idempotency, "GROUP", 2)
    monkeypatch.setattr(idempotency, "GROUPS", 2)
    assert [idempotency.forget() for _ in range(3)] == [4, 3, 0]


def test_the_worker_is_asked_to_forget_every_minute() -> None:
    found = Schedule.objects.get(func="pushcenter.messaging.idempotency.forget")
    assert (found.schedule_type, found.minutes, found.repeats) == (Schedule.MINUTES, 1, -1)


@pytest.mark.parametrize(("path", "body", "_other"), CALLS.values(), ids=CALLS)
@pytest.mark.django_db(transaction=True)
def test_a_twin_that_is_in_work_is_told_to_come_again(
    shop: Gateway, path: str, body: Any, _other: Any
) -> None:
    has_begun, go_on = threading.Event(), threading.Event()

    def first() -> bytes:
        try:
            with transaction.atomic():
                answer = again(shop, path, body)
                has_begun.set()
                assert go_on.wait(PATIENCE)
            return bytes(answer.content)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(first)
        assert has_begun.wait(PATIENCE)
        twin = again(Gateway(factories.key()[1]), path, body)
        problem(twin, 409, "call_in_progress")
        assert twin["Retry-After"] == "1"
        assert again(shop, MESSAGES, order(), "another").status_code == 202
        go_on.set()
        answer = working.result(PATIENCE)
    assert again(shop, path, body).content == answer


@pytest.mark.django_db(transaction=True)
def test_a_call_that_came_to_nothing_leaves_its_key_free(shop: Gateway) -> None:
    with transaction.atomic():
        again(shop, MESSAGES, order())
        transaction.set_rollback(True)
    assert stored() == NOTHING
    assert again(shop, MESSAGES, order()).status_code == 202


@pytest.mark.parametrize(
    ("path", "body"), [(MESSAGES, order()), (BATCH, many("1", "2"))], ids=["message", "batch"]
)
@pytest.mark.django_db(transaction=True)
def test_twins_that_come_together_are_one(shop: Gateway, path: str, body: Any) -> None:
    """Each keeps asking, as a client would, until it has an answer."""
    secret = factories.key()[1]

    def asking() -> list[Any]:
        caller = Gateway(secret)
        answers: list[Any] = []
        while not answers or answers[-1].status_code == 409:
            answers.append(again(caller, path, body))
        return answers

    found = at_once([asking] * 8)
    assert {(each[-1].status_code, each[-1].content) for each in found} == {(202, found[0][-1].content)}
    for twin in (answer for each in found for answer in each[:-1]):
        problem(twin, 409, "call_in_progress")
    assert sum("Idempotent-Replayed" not in each[-1] for each in found) == 1
    is_batch = path == BATCH
    assert (Message.objects.count(), Batch.objects.count()) == ((2, 1) if is_batch else (1, 0))
