"""Thousands of people in one call: told one by one, written together."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pushcenter.access.people import plain
from pushcenter.access.serializers.recipients import BulkItemSerializer
from pushcenter.recipients.entries import entry
from pushcenter.recipients.models import Address, Group, Recipient
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
BULK = "/api/v1/recipients:bulk"
COUNTS = ("created", "updated", "unchanged")


@pytest.fixture
def crm(db: None) -> Gateway:
    Group.objects.create(code="staff", name="Staff")
    return Gateway(factories.key(factories.system("crm"), scopes=["recipients"])[1])


def people(number: int, **fields: Any) -> list[dict[str, Any]]:
    return [
        {
            "external_id": f"u-{each}",
            "name": "Ann",
            "groups": ["staff"],
            "addresses": [
                {"kind": "email", "value": f"u-{each}@example.com"},
                {"kind": "phone", "value": f"+86138{each:08}"},
            ],
            **fields,
        }
        for each in range(number)
    ]


def written(response: Any) -> tuple[int, int, int]:
    assert response.status_code == 200, response.content[:1000]
    assert response.json()["rejected"] == []
    created, updated, unchanged = (response.json()[name] for name in COUNTS)
    return created, updated, unchanged


def test_who_is_new_changed_or_known_as_they_are_is_counted(crm: Gateway) -> None:
    assert written(crm.call("PUT", BULK, {"items": people(3)})) == (3, 0, 0)
    assert written(crm.call("PUT", BULK, {"items": people(3)})) == (0, 0, 3)
    mixed = [*people(4)[2:], {"external_id": "u-0", "name": "Bob"}, {"external_id": "u-1", "groups": []}]
    assert written(crm.call("PUT", BULK, {"items": mixed})) == (1, 2, 1)
    assert Recipient.objects.count() == 4
    assert Address.objects.count() == 8


def test_what_is_left_out_stays_as_it_is(crm: Gateway) -> None:
    crm.call("PUT", BULK, {"items": people(1)})
    crm.call("PUT", BULK, {"items": [{"external_id": "u-0", "locale": "en"}]})
    person = crm.get("/api/v1/recipients/u-0").json()
    assert (person["name"], person["locale"], person["groups"]) == ("Ann", "en", ["staff"])
    assert len(person["addresses"]) == 2


def test_addresses_that_are_given_replace_those_before(crm: Gateway) -> None:
    crm.call("PUT", BULK, {"items": people(2)})
    new = [{"kind": "email", "value": "new@example.com"}]
    assert written(crm.call("PUT", BULK, {"items": people(1, addresses=new)})) == (0, 1, 0)
    stored = Address.objects.filter(recipient__external_id="u-0").values_list("value", flat=True)
    assert list(stored) == ["new@example.com"]
    assert Address.objects.filter(recipient__external_id="u-1").count() == 2


def statements(crm: Gateway, number: int, **fields: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert crm.call("PUT", BULK, {"items": people(number, **fields)}).status_code == 200
    # Those of the gate, which counts requests now and then, left out.
    return sum("recipients_" in each["sql"] for each in queries)


def test_many_people_need_no_more_statements_than_few(crm: Gateway) -> None:
    few = [statements(crm, 3), statements(crm, 3, name="Bob", addresses=[], groups=[])]
    Recipient.objects.all().delete()
    many = [statements(crm, 300), statements(crm, 300, name="Bob", addresses=[], groups=[])]
    assert many == few
    assert max(few) <= 10


BAD: list[dict[str, Any]] = [
    {"external_id": "u-1", "addresses": [{"kind": "email", "value": "ann"}], "time_zone": "Mars"},
    {"external_id": "a/b", "nmae": "Ann"},
    {"external_id": "u-0"},
    {},
    {"external_id": "u-4", "groups": ["nobody"], "name": "Ann"},
]
FOUND = [
    (1, "/addresses/0/value", "invalid_email"),
    (1, "/time_zone", "unknown_time_zone"),
    (2, "/external_id", "invalid"),
    (2, "/nmae", "unknown_field"),
    (3, "/external_id", "duplicate"),
    (4, "/external_id", "required"),
    (5, "/groups/0", "unknown_group"),
]


def test_one_bad_item_rejects_all_and_every_fault_is_told_by_its_place(crm: Gateway) -> None:
    items = [*people(1), *BAD]
    expected = [(f"/items/{index}{pointer}", code) for index, pointer, code in FOUND]
    assert faults(crm.call("PUT", BULK, {"items": items})) == expected
    assert not Recipient.objects.exists()


def test_bad_items_can_be_skipped(crm: Gateway) -> None:
    response = crm.call("PUT", BULK, {"items": [*people(1), *BAD, *people(8)[7:]], "on_error": "skip"})
    answer = response.json()
    assert [answer[name] for name in COUNTS] == [2, 0, 0]
    found = [
        (refused["index"], fault["pointer"], fault["code"])
        for refused in answer["rejected"]
        for fault in refused["errors"]
    ]
    assert found == FOUND
    assert set(Recipient.objects.values_list("external_id", flat=True)) == {"u-0", "u-7"}


def test_all_can_be_bad(crm: Gateway) -> None:
    answer = crm.call("PUT", BULK, {"items": [None, 7, [], "u-1"], "on_error": "skip"}).json()
    assert [answer[name] for name in COUNTS] == [0, 0, 0]
    assert [refused["errors"][0]["code"] for refused in answer["rejected"]] == [
        "null", "invalid", "invalid", "invalid",
    ]  # fmt: skip


PLAIN: list[dict[str, Any]] = [
    {},
    {"name": "", "locale": "", "time_zone": "", "groups": [], "addresses": []},
    {"name": "李 雷", "locale": "zh-hans", "time_zone": "Asia/Shanghai", "groups": ["staff"]},
    {"addresses": [{"kind": "email", "value": "ann@example.com", "is_primary": True}]},
    {"addresses": [{"kind": "phone", "value": "+86 138 0013 8000"}]},
]
NOT_PLAIN: list[dict[str, Any]] = [
    {"external_id": "a/b"},
    {"external_id": ".."},
    {"external_id": "u\n"},
    {"name": " Ann"},
    {"name": "Ann\n"},
    {"name": None},
    {"name": "x" * 201},
    {"locale": "en\n"},
    {"locale": "e n"},
    {"groups": [""]},
    {"groups": ["staff"] * 201},
    {"groups": "staff"},
    {"addresses": [{"kind": "fax", "value": "1"}]},
    {"addresses": [{"kind": "email", "value": ""}]},
    {"addresses": [{"kind": "url", "value": "x" * 2049}]},
    {"addresses": [{"kind": "email", "value": "a", "is_primary": 1}]},
    {"addresses": [{"kind": "email", "value": "a", "x": 1}]},
    {"nmae": "Ann"},
]


@pytest.mark.parametrize("fields", PLAIN, ids=repr)
def test_the_fast_way_reads_what_the_serializer_reads(fields: dict[str, Any]) -> None:
    item = {"external_id": "u-1", **fields}
    read = plain(item)
    assert read is not None
    serializer = BulkItemSerializer(data=item)
    assert serializer.is_valid(), serializer.errors
    assert entry(read, groups={"staff"}) == entry(serializer.validated_data, groups={"staff"})


@pytest.mark.parametrize("fields", NOT_PLAIN, ids=lambda fields: repr(fields)[:60])
def test_what_is_not_plain_goes_the_slow_way(fields: dict[str, Any]) -> None:
    assert plain({"external_id": "u-1", **fields}) is None


SHAPES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "nothing": ({}, [("/items", "required")]),
    "no items": ({"items": []}, [("/items", "empty")]),
    "items an object": ({"items": {"0": {}}}, [("/items", "not_a_list")]),
    "items null": ({"items": None}, [("/items", "null")]),
    "too many items": ({"items": [{}] * 10_001}, [("/items", "max_length")]),
    "unknown on_error": (
        {"items": [{"external_id": "u"}], "on_error": "stop"},
        [("/on_error", "invalid_choice")],
    ),
    "unknown field": ({"items": [{"external_id": "u"}], "skip": True}, [("/skip", "unknown_field")]),
    "a list": ([], [("", "invalid")]),
}


@pytest.mark.parametrize(("body", "expected"), SHAPES.values(), ids=SHAPES)
def test_the_shape_of_the_call_is_checked(crm: Gateway, body: Any, expected: list[tuple[str, str]]) -> None:
    assert faults(crm.call("PUT", BULK, body)) == expected
    assert not Recipient.objects.exists()


def test_ten_thousand_are_written(crm: Gateway) -> None:
    items = [{"external_id": f"u-{number}", "name": "Ann" * 30} for number in range(10_000)]
    assert written(crm.call("PUT", BULK, {"items": items})) == (10_000, 0, 0)


def test_a_call_after_which_nothing_is_stored_says_so(crm: Gateway) -> None:
    document = problem(crm.call("PUT", BULK, {"items": BAD}), 422, "invalid_request")
    assert "nothing was stored" in document["detail"]
