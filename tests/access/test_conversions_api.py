"""Conversions: reported by the system that sent the message, counted once."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from pushcenter.messaging import dispatch, interactions
from pushcenter.messaging.models import Delivery, Interaction
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
CONVERSIONS = "/api/v1/conversions"


def sent(caller: Gateway, **changes: Any) -> str:
    """A message that has been sent on its channels."""
    response = caller.send(**changes)
    assert response.status_code == 202, response.content
    dispatch.run("normal")
    return str(response.json()["id"])


def test_a_conversion_is_recorded_on_the_delivery_and_counted(shop: Gateway) -> None:
    message = sent(shop, channels=["email"])
    body = {"message": message, "event": "purchase", "value": 249.5, "currency": "CNY", "event_id": "p-1"}
    response = shop.post(CONVERSIONS, body)
    delivery = Delivery.objects.get()
    interaction = Interaction.objects.get(kind="converted")
    assert response.status_code == 202
    assert response.json() == {
        "id": str(interaction.pk),
        "message": message,
        "delivery": str(delivery.pk),
        "channel": "email",
        "at": interaction.at.isoformat().replace("+00:00", "Z"),
    }
    assert delivery.converted_at == interaction.at
    assert interaction.data == {
        "event": "purchase", "value": "249.5", "currency": "CNY", "event_id": "p-1",
    }  # fmt: skip
    assert factories.figures()["email", "converted"] == 1


def test_it_stands_in_the_trace(shop: Gateway) -> None:
    message = sent(shop)
    shop.post(CONVERSIONS, {"message": message, "event": "purchase", "value": "9.00", "currency": "EUR"})
    line = next(
        each
        for each in shop.get(f"/api/v1/messages/{message}/trace").json()["entries"]
        if each["title"] == "Converted"
    )
    assert line["detail"] == "purchase, 9.00 EUR, reported by system"
    assert line["data"] == {"kind": "converted", "event": "purchase", "value": "9.00", "currency": "EUR"}


def test_what_is_reported_twice_counts_once(shop: Gateway) -> None:
    message = sent(shop, channels=["email"])
    first = shop.post(CONVERSIONS, {"message": message, "event_id": "p-1"})
    again = shop.post(CONVERSIONS, {"message": message, "event_id": "p-1", "event": "other"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    assert shop.post(CONVERSIONS, {"message": message, "event_id": "p-2"}).status_code == 202
    assert shop.post(CONVERSIONS, {"message": message}).status_code == 202
    assert Interaction.objects.filter(kind="converted").count() == 3
    assert factories.figures()["email", "converted"] == 1


def test_systems_and_kinds_of_keys_have_event_ids_of_their_own(shop: Gateway) -> None:
    callers = [
        shop,
        Gateway(factories.key(is_test=True)[1]),
        Gateway(factories.key(factories.system("erp"))[1]),
    ]
    for caller in callers:
        body = {"message": sent(caller), "event_id": "p-1"}
        assert caller.post(CONVERSIONS, body).status_code == 202
    assert Interaction.objects.filter(kind="converted").count() == 3


def test_a_message_is_named_by_recipient_and_reference_the_newest_one(shop: Gateway) -> None:
    factories.recipient("u-1002")
    sent(shop, reference="SO-1")
    newest = sent(shop, reference="SO-1")
    sent(shop, reference="SO-2")
    sent(shop, reference="SO-1", to={"recipient": "u-1002"})
    body = {"recipient": "u-1001", "reference": "SO-1"}
    assert shop.post(CONVERSIONS, body).json()["message"] == newest


def test_a_magic_recipient_converts_too(shop: Gateway) -> None:
    tester = Gateway(factories.key(is_test=True)[1])
    message = sent(tester, reference="T-1", to={"recipient": "simulated:delivered"})
    body = {"recipient": "simulated:delivered", "reference": "T-1"}
    assert tester.post(CONVERSIONS, body).json()["message"] == message
    problem(shop.post(CONVERSIONS, body), 404, "not_found")


STEPS: list[tuple[list[tuple[str, str]], str]] = [
    ([("email", "opened")], "email"),
    ([("inbox", "clicked"), ("email", "opened")], "inbox"),
    ([("email", "clicked"), ("inbox", "clicked")], "inbox"),
    ([("inbox", "clicked"), ("email", "clicked")], "email"),
]


@pytest.mark.parametrize(("done", "channel"), STEPS)
def test_the_delivery_that_came_furthest_has_it(
    shop: Gateway, done: list[tuple[str, str]], channel: str
) -> None:
    message = sent(shop)
    now = timezone.now()
    for step, (where, kind) in enumerate(done):
        delivery = Delivery.objects.get(channel=where)
        interactions.record(delivery, kind, at=now + timedelta(seconds=step))
    assert shop.post(CONVERSIONS, {"message": message}).json()["channel"] == channel
    assert shop.post(CONVERSIONS, {"message": message, "channel": "inbox"}).json()["channel"] == "inbox"


def test_what_was_not_sent_converts_nobody(shop: Gateway) -> None:
    waiting = shop.send(channels=["email"]).json()["id"]
    assert faults(shop.post(CONVERSIONS, {"message": waiting})) == [("", "not_sent")]
    dispatch.run("normal")
    for channel in ("sms", "inbox", "fax"):
        body = {"message": waiting, "channel": channel}
        assert faults(shop.post(CONVERSIONS, body)) == [("/channel", "not_sent")]
    assert not Interaction.objects.filter(kind="converted").exists()


def test_the_messages_of_others_are_not_found(shop: Gateway) -> None:
    live = sent(shop, reference="SO-1")
    tester = Gateway(factories.key(is_test=True)[1])
    test = sent(tester, reference="T-1")
    stranger = Gateway(factories.key(factories.system("erp"))[1])
    named = {"recipient": "u-1001", "reference": "SO-1"}
    hidden: list[tuple[Gateway, dict[str, str]]] = [
        (stranger, {"message": live}),
        (stranger, named),
        (tester, {"message": live}),
        (tester, named),
        (shop, {"message": test}),
        (shop, {"recipient": "u-1001", "reference": "T-1"}),
        (shop, {"message": str(uuid4())}),
        (shop, {"recipient": "u-1", "reference": "SO-1"}),
        (shop, {"recipient": "' OR 1=1 --", "reference": "{{ 7 }}"}),
    ]
    for caller, body in hidden:
        problem(caller.post(CONVERSIONS, body), 404, "not_found")
    assert tester.post(CONVERSIONS, {"message": test}).status_code == 202
    assert ("email", "converted") not in factories.figures()


def moment(**by: float) -> str:
    return (timezone.now() + timedelta(**by)).isoformat()


ID = {"message": "00000000-0000-7000-8000-000000000000"}
BAD: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "nothing": ({}, [("/message", "required")]),
    "a list": ([], [("", "invalid")]),
    "recipient alone": ({"recipient": "u-1001"}, [("/message", "required")]),
    "reference alone": ({"reference": "SO-1"}, [("/message", "required")]),
    "both": ({**ID, "recipient": "u", "reference": "x"}, [("/message", "ambiguous")]),
    "message no id": ({"message": "SO-1"}, [("/message", "invalid")]),
    "message a number": ({"message": 1.5}, [("/message", "invalid")]),
    "unknown field": ({**ID, "amount": 1}, [("/amount", "unknown_field")]),
    "value negative": ({**ID, "value": -1}, [("/value", "min_value")]),
    "value a word": ({**ID, "value": "much"}, [("/value", "invalid")]),
    "value true": ({**ID, "value": True}, [("/value", "invalid")]),
    "value a list": ({**ID, "value": [1]}, [("/value", "invalid")]),
    "value NaN": ({**ID, "value": "NaN"}, [("/value", "invalid")]),
    "value huge": ({**ID, "value": 1e300}, [("/value", "max_digits")]),
    "value too exact": ({**ID, "value": "1.23456"}, [("/value", "max_decimal_places")]),
    "currency alone": ({**ID, "currency": "EUR"}, [("/value", "required")]),
    "currency a word": ({**ID, "value": 1, "currency": "euro"}, [("/currency", "invalid")]),
    "at without zone": ({**ID, "at": "2026-01-31T09:00:00"}, [("/at", "missing_time_zone")]),
    "event too long": ({**ID, "event": "x" * 81}, [("/event", "max_length")]),
    "event id too long": ({**ID, "event_id": "x" * 201}, [("/event_id", "max_length")]),
    "event id empty": ({**ID, "event_id": ""}, [("/event_id", "blank")]),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=BAD)
def test_a_bad_report_is_refused(shop: Gateway, body: Any, expected: list[tuple[str, str]]) -> None:
    assert faults(shop.post(CONVERSIONS, body)) == expected


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (moment(hours=1), "in_the_future"),
        (moment(days=-1), "too_early"),
        ("0001-01-01T00:00:00+14:00", "too_early"),
    ],
    ids=["in an hour", "yesterday", "long ago"],
)
def test_it_was_after_the_message_and_not_after_today(shop: Gateway, at: str, code: str) -> None:
    message = sent(shop)
    assert faults(shop.post(CONVERSIONS, {"message": message, "at": at})) == [("/at", code)]
    assert shop.post(CONVERSIONS, {"message": message, "at": moment()}).status_code == 202
