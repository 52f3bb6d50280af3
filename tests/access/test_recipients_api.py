"""The directory as a system keeps it: one person at a time."""

from typing import Any

import pytest

from pushcenter.messaging import dispatch
from pushcenter.recipients.models import Group, Preference, Recipient
from pushcenter.recipients.resolve import resolve
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
PEOPLE = "/api/v1/recipients"
ANN = f"{PEOPLE}/u-7"
MAIL = {"kind": "email", "value": "ann@example.com"}
EMPTY = {"external_id": "u-7", "name": "", "locale": "", "time_zone": "", "groups": [], "addresses": []}


@pytest.fixture
def crm(db: None) -> Gateway:
    """A system that keeps the directory, in which there are two groups."""
    for code in ("staff", "vip"):
        Group.objects.create(code=code, name=code.title())
    return Gateway(factories.key(factories.system("crm"), scopes=["recipients"])[1])


def told(response: Any, status: int = 200) -> dict[str, Any]:
    """The person in an answer, without the times."""
    assert response.status_code == status, response.content[:1000]
    return {name: value for name, value in response.json().items() if not name.endswith("_at")}


def test_somebody_is_taken_in_with_everything(crm: Gateway) -> None:
    phone = {"kind": "phone", "value": "+86 138 0013 8000"}
    body = {
        "external_id": "u-7", "name": "Ann", "locale": "zh-hans", "time_zone": "Asia/Shanghai",
        "groups": ["vip", "staff"], "addresses": [{**MAIL, "value": "Ann@EXAMPLE.com"}, phone],
    }  # fmt: skip
    response = crm.post(PEOPLE, body)
    assert response["Location"] == ANN
    stored = [
        {"kind": "email", "value": "Ann@example.com", "is_primary": True},
        {"kind": "phone", "value": "+8613800138000", "is_primary": True},
    ]
    assert told(response, 201) == {**body, "groups": ["staff", "vip"], "addresses": stored}
    assert told(crm.get(ANN)) == told(response, 201)


def test_nobody_is_taken_in_twice(crm: Gateway) -> None:
    assert crm.post(PEOPLE, {"external_id": "u-7", "name": "Ann"}).status_code == 201
    problem(crm.post(PEOPLE, {"external_id": "u-7", "name": "Bob"}), 409, "already_exists")
    assert told(crm.get(ANN))["name"] == "Ann"


def test_writing_a_person_as_a_whole_empties_what_is_left_out(crm: Gateway) -> None:
    full = {"name": "Ann", "groups": ["staff"], "addresses": [MAIL], "external_id": "u-7"}
    assert told(crm.call("PUT", ANN, full), 201)["groups"] == ["staff"]
    assert told(crm.call("PUT", ANN, {"locale": "en"})) == {**EMPTY, "locale": "en"}
    assert told(crm.call("PUT", ANN, {})) == EMPTY


def test_a_change_leaves_the_rest_as_it_is(crm: Gateway) -> None:
    crm.call("PUT", ANN, {"name": "Ann", "groups": ["staff"], "addresses": [MAIL]})
    person = told(crm.call("PATCH", ANN, {"locale": "en", "groups": ["vip"]}))
    assert (person["name"], person["locale"], person["groups"]) == ("Ann", "en", ["vip"])
    assert [each["value"] for each in person["addresses"]] == ["ann@example.com"]
    assert told(crm.call("PATCH", ANN, {"addresses": [], "name": ""}))["addresses"] == []


def test_the_time_of_a_change_is_told_and_stays_when_nothing_changes(crm: Gateway) -> None:
    first = crm.call("PUT", ANN, {"name": "Ann", "addresses": [MAIL]}).json()
    assert crm.call("PUT", ANN, {"name": "Ann", "addresses": [MAIL]}).json() == first
    changed = crm.call("PATCH", ANN, {"name": "Anna"}).json()
    assert changed["updated_at"] > first["updated_at"]
    assert changed["created_at"] == first["created_at"]


A, B, C = ({"kind": "email", "value": f"{each}@example.com"} for each in "abc")
PRIMARY = {"is_primary": True}
ORDERS = {
    "the last one is used": ([A, B], "b"),
    "also among those known": ([B, A], "a"),
    "the primary one is used": ([{**A, **PRIMARY}, B, C], "a"),
    "a second time": ([C, {**B, **PRIMARY}, A], "b"),
    "said twice": ([A, B, A], "a"),
    "said twice, once as primary": ([{**A, **PRIMARY}, B, A], "a"),
}


@pytest.mark.parametrize(("addresses", "used"), ORDERS.values(), ids=ORDERS)
def test_of_several_addresses_of_a_kind_one_is_used(
    crm: Gateway, addresses: list[dict[str, Any]], used: str
) -> None:
    for before in ([A, B, C], [C, B, A], []):
        crm.call("PUT", ANN, {"addresses": before})
        shown = told(crm.call("PUT", ANN, {"addresses": addresses}))["addresses"]
        assert [each["value"] for each in shown if each["is_primary"]] == [f"{used}@example.com"]
        assert resolve({"recipient": "u-7"}).places["email"] == f"{used}@example.com"
        assert crm.call("PUT", ANN, {"addresses": shown}).json()["addresses"] == shown


def test_a_person_who_is_kept_can_be_written_to(shop: Gateway) -> None:
    assert shop.call("PUT", ANN, {"addresses": [MAIL]}).status_code == 201
    assert shop.send(to={"recipient": "u-7"}).status_code == 202


def test_the_directory_is_one_for_all_systems(crm: Gateway) -> None:
    crm.call("PUT", ANN, {"name": "Ann"})
    colleague = Gateway(factories.key(factories.system("erp"))[1])
    assert told(colleague.call("PATCH", ANN, {"locale": "en"}))["name"] == "Ann"


@pytest.mark.parametrize("external_id", ["张三", "a b", "100%", "a?b=c", "a:b", "ann@example.com", "x" * 200])
def test_an_id_can_have_any_visible_letters(crm: Gateway, external_id: str) -> None:
    place = crm.post(PEOPLE, {"external_id": external_id})["Location"]
    assert told(crm.get(place))["external_id"] == external_id


# --- Lists --------------------------------------------------------------------------------------------------


@pytest.fixture
def people(crm: Gateway) -> Gateway:
    for number, name in enumerate(["Ann", "Bob", "annika", "Zoe", "李雷"], start=1):
        crm.call("PUT", f"{PEOPLE}/u-{number}", {"name": name, "addresses": [MAIL] if number < 3 else []})
    crm.post("/api/v1/groups/vip/members", {"add": ["u-2", "u-5"]})
    return crm


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content[:1000]
    return [each["external_id"] for each in response.json()["items"]]


FILTERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "all": ({}, ["u-1", "u-2", "u-3", "u-4", "u-5"]),
    "a group": ({"group": "vip"}, ["u-2", "u-5"]),
    "an unknown group": ({"group": "nobody"}, []),
    "an address in another form": ({"kind": "email", "address": "ann@EXAMPLE.com"}, ["u-1", "u-2"]),
    "an address of nobody": ({"kind": "email", "address": "bob@example.com"}, []),
    "the beginning of an id": ({"q": "u-"}, ["u-1", "u-2", "u-3", "u-4", "u-5"]),
    "the beginning of a name": ({"q": "ANN"}, ["u-1", "u-3"]),
    "letters of Chinese": ({"q": "李"}, ["u-5"]),
    "nothing but letters": ({"q": "%"}, []),
    "all of them at once": ({"group": "vip", "q": "b", "kind": "email", "address": MAIL["value"]}, ["u-2"]),
}


@pytest.mark.parametrize(("query", "expected"), FILTERS.values(), ids=FILTERS)
def test_people_are_found(people: Gateway, query: dict[str, Any], expected: list[str]) -> None:
    assert ids(people.get(PEOPLE, **query)) == expected


def test_cursors_lead_through_all_people_whatever_changes_meanwhile(people: Gateway) -> None:
    page = people.get(PEOPLE, limit=2)
    assert ids(page) == ["u-1", "u-2"]
    people.call("DELETE", f"{PEOPLE}/u-2")
    people.call("PUT", f"{PEOPLE}/u-0", {})
    page = people.get(PEOPLE, limit=2, cursor=page.json()["next"])
    assert ids(page) == ["u-3", "u-4"]
    page = people.get(PEOPLE, limit=2, cursor=page.json()["next"])
    assert (ids(page), page.json()["next"]) == (["u-5"], None)


def test_a_page_that_ends_with_the_list_is_the_last(people: Gateway) -> None:
    assert people.get(PEOPLE, limit=5).json()["next"] is None


# --- Preferences --------------------------------------------------------------------------------------------

WISHES = f"{ANN}/preferences"


def test_what_a_person_has_muted_is_kept_and_told(crm: Gateway) -> None:
    crm.call("PUT", ANN, {})
    factories.category("news")
    factories.category("orders")
    assert crm.get(WISHES).json() == {"preferences": []}
    wishes = [
        {"category": "news", "channel": None, "muted": True},
        {"category": "orders", "channel": "sms", "muted": True},
    ]
    assert crm.call("PUT", WISHES, {"preferences": wishes[::-1]}).json() == {"preferences": wishes}
    person = resolve({"recipient": "u-7"})
    assert person.has_muted("news", "email")
    assert not person.has_muted("orders", "email")
    assert crm.call("PUT", WISHES, {"preferences": [{"category": "news", "muted": False}]}).json() == {
        "preferences": [{"category": "news", "channel": None, "muted": False}]
    }


def test_a_mandatory_category_cannot_be_muted_and_the_old_wishes_stay(crm: Gateway) -> None:
    crm.call("PUT", ANN, {})
    factories.category("news")
    factories.category("law", is_mandatory=True)
    crm.call("PUT", WISHES, {"preferences": [{"category": "news", "muted": True}]})
    bad = [{"category": "news", "muted": True}, {"category": "law", "muted": True}]
    assert faults(crm.call("PUT", WISHES, {"preferences": bad})) == [
        ("/preferences/1/muted", "mandatory_category")
    ]
    assert Preference.objects.count() == 1
    unmuted = {"preferences": [{"category": "law", "muted": False}]}
    assert crm.call("PUT", WISHES, unmuted).status_code == 200


def test_muted_means_not_sent(shop: Gateway) -> None:
    wishes = {"preferences": [{"category": "orders", "muted": True}]}
    shop.call("PUT", f"{PEOPLE}/u-1001/preferences", wishes)
    assert shop.send().json()["status"] == "skipped"


# --- Erasing ------------------------------------------------------------------------------------------------


def test_an_erased_person_is_gone_and_can_come_again(shop: Gateway) -> None:
    sent = shop.send()["Location"]
    dispatch.run("normal")
    assert shop.call("DELETE", f"{PEOPLE}/u-1001").status_code == 204
    problem(shop.get(f"{PEOPLE}/u-1001"), 404, "not_found")
    problem(shop.call("DELETE", f"{PEOPLE}/u-1001"), 404, "not_found")
    assert "u-1001" not in shop.get(sent).content.decode() + shop.get(f"{sent}/trace").content.decode()
    assert shop.post(PEOPLE, {"external_id": "u-1001"}).status_code == 201
    assert shop.get(f"{PEOPLE}/u-1001/inbox").json()["entries"] == []


# --- Test keys ----------------------------------------------------------------------------------------------

WRITES: list[tuple[str, str, Any]] = [
    ("POST", PEOPLE, {"external_id": "u-8"}),
    ("PUT", ANN, {}),
    ("PATCH", ANN, {"name": "Bob"}),
    ("DELETE", ANN, None),
    ("PUT", WISHES, {"preferences": []}),
    ("PUT", f"{PEOPLE}:bulk", {"items": [{"external_id": "u-8"}]}),
    ("POST", "/api/v1/groups", {"code": "new", "name": "New"}),
    ("PATCH", "/api/v1/groups/staff", {"name": "New"}),
    ("DELETE", "/api/v1/groups/staff", None),
    ("POST", "/api/v1/groups/staff/members", {"add": ["u-7"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES, ids=[f"{each[0]} {each[1]}" for each in WRITES])
def test_a_test_key_reads_the_directory_and_changes_nothing(
    crm: Gateway, method: str, path: str, body: Any
) -> None:
    crm.call("PUT", ANN, {"name": "Ann", "groups": ["vip"]})
    before = [crm.get(each).json() for each in (PEOPLE, "/api/v1/groups", WISHES)]
    tester = Gateway(factories.key(is_test=True)[1])
    assert "magic" in problem(tester.call(method, path, body), 403, "test_key")["detail"]
    assert [tester.get(each).json() for each in (PEOPLE, "/api/v1/groups", WISHES)] == before
    assert Recipient.objects.get().name == "Ann"
