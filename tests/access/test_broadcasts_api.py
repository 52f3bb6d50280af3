"""Broadcasts over the API: what is taken, what is refused, and forecasts."""

from typing import Any

import pytest

from pushcenter.access.models import System
from pushcenter.messaging import work
from pushcenter.messaging.models import Batch, Message
from pushcenter.recipients.models import Group
from tests import factories
from tests.access.gateway import MESSAGES, Gateway, faults, problem

pytestmark = pytest.mark.django_db
BROADCASTS = "/api/v1/broadcasts"


def news(**changes: Any) -> dict[str, Any]:
    body = {"template": "order-paid", "audience": {"all": True}, "params": {"order_no": "1"}}
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def test_it_is_accepted_and_reaches_people(shop: Gateway) -> None:
    answer = shop.post(BROADCASTS, news(reference="week-7", priority="low", metadata={"week": 7}))
    assert answer.status_code == 202
    assert answer.json() == {"id": answer["Location"].rpartition("/")[2], "people": 1}
    work.run(answer.json()["id"])
    message = Message.objects.get()
    assert (message.lane, message.metadata, message.reference) == ("low", {"week": 7}, "")
    assert Batch.objects.get().reference == "week-7"
    [listed] = shop.get(MESSAGES, batch=answer.json()["id"]).json()["items"]
    assert (listed["id"], listed["recipient"]) == (str(message.pk), "u-1001")


def test_a_dry_run_forecasts_and_stores_nothing(shop: Gateway) -> None:
    factories.recipient("nowhere", {})
    answer = shop.post(BROADCASTS, news(dry_run=True, channels=["email"]))
    assert answer.status_code == 200
    document = answer.json()
    assert (document["people"], document["reached"], document["sampled"]) == (2, 1, None)
    assert document["channels"] == [
        {"channel": "email", "chosen": 1, "fallback": 0, "skipped": {"no_address": 1}}
    ]
    assert document["left_out"] == {"no_address": 1}
    assert document["estimate"]
    assert not Batch.objects.exists()


def test_with_a_key_it_happens_once(shop: Gateway) -> None:
    first = shop.post(BROADCASTS, news(), **{"Idempotency-Key": "b-1"})
    again = shop.post(BROADCASTS, news(), **{"Idempotency-Key": "b-1"})
    assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
    problem(
        shop.post(BROADCASTS, news(reference="x"), **{"Idempotency-Key": "b-1"}),
        409,
        "idempotency_key_reused",
    )
    assert Batch.objects.count() == 1


REFUSED: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no audience": ({"audience": None}, [("/audience", "required")]),
    "an empty audience": ({"audience": {}}, [("/audience", "one_of")]),
    "two audiences": ({"audience": {"all": True, "groups": ["staff"]}}, [("/audience", "one_of")]),
    "not all": ({"audience": {"all": False}}, [("/audience", "one_of")]),
    "a list": ({"audience": ["staff"]}, [("/audience", "invalid")]),
    "a text": ({"audience": "all"}, [("/audience", "invalid")]),
    "an unknown way": ({"audience": {"everybody": True}}, [("/audience/everybody", "unknown_field")]),
    "all a word": ({"audience": {"all": "perhaps"}}, [("/audience/all", "invalid")]),
    "no groups": ({"audience": {"groups": []}}, [("/audience/groups", "empty")]),
    "groups a text": ({"audience": {"groups": "staff"}}, [("/audience/groups", "not_a_list")]),
    "too many groups": ({"audience": {"groups": ["staff"] * 101}}, [("/audience/groups", "max_length")]),
    "unknown group": ({"audience": {"groups": ["staff", "nope"]}}, [("/audience/groups/1", "unknown_group")]),
    "injected group": ({"audience": {"groups": ["' OR 1=1"]}}, [("/audience/groups/0", "unknown_group")]),
    "an empty filter": ({"audience": {"filter": {}}}, [("/audience/filter", "empty")]),
    "unknown condition": ({"audience": {"filter": {"age": 7}}}, [("/audience/filter/age", "unknown_field")]),
    "locale that is none": (
        {"audience": {"filter": {"locale": "%"}}},
        [("/audience/filter/locale", "invalid")],
    ),
    "unknown kind of address": (
        {"audience": {"filter": {"address": "fax"}}},
        [("/audience/filter/address", "invalid_choice")],
    ),
    "unknown group in a filter": (
        {"audience": {"filter": {"groups": ["nope"]}}},
        [("/audience/filter/groups/0", "unknown_group")],
    ),
    "nobody": ({"audience": {"filter": {"time_zone": "Mars/Olympus"}}}, [("/audience", "nobody")]),
    "to": ({"to": {"recipient": "u-1001"}}, [("/to", "unknown_field")]),
    "a variable is missing": ({"params": {}}, [("/params/order_no", "missing_variable")]),
    "unknown template": ({"template": "nope"}, [("/template", "unknown_template")]),
    "send_at past": ({"send_at": "2020-01-01T00:00:00Z"}, [("/send_at", "in_the_past")]),
    "unknown channel": ({"channels": ["fax"]}, [("/channels/0", "unknown_channel")]),
    "dry_run a word": ({"dry_run": "perhaps"}, [("/dry_run", "invalid")]),
}


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize(("changes", "expected"), REFUSED.values(), ids=REFUSED)
def test_each_fault_is_named_with_its_place(
    shop: Gateway, changes: dict[str, Any], expected: list[tuple[str, str]], *, dry_run: bool
) -> None:
    Group.objects.create(code="staff", name="Staff")
    assert faults(shop.post(BROADCASTS, news(**{"dry_run": dry_run, **changes}))) == expected
    assert not Batch.objects.exists()


NOT_PERMITTED = {
    "broadcasts": ({"may_broadcast": False}, {}, ("", "broadcast_not_permitted")),
    "template": ({"templates": ["other"]}, {}, ("/template", "template_not_permitted")),
    "channel": ({"channels": ["inbox"]}, {"channels": ["email"]}, ("/channels/0", "channel_not_permitted")),
    "priority": ({"highest_priority": "low"}, {"priority": "high"}, ("/priority", "priority_not_permitted")),
}


@pytest.mark.parametrize(("system", "changes", "expected"), NOT_PERMITTED.values(), ids=NOT_PERMITTED)
def test_what_a_system_may_not_ask_for_is_refused(
    shop: Gateway, system: dict[str, Any], changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    System.objects.update(**system)
    assert faults(shop.post(BROADCASTS, news(**changes)), 403, "not_permitted") == [expected]


def test_the_size_of_a_broadcast_is_limited(shop: Gateway) -> None:
    factories.recipient("u-2")
    System.objects.update(max_broadcast=1)
    assert faults(shop.post(BROADCASTS, news())) == [("/audience", "too_many_people")]


def test_a_key_needs_the_scope_and_needs_no_other(shop: Gateway) -> None:
    sender = Gateway(factories.key(scopes=["send", "read"])[1])
    problem(sender.post(BROADCASTS, news()), 403, "missing_scope")
    assert Gateway(factories.key(scopes=["broadcast"])[1]).post(BROADCASTS, news()).status_code == 202


@pytest.mark.parametrize("body", [b"{", b'{"audience": NaN}', b"\xff", b'{"a": 1, "a": 2}'])
def test_what_is_not_json_is_refused(shop: Gateway, body: bytes) -> None:
    problem(shop.raw(BROADCASTS, body), 400, "invalid_json")
