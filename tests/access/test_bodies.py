"""The fast way of reading a body takes nothing that the serializers refuse, and reads it as they do."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from pushcenter.access import bodies
from pushcenter.access.problems import InvalidRequest, flatten
from pushcenter.access.serializers.batches import EnvelopeSerializer
from pushcenter.access.serializers.messages import MAX_ADDRESS, ItemSerializer, SendSerializer
from pushcenter.lanes import Lane
from pushcenter.messaging.request import Item, Request

PERSON = {"recipient": "u-1001"}
ORDER = {"template": "order-paid", "to": PERSON}


def outcome(read: Callable[[], Any]) -> Any:
    """What was read, or the faults."""
    try:
        return read()
    except ValidationError as error:
        return list(flatten(error.get_full_details()))


def by_the_serializer(value: Any) -> Request:
    serializer = SendSerializer(data=value)
    serializer.is_valid(raise_exception=True)
    return serializer.as_request("r-1")


def item_by_the_serializer(value: Any) -> Item:
    return Item(**ItemSerializer().run_validation(value))


def assert_both_agree(value: Any) -> None:
    found = outcome(lambda: bodies.message(json.dumps(value).encode(), request_id="r-1"))
    assert found == outcome(lambda: by_the_serializer(value))
    if isinstance(found, Request):
        assert found.priority is None or isinstance(found.priority, Lane)


MESSAGES: dict[str, Any] = {
    "the least": ORDER,
    "every field": ORDER
    | {
        "to": {"recipient": "u-1001", "name": "王小明 😀", "locale": "zh-Hans_CN", "email": "a@example.com"},
        "params": {"order_no": "SO-1", "lines": [1, 2.5, None, {"a": True}]},
        "channels": ["email", "inbox"],
        "priority": "high",
        "reference": "SO-1",
        "metadata": {"shop": {"id": 2**63 - 1}},
        "category": "news",
    },
    "only addresses": ORDER | {"to": {"email": "a@example.com", "phone": "+8613800138000"}},
    "an address that cannot be one": ORDER | {"to": {"email": "nobody"}},
    "blanks inside": ORDER | {"reference": "a b\u00a0c"},
    "one character": ORDER | {"reference": "a", "category": "b", "template": "c"},
    "the longest": ORDER | {"reference": "é" * 200, "category": "x" * 60, "template": "x" * 80},
    "the longest person": ORDER | {"to": {"recipient": "x" * 200, "name": "é" * 200, "locale": "e" * 35}},
    "many channels": ORDER | {"channels": ["inbox"] * 20},
    "empty objects": ORDER | {"params": {}, "metadata": {}},
    "an unknown channel": ORDER | {"channels": ["fax"]},
}
#: Taken as well, but only by the serializers.
SLOWLY: dict[str, Any] = {
    "blanks around": ORDER | {"template": " order-paid\n", "to": {"recipient": "\tu-1001 "}},
    "blanks of Unicode around": ORDER | {"reference": "\u3000a\u2009"},
    "control characters around": ORDER | {"reference": "\x1ca\x85"},
    "two lines": ORDER | {"reference": "a\nb"},
    "times": ORDER | {"send_at": "2030-01-31T09:00:00+08:00", "expires_at": "2030-02-01T09:00:00Z"},
    "a long address": ORDER | {"to": {"url": "https://e.com/" + "x" * 1000}},
}
REFUSED: dict[str, Any] = {
    "nothing": {},
    "a list": [ORDER],
    "a number for a text": ORDER | {"reference": 7, "to": {"recipient": 1001}},
    "unknown field": ORDER | {"priorty": "high"},
    "unknown kind of address": ORDER | {"to": PERSON | {"mail": "a@example.com"}},
    "blank": ORDER | {"reference": " \n"},
    "empty": ORDER | {"category": ""},
    "null": ORDER | {"params": None},
    "null in a person": ORDER | {"to": PERSON | {"name": None}},
    "true for a text": ORDER | {"reference": True},
    "too long": ORDER | {"reference": "x" * 201},
    "a person too long": ORDER | {"to": {"recipient": "x" * 201}},
    "an address too long": ORDER | {"to": {"url": "https://e.com/" + "x" * MAX_ADDRESS}},
    "an address of too many bytes": ORDER | {"to": {"url": "https://e.com/" + "界" * 800}},
    "nobody": ORDER | {"to": {"name": "Ann", "locale": "en"}},
    "a strange locale": ORDER | {"to": PERSON | {"locale": "e/n"}},
    "a locale with an end of line": ORDER | {"to": PERSON | {"locale": "en\n-"}},
    "no channel": ORDER | {"channels": []},
    "too many channels": ORDER | {"channels": ["inbox"] * 21},
    "another case": ORDER | {"priority": "High"},
    "params a list": ORDER | {"params": [["a", 1]]},
    "metadata a text": ORDER | {"metadata": "a"},
}


@pytest.mark.parametrize("value", [*MESSAGES.values(), *SLOWLY.values()], ids=[*MESSAGES, *SLOWLY])
def test_a_good_message_is_read_as_the_serializer_reads_it(value: Any) -> None:
    found = outcome(lambda: bodies.message(json.dumps(value).encode(), request_id="r-1"))
    assert isinstance(found, Request)
    assert_both_agree(value)


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_a_bad_message_is_refused_with_the_serializers_faults(value: Any) -> None:
    found = outcome(lambda: bodies.message(json.dumps(value).encode(), request_id="r-1"))
    assert found
    assert isinstance(found, list)
    assert_both_agree(value)


@pytest.mark.parametrize("value", MESSAGES.values(), ids=MESSAGES)
def test_what_callers_usually_send_needs_no_serializer(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SendSerializer", None)
    assert bodies.message(json.dumps(value).encode(), request_id="r-1").template == value["template"]


def test_no_body_is_an_empty_object() -> None:
    assert outcome(lambda: bodies.message(b"", request_id="")) == outcome(lambda: by_the_serializer({}))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["", " ", "a ", "\ta", "a\nb", "\x85", "\x1c", "\u3000", "en", "zh-Hans", "u-1001", "x" * 201, "é" * 200, "x" * 600]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
SOMEBODY = st.dictionaries(
    st.sampled_from(["recipient", "name", "locale", "email", "phone", "url", "push_token", "x"]), TEXT | ANYTHING
)  # fmt: skip
OBJECT = st.dictionaries(TEXT, ANYTHING, max_size=3)
ITEM: dict[str, st.SearchStrategy[Any]] = {
    "to": SOMEBODY | ANYTHING,
    "params": OBJECT | ANYTHING,
    "reference": TEXT | ANYTHING,
}
MESSAGE = ITEM | {
    "template": TEXT | ANYTHING,
    "channels": st.lists(TEXT, max_size=3) | ANYTHING,
    "priority": st.sampled_from(Lane.values) | ANYTHING,
    "metadata": OBJECT | ANYTHING,
    "category": TEXT | ANYTHING,
    "x": ANYTHING,
}
#: Faster than thorough: every run of the suite tries other values.
TRYING = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@TRYING
@given(st.fixed_dictionaries({}, optional=MESSAGE) | ANYTHING)
def test_whatever_comes_both_ways_agree_on_it(value: Any) -> None:
    assert_both_agree(value)


@TRYING
@given(
    st.fixed_dictionaries({}, optional=ITEM | {"to": SOMEBODY | st.just(PERSON), "x": ANYTHING}) | ANYTHING
)
def test_whatever_an_item_is_both_ways_agree_on_it(value: Any) -> None:
    assert outcome(lambda: bodies.item(value)) == outcome(lambda: item_by_the_serializer(value))


def batch(value: Any, *, largest: int = 10_000) -> bodies.Batch:
    return bodies.batch(json.dumps(value).encode(), request_id="r-1", largest=largest)


def test_a_batch_is_what_all_share_and_each_item_by_its_index() -> None:
    value = {
        "template": "order-paid",
        "priority": "low",
        "reference": "run 7",
        "items": [
            {"to": PERSON, "params": {"order_no": "1"}, "reference": "SO-1"},
            {"to": {}},
            {"to": {"email": "a@example.com"}},
            "u-1001",
        ],
        "on_error": "skip",
    }
    found = batch(value)
    assert (
        found.shared.template,
        found.shared.priority,
        found.shared.reference,
        found.shared.request_id,
    ) == (
        "order-paid",
        Lane.LOW,
        "run 7",
        "r-1",
    )
    assert found.items == {
        0: Item(to=PERSON, params={"order_no": "1"}, reference="SO-1"),
        2: Item(to={"email": "a@example.com"}, params={}),
    }
    told = {index: [(each.pointer, each.code) for each in faults] for index, faults in found.rejected.items()}
    assert told == {1: [("/to", "empty")], 3: [("", "invalid")]}
    assert found.skip_rejected
    assert not batch(value | {"on_error": "reject"}).skip_rejected


ONE = {"to": PERSON}
NO_BATCH: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "null": (None, [("", "null"), ("/items", "required")]),
    "nothing": ({}, [("/template", "required"), ("/items", "required")]),
    "a list": ([ONE], [("", "invalid"), ("/items", "required")]),
    "no items": ({"template": "t", "items": None}, [("/items", "required")]),
    "an object": ({"template": "t", "items": {"0": ONE}}, [("/items", "not_a_list")]),
    "an empty list": ({"template": "t", "items": []}, [("/items", "empty")]),
    "too many": ({"template": "t", "items": [ONE] * 4}, [("/items", "too_many_items")]),
    "fields of one message": (
        {"template": "t", "to": PERSON, "params": {}, "items": [ONE]},
        [("/to", "unknown_field"), ("/params", "unknown_field")],
    ),
    "another way with faults": (
        {"template": "t", "items": [ONE], "on_error": "ignore"},
        [("/on_error", "invalid_choice")],
    ),
    "everything at once": (
        {"template": "", "items": [ONE] * 4, "x": 1},
        [("/template", "blank"), ("/x", "unknown_field"), ("/items", "too_many_items")],
    ),
}


@pytest.mark.parametrize(("value", "expected"), NO_BATCH.values(), ids=NO_BATCH)
def test_what_is_wrong_with_a_batch_as_such_refuses_it(value: Any, expected: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        batch(value, largest=3)
    assert [(each.pointer, each.code) for each in caught.value.faults] == expected


def test_what_all_messages_share_is_read_as_the_serializer_reads_it() -> None:
    shared = {"template": " t ", "channels": ["email"], "send_at": "2030-01-31T09:00:00Z", "category": "news"}
    serializer = EnvelopeSerializer(data=shared)
    serializer.is_valid(raise_exception=True)
    assert batch(shared | {"items": [ONE]}).shared == serializer.as_request("r-1")
