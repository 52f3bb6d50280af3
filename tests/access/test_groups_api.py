"""Groups, and who belongs to them."""

from typing import Any

import pytest

from pushcenter.recipients.models import Group, Recipient
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
GROUPS = "/api/v1/groups"
STAFF = f"{GROUPS}/staff"
MEMBERS = f"{STAFF}/members"


@pytest.fixture
def crm(db: None) -> Gateway:
    """Five people and a group without members."""
    for number in range(1, 6):
        factories.recipient(f"u-{number}", {})
    Group.objects.create(code="staff", name="Staff")
    return Gateway(factories.key(factories.system("crm"), scopes=["recipients"])[1])


def members(crm: Gateway) -> list[str]:
    return [each["external_id"] for each in crm.get(MEMBERS).json()["items"]]


def test_a_group_is_created_read_renamed_and_deleted(crm: Gateway) -> None:
    response = crm.post(GROUPS, {"code": "vip", "name": "Best customers"})
    assert response.status_code == 201
    assert response.json() == {"code": "vip", "name": "Best customers", "members": 0}
    place = response["Location"]
    assert crm.get(place).json() == response.json()
    assert crm.call("PATCH", place, {"name": "VIP"}).json()["name"] == "VIP"
    assert crm.call("DELETE", place).status_code == 204
    problem(crm.get(place), 404, "not_found")


def test_a_code_is_taken_once(crm: Gateway) -> None:
    problem(crm.post(GROUPS, {"code": "staff", "name": "Other"}), 409, "already_exists")
    assert crm.get(STAFF).json()["name"] == "Staff"


def test_people_come_and_leave(crm: Gateway) -> None:
    assert crm.post(MEMBERS, {"add": ["u-3", "u-1", "u-2"]}).json() == {"added": 3, "removed": 0}
    assert crm.post(MEMBERS, {"add": ["u-1", "u-4"], "remove": ["u-2", "u-5", "u-9"]}).json() == {
        "added": 1, "removed": 1,
    }  # fmt: skip
    assert members(crm) == ["u-1", "u-3", "u-4"]
    assert crm.get(STAFF).json()["members"] == 3
    person = crm.get("/api/v1/recipients/u-1").json()
    assert person["groups"] == ["staff"]


def test_one_unknown_person_keeps_all_out(crm: Gateway) -> None:
    body = {"add": ["u-1", "u-9"], "remove": ["u-1"]}
    assert faults(crm.post(MEMBERS, body)) == [
        ("/add/1", "unknown_recipient"),
        ("/remove/0", "duplicate"),
    ]
    assert members(crm) == []


def test_deleting_a_group_deletes_nobody(crm: Gateway) -> None:
    crm.post(MEMBERS, {"add": ["u-1", "u-2"]})
    crm.call("DELETE", STAFF)
    assert Recipient.objects.count() == 5
    assert crm.get("/api/v1/recipients/u-1").json()["groups"] == []


def test_thousands_come_at_once(crm: Gateway) -> None:
    Recipient.objects.bulk_create(Recipient(external_id=f"x-{number}") for number in range(10_000))
    everybody = [f"x-{number}" for number in range(10_000)]
    assert crm.post(MEMBERS, {"add": everybody}).json()["added"] == 10_000
    assert faults(crm.post(MEMBERS, {"add": [*everybody, "u-1"]})) == [("/add", "max_length")]


def test_lists_come_in_pages(crm: Gateway) -> None:
    for code in ("vip", "board"):
        crm.post(GROUPS, {"code": code, "name": code.title()})
    crm.post(MEMBERS, {"add": ["u-1", "u-2", "u-3"]})
    for path, key, expected in (
        (GROUPS, "code", ["board", "staff", "vip"]),
        (MEMBERS, "external_id", ["u-1", "u-2", "u-3"]),
    ):
        first = crm.get(path, limit=2).json()
        second = crm.get(path, limit=2, cursor=first["next"]).json()
        assert [each[key] for each in (*first["items"], *second["items"])] == expected
        assert second["next"] is None


BAD: list[tuple[str, str, Any, list[tuple[str, str]]]] = [
    ("POST", GROUPS, {}, [("/code", "required"), ("/name", "required")]),
    ("POST", GROUPS, {"code": "a b", "name": "x"}, [("/code", "invalid")]),
    ("POST", GROUPS, {"code": "a/b", "name": "x"}, [("/code", "invalid")]),
    ("POST", GROUPS, {"code": "x" * 61, "name": "x"}, [("/code", "max_length")]),
    ("POST", GROUPS, {"code": "x", "name": ""}, [("/name", "blank")]),
    ("POST", GROUPS, {"code": "x", "name": [1]}, [("/name", "invalid")]),
    ("POST", GROUPS, {"code": "x", "name": "x", "people": []}, [("/people", "unknown_field")]),
    ("PATCH", STAFF, {"name": "x", "code": "other"}, [("/code", "unknown_field")]),
    ("PATCH", STAFF, {}, [("/name", "required")]),
    ("POST", MEMBERS, {}, [("", "empty")]),
    ("POST", MEMBERS, {"add": "u-1"}, [("/add", "not_a_list")]),
    ("POST", MEMBERS, {"add": [{}]}, [("/add/0", "invalid")]),
    ("POST", MEMBERS, {"add": [None]}, [("/add/0", "null")]),
    ("POST", MEMBERS, {"add": ["' OR 1=1 --"]}, [("/add/0", "unknown_recipient")]),
    ("POST", MEMBERS, [], [("", "invalid")]),
    ("GET", f"{GROUPS}?limit=0", None, [("/limit", "min_value")]),
    ("GET", f"{MEMBERS}?cursor=!", None, [("/cursor", "invalid_cursor")]),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"), BAD, ids=[f"{each[0]} {each[2]}" for each in BAD]
)
def test_each_fault_is_named(
    crm: Gateway, method: str, path: str, body: Any, expected: list[tuple[str, str]]
) -> None:
    assert faults(crm.call(method, path, body)) == expected
    assert list(Group.objects.values_list("code", "name")) == [("staff", "Staff")]
    assert members(crm) == []


@pytest.mark.parametrize("code", ["nobody", "%00", "%ff", "Staff", "staff%20", "x" * 500, "..%2f"])
@pytest.mark.parametrize("path", ["", "/members"])
def test_an_unknown_group_is_not_found(crm: Gateway, code: str, path: str) -> None:
    problem(crm.get(f"{GROUPS}/{code}{path}"), 404, "not_found")
