"""An explanation says what sending does, and its refusal is the one that sending gives."""

from typing import Any

import pytest
from django.utils import timezone

from channels_app.models import Account
from pushcenter.access.models import System
from pushcenter.messaging import dispatch, stops
from pushcenter.messaging.models import DailyUse, StopKind
from pushcenter.recipients.models import Recipient, Suppression
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, order, stored
from tests.access.test_bad_input import FAULTS, NOT_PERMITTED

pytestmark = pytest.mark.django_db
EXPLAIN = f"{MESSAGES}/explain"


def explained(caller: Gateway, **changes: Any) -> Any:
    answer = caller.post(EXPLAIN, order(**changes))
    assert answer.status_code == 200, answer.content
    return answer.json()


def decisions(document: Any) -> list[tuple[str, str, str]]:
    return [(each["channel"], each["choice"], each["reason"]) for each in document["channels"]]


def test_what_would_happen_is_told_and_nothing_is_stored(shop: Gateway) -> None:
    send_at = factories.in_an_hour().isoformat()
    document = explained(shop, send_at=send_at, priority="high")
    assert (document["accepted"], document["problem"]) == (True, None)
    assert (document["template"], document["version"], document["category"]) == ("order-paid", 1, "orders")
    assert (document["priority"], document["due_at"]) == ("high", send_at.replace("+00:00", "Z"))
    assert (document["recipient"], document["name"], document["locale"]) == ("u-1001", "Li Wei", "zh-hans")
    assert decisions(document) == [("inbox", "chosen", "in_route"), ("email", "chosen", "in_route")]
    assert document["channels"][1]["address"] == "u-1001@example.com"
    assert stored() == NOTHING


def test_sending_then_does_what_was_told(shop: Gateway) -> None:
    factories.template("all", ["inbox", "email", "sms", "push"], route_mode="first")
    told = explained(shop, template="all")
    sent = shop.send(template="all")
    kept = shop.get(sent["Location"] + "/explain").json()
    assert decisions(kept) == decisions(told)
    same = (
        "template",
        "version",
        "category",
        "priority",
        "recipient",
        "name",
        "locale",
        "accepted",
        "problem",
    )
    assert {name: kept[name] for name in same} == {name: told[name] for name in same}


def test_every_reason_is_told(shop: Gateway) -> None:
    factories.template("all", ["inbox", "email", "sms", "push", "webhook"])
    factories.account("sms", is_paused=True)
    System.objects.update(channels=["inbox", "email", "sms", "push"])
    person = Recipient.objects.get()
    person.preferences.create(category=factories.category(), channel="inbox")
    Suppression.objects.create(kind="email", value="u-1001@example.com", reason="complained")
    to = {"recipient": "u-1001", "phone": "+8613800138000", "push_token": "abc"}
    document = explained(shop, template="all", to=to)
    assert decisions(document) == [
        ("inbox", "skipped", "opted_out"),
        ("email", "skipped", "suppressed"),
        ("sms", "chosen", "account_paused"),
        ("push", "skipped", "no_account"),
        ("webhook", "skipped", "not_permitted"),
    ]
    assert [each["detail"] for each in document["channels"]][:2] == ["muted orders", "complained"]


def test_a_paused_account_is_told_from_none(shop: Gateway) -> None:
    Account.objects.filter(channel="email").update(is_paused=True)
    assert decisions(explained(shop, channels=["email"])) == [("email", "chosen", "account_paused")]
    factories.account("email", name="another")
    assert decisions(explained(shop, channels=["email"])) == [("email", "chosen", "in_route")]
    Account.objects.filter(channel="email").delete()
    assert decisions(explained(shop, channels=["email"])) == [("email", "skipped", "no_account")]


def test_test_keys_depend_on_no_account(shop: Gateway) -> None:
    Account.objects.update(is_paused=True)
    document = explained(Gateway(factories.key(is_test=True)[1]))
    assert {reason for _, _, reason in decisions(document)} == {"in_route"}


# Faults of the shape are no question of what would happen: they are answered as when sending.
OF_THE_BUSINESS = {
    name: changes
    for name, (changes, expected) in FAULTS.items()
    if {code for _, code in expected}
    & {
        "unknown_template", "template_not_published", "unknown_recipient", "invalid_email", "invalid_phone",
        "no_usable_address", "no_usable_channel", "missing_variable", "unknown_variable", "invalid_variable",
        "unknown_channel", "in_the_past", "too_late", "too_early", "unknown_category", "category_not_permitted",
    }
}  # fmt: skip


@pytest.mark.parametrize("changes", OF_THE_BUSINESS.values(), ids=OF_THE_BUSINESS)
def test_a_refusal_is_the_one_of_sending(shop: Gateway, changes: dict[str, Any]) -> None:
    factories.template("draft", published=False)
    factories.template("texted", ["sms"])
    factories.category("law", is_mandatory=True)
    document = explained(shop, **changes)
    assert document["accepted"] is False
    assert document["problem"] == shop.send(**changes).json()
    assert stored() == NOTHING


@pytest.mark.parametrize(("system", "changes", "expected"), NOT_PERMITTED.values(), ids=NOT_PERMITTED)
def test_what_a_system_may_not_ask_for_is_told(
    shop: Gateway, system: dict[str, Any], changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    System.objects.update(**system)
    document = explained(shop, **changes)
    assert document["problem"] == shop.send(**changes).json()
    assert (document["problem"]["status"], document["template"]) == (403, "order-paid")
    # The rest is told all the same.
    assert [channel for channel, _, _ in decisions(document)] == ["inbox", "email"]


def test_of_a_refused_request_the_rest_is_told(shop: Gateway) -> None:
    document = explained(shop, params={})
    assert [fault["code"] for fault in document["problem"]["errors"]] == ["missing_variable"]
    assert decisions(document) == [("inbox", "chosen", "in_route"), ("email", "chosen", "in_route")]
    nobody = explained(shop, to={"recipient": "nobody"})
    assert (nobody["recipient"], nobody["channels"], nobody["version"]) == (None, [], 1)
    unknown = explained(shop, template="nope")
    assert (unknown["template"], unknown["version"], unknown["recipient"]) == ("nope", None, "u-1001")


def test_a_quota_that_is_used_up_is_told(shop: Gateway) -> None:
    System.objects.update(daily_quota=1)
    assert explained(shop)["accepted"] is True
    DailyUse.objects.create(system_id=factories.system().pk, day=timezone.now().date(), accepted=1)
    document = explained(shop)
    assert document["problem"]["code"] == "daily_quota_exceeded" == shop.send().json()["code"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"template": null}', b'{"template": "a", "x": 1}'])
def test_a_body_of_the_wrong_shape_is_answered_as_when_sending(shop: Gateway, body: bytes) -> None:
    told, sent = shop.raw(EXPLAIN, body), shop.raw(MESSAGES, body)
    assert (told.status_code, told.json()) == (sent.status_code, sent.json())


def test_of_a_message_is_told_what_became_of_each_channel(shop: Gateway) -> None:
    factories.template("two", ["email", "inbox", "sms"], route_mode="first")
    place = shop.send(template="two", to={"recipient": "u-1001", "email": "refused@simulator.example"})[
        "Location"
    ]
    before = shop.get(f"{place}/explain").json()
    assert [each["delivery"] and each["delivery"]["state"] for each in before["channels"]] == [
        "pending",
        None,
        "skipped",
    ]
    dispatch.run("normal")
    after = shop.get(f"{place}/explain").json()
    assert decisions(after) == [
        ("email", "chosen", "in_route"),
        ("inbox", "fallback", "kept_as_fallback"),
        ("sms", "skipped", "no_address"),
    ]
    assert [each["delivery"]["state"] for each in after["channels"]] == ["failed", "delivered", "skipped"]


def test_what_is_stopped_waits_and_is_said(shop: Gateway) -> None:
    sent = shop.send()
    stops.stop(StopKind.SYSTEM, str(System.objects.get().pk), by="olga", reason="it runs wild")
    kept = shop.get(sent["Location"] + "/explain").json()
    for document in (explained(shop), kept):
        [paused] = document["paused"]
        assert (paused["what"], paused["reason"]) == ("system", "it runs wild")
        assert {each["reason"] for each in document["channels"]} == {"paused"}
    assert explained(shop)["accepted"]
