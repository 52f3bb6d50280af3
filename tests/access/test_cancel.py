"""Cancelling a message: what waits ends, what is kept back never starts, and the answer says what was too late."""

from typing import Any

import pytest

from pushcenter.messaging import dispatch, outcomes
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from tests import claiming, factories
from tests.access.gateway import Gateway

pytestmark = pytest.mark.django_db


def cancel(caller: Gateway, place: str, **headers: str) -> Any:
    answer = caller.raw(f"{place}/cancel", b"", **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def claim() -> Claimed:
    [claimed] = claiming.claim(limit=1)
    return claimed


def test_what_waits_is_cancelled(shop: Gateway) -> None:
    place = shop.send(send_at=factories.in_an_hour().isoformat())["Location"]
    answer = cancel(shop, place)
    assert {(each["channel"], each["state"]) for each in answer["cancelled"]} == {
        ("inbox", "cancelled"),
        ("email", "cancelled"),
    }
    assert (answer["status"], answer["too_late"], answer["kept_back"]) == ("cancelled", [], [])
    document = shop.get(place).json()
    assert document["status"] == "cancelled"
    assert {each["code"] for each in document["deliveries"]} == {"cancelled"}
    assert dispatch.run("normal") == 0
    assert factories.figures()["email", "cancelled"] == 1


def test_what_was_sent_is_too_late(shop: Gateway) -> None:
    place = shop.send()["Location"]
    dispatch.run("normal")
    answer = cancel(shop, place)
    assert {(each["channel"], each["state"]) for each in answer["too_late"]} == {
        ("inbox", "delivered"),
        ("email", "delivered"),
    }
    assert (answer["status"], answer["cancelled"]) == ("delivered", [])


def test_some_may_be_in_time_and_some_not(shop: Gateway) -> None:
    place = shop.send()["Location"]
    Delivery.objects.filter(channel="email").update(due_at=factories.in_an_hour())
    dispatch.run("normal")
    answer = cancel(shop, place)
    assert [each["channel"] for each in answer["cancelled"]] == ["email"]
    assert [each["channel"] for each in answer["too_late"]] == ["inbox"]
    [line] = [each for each in timeline(Message.objects.get()) if each.kind == "message_cancelled"]
    assert line.detail.startswith("by pc_live_")
    assert {"cancelled email", "too late inbox (delivered)"} <= set(line.detail.split(", "))


def test_the_next_channel_does_not_start(shop: Gateway) -> None:
    factories.template("two", ["email", "inbox"], route_mode="first")
    place = shop.send(template="two")["Location"]
    claimed = claim()
    answer = cancel(shop, place)
    assert ([each["state"] for each in answer["too_late"]], answer["kept_back"]) == (["sending"], ["inbox"])
    refused = claiming.ended(claimed, state=State.FAILED, outcome="refused", due_at=None, fall_back=True)
    outcomes.record([refused])
    assert [each.channel for each in Delivery.objects.all()] == ["email"]


def test_an_attempt_that_is_under_way_is_not_repeated(shop: Gateway) -> None:
    place = shop.send(channels=["email"])["Location"]
    claimed = claim()
    cancel(shop, place)
    outcomes.record([claiming.ended(claimed)])
    row = claiming.row(claimed)
    assert (row.state, row.attempts) == (State.CANCELLED, 1)
    assert factories.figures()["email", "cancelled"] == 1


def test_an_attempt_that_is_under_way_may_still_succeed(shop: Gateway) -> None:
    place = shop.send(channels=["email"])["Location"]
    claimed = claim()
    cancel(shop, place)
    outcomes.record([claiming.ended(claimed, state=State.SENT, outcome="sent", due_at=None)])
    assert shop.get(place).json()["status"] == "sent"


def test_what_may_have_been_sent_ends_in_doubt_and_not_as_cancelled(shop: Gateway) -> None:
    place = shop.send(channels=["email"])["Location"]
    Delivery.objects.update(due_at=factories.in_an_hour(), attempts=1, maybe_sent=True)
    answer = cancel(shop, place)
    assert ([each["state"] for each in answer["too_late"]], answer["cancelled"]) == (["in_doubt"], [])
    document = shop.get(place).json()
    assert (document["status"], document["deliveries"][0]["code"]) == ("in_doubt", "cancelled")
    assert document["deliveries"][0]["reason"].endswith("the provider may have it")
    entries = timeline(Message.objects.get())
    assert [each.title for each in entries if each.kind == "in_doubt"] == ["Held: in doubt"]
    [line] = [each for each in entries if each.kind == "message_cancelled"]
    assert "too late email (in_doubt)" in line.detail
    assert factories.figures() == {("email", "accepted"): 1, ("email", "in_doubt"): 1}


def test_an_attempt_under_way_without_a_known_end_leaves_doubt(shop: Gateway) -> None:
    place = shop.send(channels=["email"])["Location"]
    claimed = claim()
    cancel(shop, place)
    outcomes.record([claiming.ended(claimed, maybe_sent=True)])
    row = claiming.row(claimed)
    assert (row.state, row.code, row.lease_until) == (State.IN_DOUBT, "cancelled", None)
    assert factories.figures() == {("email", "accepted"): 1, ("email", "in_doubt"): 1}


def test_cancelling_twice_changes_nothing(shop: Gateway) -> None:
    place = shop.send()["Location"]
    cancel(shop, place)
    again = cancel(shop, place)
    assert (again["cancelled"], again["too_late"], again["status"]) == ([], [], "cancelled")
    assert Message.objects.get().events.count() == 1


def test_with_a_key_the_first_answer_comes_again(shop: Gateway) -> None:
    place = shop.send()["Location"]
    first = cancel(shop, place, **{"Idempotency-Key": "c-1"})
    assert cancel(shop, place, **{"Idempotency-Key": "c-1"}) == first


def test_a_skipped_channel_is_neither_cancelled_nor_too_late(shop: Gateway) -> None:
    place = shop.send(to={"email": "ann@example.com"})["Location"]
    answer = cancel(shop, place)
    assert ([each["channel"] for each in answer["cancelled"]], answer["too_late"]) == (["email"], [])
