"""Whatever is said of a person, what is wrong with it is told by its place, and nothing is stored."""

from typing import Any

import pytest

from pushcenter.recipients.models import Address, Group, Preference, Recipient
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
PEOPLE = "/api/v1/recipients"
MAIL = {"kind": "email", "value": "ann@example.com"}
LONG = "x" * 3000


@pytest.fixture
def crm(db: None) -> Gateway:
    Group.objects.create(code="staff", name="Staff")
    factories.category("news")
    factories.recipient(addresses={})
    return Gateway(factories.key(factories.system("crm"), scopes=["recipients"])[1])


def mails(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"addresses": [{**MAIL, **each} for each in changes]}


FAULTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "unknown field": ({"nmae": "Ann"}, [("/nmae", "unknown_field")]),
    "name null": ({"name": None}, [("/name", "null")]),
    "name an object": ({"name": {}}, [("/name", "invalid")]),
    "name too long": ({"name": LONG}, [("/name", "max_length")]),
    "locale of strange letters": ({"locale": "e n"}, [("/locale", "invalid")]),
    "locale too long": ({"locale": "en-" * 12 + "en"}, [("/locale", "max_length")]),
    "unknown time zone": ({"time_zone": "Mars"}, [("/time_zone", "unknown_time_zone")]),
    "time zone in a path": ({"time_zone": "../../etc/passwd"}, [("/time_zone", "unknown_time_zone")]),
    "time zone too long": ({"time_zone": LONG}, [("/time_zone", "max_length")]),
    "groups a text": ({"groups": "staff"}, [("/groups", "not_a_list")]),
    "group an object": ({"groups": [{}]}, [("/groups/0", "invalid")]),
    "unknown group": ({"groups": ["staff", "Staff"]}, [("/groups/1", "unknown_group")]),
    "too many groups": ({"groups": ["staff"] * 201}, [("/groups", "max_length")]),
    "addresses an object": ({"addresses": MAIL}, [("/addresses", "not_a_list")]),
    "address a text": ({"addresses": ["ann@example.com"]}, [("/addresses/0", "invalid")]),
    "address null": ({"addresses": [None]}, [("/addresses/0", "null")]),
    "address empty": (
        {"addresses": [{}]},
        [("/addresses/0/kind", "required"), ("/addresses/0/value", "required")],
    ),
    "unknown kind": (mails({"kind": "fax"}), [("/addresses/0/kind", "invalid_choice")]),
    "kind of the inbox": (mails({"kind": "recipient"}), [("/addresses/0/kind", "invalid_choice")]),
    "kind an object": (mails({"kind": {}}), [("/addresses/0/kind", "invalid_choice")]),
    "bad email": (mails({}, {"value": "ann"}), [("/addresses/1/value", "invalid_email")]),
    "bad phone": (mails({"kind": "phone", "value": "1"}), [("/addresses/0/value", "invalid_phone")]),
    "bad url": (mails({"kind": "url", "value": "x"}), [("/addresses/0/value", "invalid_url")]),
    "bad token": (
        mails({"kind": "push_token", "value": "a b"}),
        [("/addresses/0/value", "invalid_push_token")],
    ),
    "address too long": (mails({"value": LONG}), [("/addresses/0/value", "max_length")]),
    "address of too many bytes": (
        mails({"kind": "push_token", "value": "界" * 1000}),
        [("/addresses/0/value", "max_length")],
    ),
    "unknown field of an address": (mails({"verified": True}), [("/addresses/0/verified", "unknown_field")]),
    "two primaries": (
        mails({"is_primary": True}, {"value": "b@example.com", "is_primary": True}),
        [("/addresses/1/is_primary", "second_primary")],
    ),
    "primary perhaps": (mails({"is_primary": "perhaps"}), [("/addresses/0/is_primary", "invalid")]),
    "too many addresses": ({"addresses": [MAIL] * 51}, [("/addresses", "max_length")]),
    "every fault at once": (
        {**mails({"value": "ann"}), "groups": ["x"], "time_zone": "x"},
        [
            ("/addresses/0/value", "invalid_email"),
            ("/groups/0", "unknown_group"),
            ("/time_zone", "unknown_time_zone"),
        ],
    ),
}
#: The same body by every way into the directory, and where its faults stand.
WAYS = [
    ("POST", PEOPLE, {"external_id": "u-7"}),
    ("PUT", f"{PEOPLE}/u-7", {}),
    ("PATCH", f"{PEOPLE}/u-1001", {}),
]


@pytest.mark.parametrize(("method", "path", "more"), WAYS, ids=[method for method, _, _ in WAYS])
def test_each_fault_is_named_with_its_place(
    crm: Gateway, method: str, path: str, more: dict[str, Any]
) -> None:
    for name, (body, expected) in FAULTS.items():
        assert faults(crm.call(method, path, {**more, **body})) == expected, name
    assert list(Recipient.objects.values_list("external_id", "name")) == [("u-1001", "Li Wei")]
    assert not Address.objects.exists()


BAD_IDS = ["", "a/b", "/", ".", "..", " u", "u ", "a\nb", "a\tb", "a\u200bb", "a\u2028b", "\u0085", "x" * 201]


@pytest.mark.parametrize("external_id", [*BAD_IDS, None, 7.5, True, [], {}], ids=repr)
def test_an_id_that_is_none_is_refused(crm: Gateway, external_id: Any) -> None:
    [(pointer, _code)] = faults(crm.post(PEOPLE, {"external_id": external_id}))
    assert pointer == "/external_id"


@pytest.mark.parametrize("step", ["%20u", "u%20", "a%0Ab", "a%E2%80%8Bb", "x" * 201])
def test_nobody_is_made_under_a_bad_id_in_the_address(crm: Gateway, step: str) -> None:
    [(pointer, _code)] = faults(crm.call("PUT", f"{PEOPLE}/{step}", {}))
    assert pointer == "/external_id"
    assert Recipient.objects.count() == 1


def test_the_id_in_the_body_is_that_of_the_address(crm: Gateway) -> None:
    for method in ("PUT", "PATCH"):
        response = crm.call(method, f"{PEOPLE}/u-1001", {"external_id": "u-7"})
        assert faults(response) == [("/external_id", "mismatch")]


@pytest.mark.parametrize("step", ["u-1", "%00", "%ff", "a%2Fb", "..%2f..%2fetc", "x" * 500, "U-1001"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("what", ["", "/preferences"])
def test_who_is_not_there_is_not_found(crm: Gateway, step: str, method: str, what: str) -> None:
    method = "PUT" if what and method == "PATCH" else method
    if not what or method != "DELETE":
        problem(crm.call(method, f"{PEOPLE}/{step}{what}", {"preferences": []}), 404, "not_found")


QUERIES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "limit zero": ({"limit": 0}, [("/limit", "min_value")]),
    "limit too large": ({"limit": 201}, [("/limit", "max_value")]),
    "limit a text": ({"limit": "many"}, [("/limit", "invalid")]),
    "cursor of no letters": ({"cursor": "!"}, [("/cursor", "invalid_cursor")]),
    "cursor not UTF-8": ({"cursor": "_w"}, [("/cursor", "invalid_cursor")]),
    "cursor with a null character": ({"cursor": "AA"}, [("/cursor", "invalid_cursor")]),
    "cursor in Chinese": ({"cursor": "界"}, [("/cursor", "invalid_cursor")]),
    "kind alone": ({"kind": "email"}, [("/address", "required")]),
    "address alone": ({"address": "ann@example.com"}, [("/kind", "required")]),
    "unknown kind": ({"kind": "fax", "address": "1"}, [("/kind", "invalid_choice")]),
    "bad address": ({"kind": "phone", "address": "1"}, [("/address", "invalid_phone")]),
    "q empty": ({"q": ""}, [("/q", "blank")]),
    "q with a null character": ({"q": "\0"}, [("/q", "null_characters_not_allowed")]),
    "group too long": ({"group": LONG}, [("/group", "max_length")]),
    "unknown parameter": ({"name": "Ann"}, [("/name", "unknown_field")]),
}


@pytest.mark.parametrize(("query", "expected"), QUERIES.values(), ids=QUERIES)
def test_a_bad_question_is_refused(
    crm: Gateway, query: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(crm.get(PEOPLE, **query)) == expected


INJECTIONS = ["' OR '1'='1", "'; DROP TABLE recipients_recipient; --", "{{ 7*7 }}", "%s%n", "%", "_"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_an_injected_text_finds_nothing_and_is_kept_as_it_is(crm: Gateway, text: str) -> None:
    for query in ({"q": text}, {"group": text}):
        assert crm.get(PEOPLE, **query).json() == {"items": [], "next": None}
    crm.call("PATCH", f"{PEOPLE}/u-1001", {"name": text})
    assert crm.get(f"{PEOPLE}/u-1001").json()["name"] == text


NEWS = {"category": "news", "muted": True}
WISHES: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "nothing": ({}, [("/preferences", "required")]),
    "a list": ([NEWS], [("", "invalid")]),
    "an object": ({"preferences": NEWS}, [("/preferences", "not_a_list")]),
    "no category": ({"preferences": [{"muted": True}]}, [("/preferences/0/category", "required")]),
    "not said whether": ({"preferences": [{"category": "news"}]}, [("/preferences/0/muted", "required")]),
    "unknown category": (
        {"preferences": [{**NEWS, "category": "gossip"}]},
        [("/preferences/0/category", "unknown_category")],
    ),
    "unknown channel": (
        {"preferences": [{**NEWS, "channel": "fax"}]},
        [("/preferences/0/channel", "unknown_channel")],
    ),
    "channel empty": ({"preferences": [{**NEWS, "channel": ""}]}, [("/preferences/0/channel", "blank")]),
    "twice": ({"preferences": [NEWS, {**NEWS, "channel": None}]}, [("/preferences/1", "duplicate")]),
    "unknown field": ({"preferences": [{**NEWS, "why": 1}]}, [("/preferences/0/why", "unknown_field")]),
    "too many": ({"preferences": [NEWS] * 1001}, [("/preferences", "max_length")]),
}


@pytest.mark.parametrize(("body", "expected"), WISHES.values(), ids=WISHES)
def test_a_bad_wish_is_refused(crm: Gateway, body: Any, expected: list[tuple[str, str]]) -> None:
    assert faults(crm.call("PUT", f"{PEOPLE}/u-1001/preferences", body)) == expected
    assert not Preference.objects.exists()
