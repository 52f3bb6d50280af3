"""Many messages in one call: all or nothing, or all but what is wrong; in a fixed number of statements."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pushcenter import prepared
from pushcenter.access.models import System
from pushcenter.messaging.intake import MOST_OF_AN_ITEM
from pushcenter.messaging.models import Batch, Delivery, Message
from pushcenter.recipients.models import Address, Recipient, Suppression
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, faults, problem, stored

pytestmark = pytest.mark.django_db

BATCH = f"{MESSAGES}/batch"
LI = {"recipient": "u-1001"}


def item(to: Any = LI, order_no: Any = "SO-1", **fields: Any) -> dict[str, Any]:
    return {"to": to, "params": {"order_no": order_no}, **fields}


def send(caller: Gateway, items: Any, **shared: Any) -> Any:
    return caller.post(BATCH, {"template": "order-paid", "items": items, **shared})


def test_a_batch_is_answered_with_its_id_and_stored_with_its_messages(shop: Gateway) -> None:
    factories.recipient("u-1002")
    items = [
        item(reference="SO-1"),
        item({"recipient": "u-1002"}, "SO-2", reference="SO-2"),
        item({"email": "ann@example.com", "name": "Ann"}, "SO-3"),
    ]
    response = send(shop, items, priority="low", channels=["email"], metadata={"run": 7}, reference="run 7")
    assert response.status_code == 202, response.content
    document = response.json()
    assert document == {"id": document["id"], "accepted": 3, "rejected": []}
    assert response["Location"] == f"/api/v1/batches/{document['id']}"
    batch = Batch.objects.get(pk=document["id"])
    assert (batch.system, batch.accepted, batch.rejected) == (factories.system(), 3, 0)
    assert (batch.reference, batch.is_test, batch.key_id is None) == ("run 7", False, False)
    messages = list(Message.objects.order_by("id"))
    assert [each.reference for each in messages] == ["SO-1", "SO-2", ""]
    assert [each.params["order_no"] for each in messages] == ["SO-1", "SO-2", "SO-3"]
    assert [each.to["name"] for each in messages] == ["Li Wei", "Li Wei", "Ann"]
    shared = {(each.batch_id, each.lane, each.metadata["run"], each.accepted_at) for each in messages}
    assert shared == {(batch.pk, "low", 7, batch.accepted_at)}
    assert {each.request_id for each in messages} == {response["X-Request-Id"]}
    addresses = {each.message_id: (each.batch_id, each.address) for each in Delivery.objects.all()}
    assert [addresses[each.pk] for each in messages] == [
        (batch.pk, "u-1001@example.com"),
        (batch.pk, "u-1002@example.com"),
        (batch.pk, "ann@example.com"),
    ]
    assert stored()["wake-ups"] == 1


def test_a_person_can_be_in_a_batch_more_than_once(shop: Gateway) -> None:
    assert send(shop, [item(order_no="1"), item(order_no="2"), item(order_no="1")]).json()["accepted"] == 3
    assert Message.objects.filter(recipient__external_id="u-1001").count() == 3


def test_a_batch_of_one_is_a_batch(shop: Gateway) -> None:
    assert send(shop, [item()]).json()["accepted"] == 1
    assert Batch.objects.get().messages.count() == 1


def test_a_batch_of_a_test_key_is_a_test(shop: Gateway) -> None:
    tester = Gateway(factories.key(is_test=True)[1])
    assert send(tester, [item({"recipient": "simulated:bounced"})]).status_code == 202
    assert (Batch.objects.get().is_test, Message.objects.get().is_test) == (True, True)
    assert stored()["tallies"] == 0


#: Items with a fault each, and what is said of it.
BAD: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "no object": ("u-1001", [("", "invalid")]),
    "null": (None, [("", "null")]),
    "nothing": ({}, [("/to", "required")]),
    "unknown field": (item(ref="x"), [("/ref", "unknown_field")]),
    "a field of the whole batch": (item(priority="low"), [("/priority", "unknown_field")]),
    "nobody": (item({}), [("/to", "empty")]),
    "unknown recipient": (item({"recipient": "u-1"}), [("/to/recipient", "unknown_recipient")]),
    "a recipient of test keys": (
        item({"recipient": "simulated:bounced"}),
        [("/to/recipient", "unknown_recipient")],
    ),
    "bad address": (item({"email": "ann"}), [("/to/email", "invalid_email")]),
    "no usable address": (item({"phone": "+8613800138000"}), [("/to", "no_usable_address")]),
    "variable missing": ({"to": LI}, [("/params/order_no", "missing_variable")]),
    "variable of another type": (item(order_no=1), [("/params/order_no", "invalid_variable")]),
    "unknown variable": (
        {"to": LI, "params": {"order_no": "1", "x": 1}},
        [("/params/x", "unknown_variable")],
    ),
    "params a list": ({"to": LI, "params": []}, [("/params", "not_a_dict")]),
    "reference too long": (item(reference="x" * 201), [("/reference", "max_length")]),
    "several at once": (
        item({"recipient": "u-1", "email": "ann"}, 1),
        [
            ("/params/order_no", "invalid_variable"),
            ("/to/email", "invalid_email"),
            ("/to/recipient", "unknown_recipient"),
        ],
    ),
}


@pytest.mark.parametrize(("bad", "expected"), BAD.values(), ids=BAD)
def test_one_fault_refuses_all_and_is_named_with_its_item(
    shop: Gateway, bad: Any, expected: list[tuple[str, str]]
) -> None:
    response = send(shop, [item(), bad, item()])
    assert faults(response) == [(f"/items/1{place}", code) for place, code in expected]
    assert (stored(), Batch.objects.count()) == (NOTHING, 0)


def test_with_skip_everything_but_the_faults_is_stored(shop: Gateway) -> None:
    items = [item(reference="first"), *(bad for bad, _ in BAD.values()), item(reference="last")]
    response = send(shop, items, on_error="skip")
    document = response.json()
    assert (response.status_code, document["accepted"]) == (202, 2)
    told = {
        each["index"]: [(fault["pointer"], fault["code"]) for fault in each["errors"]]
        for each in document["rejected"]
    }
    assert told == {place: expected for place, (_, expected) in enumerate(BAD.values(), 1)}
    assert list(told) == sorted(told)
    assert {each.reference for each in Message.objects.all()} == {"first", "last"}
    assert (Batch.objects.get().accepted, Batch.objects.get().rejected) == (2, len(BAD))


def test_with_skip_a_batch_of_faults_alone_is_an_empty_batch(shop: Gateway) -> None:
    document = send(shop, [item({}), "x"], on_error="skip").json()
    assert (document["accepted"], len(document["rejected"])) == (0, 2)
    assert stored() == NOTHING
    assert Batch.objects.get().accepted == 0


def test_what_all_share_refuses_all_even_with_skip(shop: Gateway) -> None:
    assert faults(send(shop, [item()], template="no-such", on_error="skip")) == [
        ("/template", "unknown_template")
    ]
    assert faults(send(shop, [item()], send_at="2020-01-01T00:00:00Z", on_error="skip")) == [
        ("/send_at", "in_the_past")
    ]
    assert faults(send(shop, [item()], channels=["fax"], category="gossip", on_error="skip")) == [
        ("/channels/0", "unknown_channel"),
        ("/category", "unknown_category"),
    ]
    assert (stored(), Batch.objects.count()) == (NOTHING, 0)


def test_thousands_of_faults_get_a_short_answer(shop: Gateway) -> None:
    strange = {f"x{number}": number for number in range(1000)}
    refused = send(shop, [item(**strange)] * 50)
    assert len(faults(refused)) == 100
    skipped = send(shop, [item(**strange)] * 50, on_error="skip").json()
    assert {len(each["errors"]) for each in skipped["rejected"]} == {MOST_OF_AN_ITEM}


def test_an_inline_address_that_is_not_permitted_is_named_with_its_item(shop: Gateway) -> None:
    System.objects.update(may_address_inline=False)
    items = [item(), item({"email": "ann@example.com"}), item({"recipient": "u-1"})]
    assert faults(send(shop, items), 403, "not_permitted") == [
        ("/items/1/to/email", "inline_address_not_permitted"),
        ("/items/2/to/recipient", "unknown_recipient"),
    ]
    assert send(shop, items, on_error="skip").json()["accepted"] == 1


@pytest.mark.parametrize(("largest", "number", "status"), [(3, 3, 202), (3, 4, 422), (10_000, 10_001, 422)])
def test_a_system_has_its_largest_batch(shop: Gateway, largest: int, number: int, status: int) -> None:
    System.objects.update(max_batch=largest)
    response = send(shop, [item()] * number)
    assert response.status_code == status
    if status == 422:
        assert faults(response) == [("/items", "too_many_items")]
        assert f"{number:,} items; your system may send {largest:,}" in response.json()["errors"][0]["detail"]
        assert stored() == NOTHING


def test_a_batch_may_be_larger_than_other_bodies_but_not_without_end(shop: Gateway) -> None:
    assert settings.MAX_BATCH_BYTES == 20_000_000
    body = json.dumps({"template": "order-paid", "items": [item()]}).encode()
    padded = body + b" " * (settings.MAX_BATCH_BYTES - len(body))
    assert shop.raw(BATCH, padded).status_code == 202
    problem(shop.raw(BATCH, padded + b" "), 413, "body_too_large")
    problem(shop.raw(MESSAGES, padded), 413, "body_too_large")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """How many statements there were since the last look, those that Django knows nothing of included."""
    seen: list[str] = []

    def noting(original: Callable[..., Any]) -> Callable[..., Any]:
        def noted(statement: str, *rest: Any) -> Any:
            seen.append(statement)
            return original(statement, *rest)

        return noted

    for name in ("rows", "copy"):
        monkeypatch.setattr(prepared, name, noting(getattr(prepared, name)))
    with CaptureQueriesContext(connection) as queries:

        def count() -> int:
            number = len(seen) + len(queries.captured_queries)
            seen.clear()
            connection.queries_log.clear()
            queries.initial_queries = 0
            return number

        yield count


def people(number: int) -> list[dict[str, Any]]:
    """Messages to so many people, half of them by their ids, with all that can be known of them."""
    rows = Recipient.objects.bulk_create(
        Recipient(external_id=f"p-{index}", name=f"Person {index}") for index in range(0, number, 2)
    )
    Address.objects.bulk_create(
        Address(recipient=row, kind="email", value=f"{row.external_id}@example.com") for row in rows
    )
    Suppression.objects.bulk_create(
        Suppression(kind="email", value=f"{row.external_id}@example.com", reason="manual")
        for row in rows[::10]
    )
    return [
        item(
            {"email": f"inline-{index}@example.com"} if index % 2 else {"recipient": f"p-{index}"}, str(index)
        )
        for index in range(number)
    ]


def test_ten_thousand_messages_take_as_many_statements_as_two(
    shop: Gateway, statements: Callable[[], int]
) -> None:
    many = people(10_000)
    few = many[:2]
    assert send(shop, few).status_code == 202
    statements()
    assert send(shop, few).json()["accepted"] == 2
    for_few = statements()
    response = send(shop, many)
    for_many = statements()
    assert response.json()["accepted"] == 10_000
    assert for_many == for_few <= 20
    batch = Batch.objects.get(pk=UUID(response.json()["id"]))
    assert (batch.accepted, batch.messages.count(), batch.deliveries.count()) == (10_000, 10_000, 20_000)
    assert batch.deliveries.filter(channel="email", state="skipped").count() == 500
