"""A message that is accepted: the answer, and what is stored when it is given."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from pushcenter.access.models import System
from pushcenter.ids import made_at
from pushcenter.lanes import Lane
from pushcenter.messaging.models import Delivery, Message
from pushcenter.recipients.models import Recipient
from templates_app.models import Template
from tests import factories
from tests.access.gateway import MESSAGES, Gateway, order, stored

pytestmark = pytest.mark.django_db


def soon(**ahead: float) -> datetime:
    return (timezone.now() + timedelta(**ahead)).replace(microsecond=0)


def accepted(response: Any) -> Message:
    assert response.status_code == 202, response.content
    return Message.objects.get(pk=response.json()["id"])


def test_the_answer_names_the_message_and_where_to_follow_it(shop: Gateway) -> None:
    response = shop.send(reference="SO-1")
    document = response.json()
    assert response["Content-Type"] == "application/json"
    assert set(document) == {"id", "status", "test", "accepted_at", "expires_at", "reference"}
    assert (document["status"], document["test"], document["reference"]) == ("pending", False, "SO-1")
    assert datetime.fromisoformat(document["expires_at"]) > datetime.fromisoformat(document["accepted_at"])
    assert UUID(document["id"]).version == 7
    assert abs(made_at(UUID(document["id"])) - datetime.now(UTC)) < timedelta(minutes=1)
    assert response["Location"] == f"{MESSAGES}/{document['id']}"
    assert shop.get(response["Location"]).json()["id"] == document["id"]


def test_everything_is_stored_together(shop: Gateway) -> None:
    shop.send()
    assert stored() == {"messages": 1, "deliveries": 2, "events": 0, "tallies": 2, "wake-ups": 1}
    shop.send()
    assert stored() == {"messages": 2, "deliveries": 4, "events": 0, "tallies": 4, "wake-ups": 1}


def test_what_is_left_out_has_its_default(shop: Gateway) -> None:
    before = timezone.now()
    message = accepted(shop.send())
    assert message.lane == Lane.NORMAL
    assert message.category == "orders"
    assert message.send_at is None
    assert message.params == {"order_no": "SO-1", "amount": "0"}
    assert (message.metadata, message.reference, message.is_test) == ({}, "", False)
    lifetime = timedelta(seconds=settings.DEFAULT_TIME_TO_LIVE)
    assert message.expires_at - message.accepted_at == lifetime
    assert before <= message.accepted_at <= timezone.now()
    assert {each.channel: each.state for each in message.deliveries.all()} == {
        "inbox": "pending",
        "email": "pending",
    }


def test_every_option_is_kept_and_given_back(shop: Gateway) -> None:
    factories.category("news")
    send_at, expires_at = soon(hours=1), soon(hours=2)
    response = shop.send(
        to={"recipient": "u-1001", "name": "王小明", "locale": "zh_TW", "email": "Wang@Example.COM"},
        params={"order_no": "SO-2 “é” 😀", "amount": "¥ 249.00"},
        channels=["email", "inbox", "email"],
        priority="high",
        send_at=send_at.isoformat(),
        expires_at=expires_at.isoformat(),
        reference="SO-2",
        metadata={"shop": {"id": 9_007_199_254_740_993, "open": True, "fee": 0.1, "note": None}},
        category="news",
    )
    message = accepted(response)
    document = shop.get(response["Location"]).json()
    assert document["template"] == "order-paid"
    assert document["version"] == 1
    assert document["recipient"] == "u-1001"
    assert document["params"] == {"order_no": "SO-2 “é” 😀", "amount": "¥ 249.00"}
    assert document["metadata"] == {
        "shop": {"id": 9_007_199_254_740_993, "open": True, "fee": 0.1, "note": None}
    }
    assert (document["priority"], document["category"], document["reference"]) == ("high", "news", "SO-2")
    assert datetime.fromisoformat(document["send_at"]) == send_at
    assert datetime.fromisoformat(document["expires_at"]) == expires_at
    assert document["status"] == "pending"
    assert [each["channel"] for each in document["deliveries"]] == ["email", "inbox"]
    email = message.deliveries.get(channel="email")
    assert (email.address, email.locale, email.due_at) == ("Wang@example.com", "zh-tw", send_at)


def test_addresses_in_the_call_reach_somebody_unknown(shop: Gateway) -> None:
    message = accepted(shop.send(to={"email": "ann@example.com"}))
    assert message.recipient is None
    found = {each.channel: (each.state, each.code) for each in message.deliveries.all()}
    assert found == {"inbox": ("skipped", "no_address"), "email": ("pending", "")}


def test_an_address_in_the_call_goes_before_the_one_in_the_directory(shop: Gateway) -> None:
    message = accepted(shop.send(to={"recipient": "u-1001", "email": "other@example.com"}))
    assert message.deliveries.get(channel="email").address == "other@example.com"


def test_a_message_that_nobody_wants_is_accepted_and_skipped(shop: Gateway) -> None:
    person = Recipient.objects.get()
    person.preferences.create(category=factories.category())
    response = shop.send()
    assert accepted(response)
    assert response.json()["status"] == "skipped"
    assert stored() == {"messages": 1, "deliveries": 2, "events": 0, "tallies": 4, "wake-ups": 0}
    assert shop.get(response["Location"]).json()["status"] == "skipped"


@pytest.mark.parametrize("is_test", [False, True], ids=["live", "test"])
def test_the_key_decides_whether_it_is_a_test(shop: Gateway, *, is_test: bool) -> None:
    response = Gateway(factories.key(is_test=is_test)[1]).send()
    assert response.json()["test"] is is_test
    message = accepted(response)
    assert message.is_test is is_test
    assert (stored()["tallies"] == 0) is is_test


def test_a_test_key_needs_no_account(db: None) -> None:
    factories.recipient()
    factories.template(channels=["email"])
    assert Gateway(factories.key(is_test=True)[1]).send().status_code == 202


@pytest.mark.parametrize(
    ("highest", "template", "asked", "lane"),
    [
        ("critical", "low", None, "low"),
        ("critical", "low", "critical", "critical"),
        ("normal", "critical", None, "normal"),
        ("normal", "normal", "low", "low"),
        ("normal", "normal", "normal", "normal"),
    ],
)
def test_the_lane_is_the_one_asked_for_else_the_templates_but_none_above_the_systems_cap(
    shop: Gateway, highest: str, template: str, asked: str | None, lane: str
) -> None:
    System.objects.update(highest_priority=highest)
    Template.objects.update(priority=template)
    message = accepted(shop.send(priority=asked))
    assert message.lane == lane
    assert set(message.deliveries.values_list("lane", flat=True)) == {lane}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("caller-7.a_B", True), ("", False), ("a b", False), ("a" * 65, False), ("<script>", False)],
    ids=["good", "empty", "blank inside", "too long", "strange"],
)
def test_every_answer_has_a_request_id_and_a_good_one_is_the_callers(
    shop: Gateway, given: str, *, kept: bool
) -> None:
    response = shop.post(MESSAGES, order(), **{"X-Request-Id": given})
    assert (response["X-Request-Id"] == given) is kept
    assert accepted(response).request_id == response["X-Request-Id"] != ""


def test_a_key_may_send_and_not_be_able_to_read(shop: Gateway) -> None:
    assert Gateway(factories.key(scopes=["send"])[1]).send().status_code == 202


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;x=y"]
)
def test_json_may_be_declared_with_parameters(shop: Gateway, content_type: str) -> None:
    body = b'{"template": "order-paid", "to": {"recipient": "u-1001"}, "params": {"order_no": "1"}}'
    assert shop.raw(MESSAGES, body, content_type).status_code == 202


def test_the_answer_is_json_whatever_is_accepted(shop: Gateway) -> None:
    response = shop.post(MESSAGES, order(), Accept="text/html")
    assert response["Content-Type"] == "application/json"


def test_the_trace_tells_of_gate_intake_and_routing(shop: Gateway) -> None:
    factories.template("all", ["inbox", "email"])
    response = shop.send(to={"email": "ann@example.com"}, reference="SO-1")
    trace = shop.get(response["Location"] + "/trace").json()
    assert trace["id"] == response.json()["id"]
    assert [(each["tier"], each["kind"], each["channel"]) for each in trace["entries"]] == [
        ("access", "gate", ""),
        ("business", "accepted", ""),
        ("business", "routing", "inbox"),
        ("business", "routing", "email"),
        ("service", "due", "email"),
    ]
    assert trace["entries"][0]["data"]["request_id"] == response["X-Request-Id"]
    assert trace["entries"][2]["detail"] == "no address"


def test_an_injected_text_is_only_a_text(shop: Gateway) -> None:
    text = "'; DROP TABLE messaging_message; -- {{ 7*7 }} {% raw %} ${7*7} %s %(x)s <script>"
    message = accepted(
        shop.send(
            to={"recipient": "u-1001", "name": text},
            params={"order_no": text},
            reference=text,
            metadata={text: text},
        )
    )
    assert (message.reference, message.params["order_no"]) == (text, text)
    assert (message.metadata, message.to["name"]) == ({text: text}, text)
    assert Delivery.objects.count() == 2
