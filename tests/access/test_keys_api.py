"""A system manages its own keys; none gets more than the one that made it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from pushcenter.access.keys import digest
from pushcenter.access.models import ApiKey, Scope
from pushcenter.messaging.models import IdempotentCall
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
KEYS, SYSTEM = "/api/v1/keys", "/api/v1/system"


@pytest.fixture
def manager(db: None) -> Gateway:
    """The shop with a key that may do everything."""
    return Gateway(factories.key(name="manager")[1])


def manager_with(**fields: Any) -> Gateway:
    return Gateway(factories.key(**fields)[1])


def key_of(secret: str) -> ApiKey:
    return ApiKey.objects.get(digest=digest(secret))


def soon(**by: float) -> Any:
    return (timezone.now() + timedelta(**by)).replace(microsecond=0)


# --- Who am I? ---------------------------------------------------------------------------------------------


def test_every_key_can_ask_who_it_is_and_what_is_permitted() -> None:
    system = factories.system(channels=["email"], templates=["order-paid"], rate=50, daily_quota=9)
    key, secret = factories.key(system, scopes=[Scope.STATS], is_test=True)
    answer = Gateway(secret).get(SYSTEM).json()
    assert (answer["code"], answer["name"]) == ("shop", "Shop")
    assert (answer["key"]["id"], answer["key"]["prefix"]) == (str(key.pk), key.prefix)
    assert (answer["key"]["scopes"], answer["key"]["test"]) == (["stats"], True)
    assert answer["permissions"] == {
        "templates": ["order-paid"],
        "categories": [],
        "channels": ["email"],
        "highest_priority": "critical",
        "may_address_inline": True,
        "may_broadcast": True,
    }
    assert answer["limits"] == {
        "requests_per_second": 50,
        "burst": 1000,
        "max_batch": 10_000,
        "max_broadcast": None,
        "messages_per_day": 9,
    }
    assert secret not in str(answer)
    assert digest(secret) not in str(answer)


# --- List --------------------------------------------------------------------------------------------------


def test_the_keys_of_the_own_system_are_listed_newest_first_page_by_page(manager: Gateway) -> None:
    for number in range(4):
        factories.key(name=str(number))
    factories.key(factories.system("erp"), name="a stranger's")
    first = manager.get(KEYS, limit=3).json()
    second = manager.get(KEYS, limit=3, cursor=first["next"]).json()
    assert [each["name"] for each in first["keys"]] == ["3", "2", "1"]
    assert [each["name"] for each in second["keys"]] == ["0", "manager"]
    assert second["next"] is None
    assert "secret" not in first["keys"][0]


QUERIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no cursor": ({"cursor": "x"}, "/cursor", "invalid"),
    "no limit": ({"limit": 0}, "/limit", "min_value"),
    "a misspelt name": ({"curser": 1}, "/curser", "unknown_field"),
}


@pytest.mark.parametrize(("query", "pointer", "code"), QUERIES.values(), ids=QUERIES)
def test_a_bad_query_is_refused(manager: Gateway, query: dict[str, Any], pointer: str, code: str) -> None:
    assert faults(manager.get(KEYS, **query)) == [(pointer, code)]


# --- Create ------------------------------------------------------------------------------------------------


def test_a_new_key_works_and_its_secret_is_told_once(manager: Gateway) -> None:
    body = {"name": "night", "scopes": ["send", "read", "send"], "expires_at": soon(days=1).isoformat()}
    answer = manager.post(KEYS, body)
    assert answer.status_code == 201
    made = answer.json()
    key = key_of(made["secret"])
    assert (key.name, key.scopes, key.is_test) == ("night", ["send", "read"], False)
    assert made["id"] == str(key.pk)
    assert made["secret"] not in manager.get(KEYS).content.decode()
    assert Gateway(made["secret"]).get(SYSTEM).status_code == 200
    problem(Gateway(made["secret"]).get(KEYS), 403, "missing_scope")


BAD: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "nothing": ({}, [("/scopes", "required")]),
    "an array": ([], [("", "invalid")]),
    "no scope": ({"scopes": []}, [("/scopes", "empty")]),
    "an unknown scope": ({"scopes": ["fly"]}, [("/scopes/0", "invalid_choice")]),
    "a scope that is none": ({"scopes": [None, 7]}, [("/scopes/0", "null"), ("/scopes/1", "invalid_choice")]),
    "an unknown field": ({"scopes": ["send"], "system": "erp"}, [("/system", "unknown_field")]),
    "a long name": ({"scopes": ["send"], "name": "x" * 101}, [("/name", "max_length")]),
    "no network": (
        {"scopes": ["send"], "allowed_networks": ["10.0.0.0/8", "office"]},
        [("/allowed_networks/1", "invalid_network")],
    ),
    "host bits": (
        {"scopes": ["send"], "allowed_networks": ["10.0.0.1/8"]},
        [("/allowed_networks/0", "invalid_network")],
    ),
    "no moment": ({"scopes": ["send"], "expires_at": "soon"}, [("/expires_at", "invalid_datetime")]),
    "no zone": (
        {"scopes": ["send"], "expires_at": "2030-01-01T00:00:00"},
        [("/expires_at", "missing_time_zone")],
    ),
    "the past": (
        {"scopes": ["send"], "expires_at": "2001-01-01T00:00:00Z"},
        [("/expires_at", "in_the_past")],
    ),
    "perhaps a test": ({"scopes": ["send"], "test": "perhaps"}, [("/test", "invalid")]),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=BAD)
def test_a_bad_key_is_refused_and_not_made(
    manager: Gateway, body: Any, expected: list[tuple[str, str]]
) -> None:
    assert faults(manager.post(KEYS, body)) == expected
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("name", ["'; DROP TABLE access_apikey; --", "{{ 7 * 7 }}", "<script>", "鍵 🔑"])
def test_a_name_is_a_name(manager: Gateway, name: str) -> None:
    made = manager.post(KEYS, {"scopes": ["send"], "name": name}).json()
    assert (made["name"], key_of(made["secret"]).name) == (name, name)


TOO_MUCH: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = {
    "another scope": (
        {"scopes": ["keys", "read"]},
        {"scopes": ["read", "send", "stats"]},
        [("/scopes/1", "scope_not_permitted"), ("/scopes/2", "scope_not_permitted")],
    ),
    "a live key by a test key": (
        {"is_test": True},
        {"scopes": ["send"]},
        [("/test", "live_key_not_permitted")],
    ),
    "every network": (
        {"allowed_networks": ["127.0.0.0/8"]},
        {"scopes": ["send"], "allowed_networks": []},
        [("/allowed_networks", "network_not_permitted")],
    ),
    "another network": (
        {"allowed_networks": ["127.0.0.0/8"]},
        {"scopes": ["send"], "allowed_networks": ["127.1.0.0/16", "10.0.0.0/8", "::1"]},
        [
            ("/allowed_networks/1", "network_not_permitted"),
            ("/allowed_networks/2", "network_not_permitted"),
        ],
    ),
    "a longer life": (
        {"expires_at": soon(hours=1)},
        {"scopes": ["send"], "expires_at": soon(hours=2).isoformat()},
        [("/expires_at", "outlives_its_maker")],
    ),
}


@pytest.mark.parametrize(("own", "body", "expected"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_key_hands_on_no_more_than_it_has(
    own: dict[str, Any], body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert faults(manager_with(**own).post(KEYS, body), 403, "not_permitted") == expected
    assert ApiKey.objects.count() == 1


def test_a_new_key_has_the_networks_and_the_end_of_its_maker() -> None:
    end = soon(hours=1)
    caller = manager_with(is_test=True, allowed_networks=["127.0.0.0/8"], expires_at=end)
    key = key_of(caller.post(KEYS, {"scopes": ["send"], "test": True}).json()["secret"])
    assert (key.allowed_networks, key.expires_at, key.is_test) == (["127.0.0.0/8"], end, True)


# --- Rotate ------------------------------------------------------------------------------------------------


def test_a_rotated_key_works_beside_its_successor_until_the_overlap_ends(manager: Gateway) -> None:
    old, secret = factories.key(name="till", scopes=["send", "read"], allowed_networks=["127.0.0.0/8"])
    answer = manager.post(f"{KEYS}/{old.pk}/rotate", {"overlap_seconds": 3600})
    assert answer.status_code == 201
    new = key_of(answer.json()["secret"])
    assert answer.json()["predecessor"] == str(old.pk)
    same = ("system", "name", "is_test", "scopes", "allowed_networks")
    assert [getattr(new, name) for name in same] == [getattr(old, name) for name in same]
    old.refresh_from_db()
    assert old.expires_at is not None
    assert abs(old.expires_at - soon(hours=1)) < timedelta(minutes=1)
    assert new.expires_at is None
    for each in (secret, answer.json()["secret"]):
        assert Gateway(each).get(SYSTEM).status_code == 200


def test_without_an_overlap_the_old_key_ends_at_once(manager: Gateway) -> None:
    old, secret = factories.key()
    assert manager.post(f"{KEYS}/{old.pk}/rotate", {"overlap_seconds": 0}).status_code == 201
    problem(Gateway(secret).get(SYSTEM), 401, "invalid_key")


def test_a_rotation_lasts_a_day_and_prolongs_no_life(manager: Gateway) -> None:
    end = soon(minutes=5)
    ending, lasting = factories.key(expires_at=end)[0], factories.key()[0]
    for key in (ending, lasting):
        assert manager.post(f"{KEYS}/{key.pk}/rotate", {}).status_code == 201
        key.refresh_from_db()
    assert ending.expires_at == end
    assert lasting.expires_at is not None
    assert abs(lasting.expires_at - soon(days=1)) < timedelta(minutes=1)


def test_a_key_can_rotate_itself(manager: Gateway) -> None:
    own = manager.get(SYSTEM).json()["key"]["id"]
    successor = Gateway(manager.post(f"{KEYS}/{own}/rotate", {}).json()["secret"])
    assert successor.get(KEYS).status_code == 200
    # The old one may still manage, but what it makes ends with it.
    end = manager.get(SYSTEM).json()["key"]["expires_at"]
    made = manager.post(KEYS, {"scopes": ["send"]}).json()
    assert parse_datetime(made["expires_at"]) == parse_datetime(end)


@pytest.mark.parametrize("over", [{"expires_at": soon(days=-1)}, {"revoked_at": soon(days=-1)}])
def test_a_key_that_has_ended_is_not_rotated(manager: Gateway, over: dict[str, Any]) -> None:
    old = factories.key(**over)[0]
    problem(manager.post(f"{KEYS}/{old.pk}/rotate", {}), 409, "key_ended")
    assert not old.successors.exists()


def test_a_rotation_gives_nobody_more_than_he_has() -> None:
    strong = factories.key()[0]
    caller = manager_with(scopes=["keys"])
    answer = caller.post(f"{KEYS}/{strong.pk}/rotate", {})
    assert {code for _pointer, code in faults(answer, 403, "not_permitted")} == {"scope_not_permitted"}
    strong.refresh_from_db()
    assert strong.expires_at is None


@pytest.mark.parametrize(
    ("body", "code"),
    [({"overlap_seconds": -1}, "min_value"), ({"overlap_seconds": 2**40}, "max_value")],
)
def test_a_bad_overlap_is_refused(manager: Gateway, body: dict[str, Any], code: str) -> None:
    old = factories.key()[0]
    assert faults(manager.post(f"{KEYS}/{old.pk}/rotate", body)) == [("/overlap_seconds", code)]
    assert not old.successors.exists()


@pytest.mark.parametrize("what", ["", "/rotate"], ids=["new", "successor"])
def test_a_repeated_call_makes_one_key_and_its_secret_is_not_kept_readable(
    manager: Gateway, what: str
) -> None:
    place = f"{KEYS}/{factories.key(scopes=['send'])[0].pk}{what}" if what else KEYS
    body = {} if what else {"scopes": ["send"]}
    first, second = (manager.post(place, body, **{"Idempotency-Key": "k-1"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    kept = bytes(IdempotentCall.objects.get().body)
    assert first.json()["secret"][14:].encode() not in kept
    assert ApiKey.objects.filter(digest=digest(first.json()["secret"])).count() == 1


# --- Revoke ------------------------------------------------------------------------------------------------


def test_a_revoked_key_opens_nothing_any_more(manager: Gateway) -> None:
    key, secret = factories.key()
    first = manager.post(f"{KEYS}/{key.pk}/revoke", {})
    assert first.status_code == 200
    assert first.json()["revoked_at"]
    problem(Gateway(secret).get(SYSTEM), 401, "invalid_key")
    assert manager.post(f"{KEYS}/{key.pk}/revoke", {}).json() == first.json(), "a second time changes nothing"


def test_a_key_can_revoke_itself(manager: Gateway) -> None:
    own = manager.get(SYSTEM).json()["key"]["id"]
    assert manager.post(f"{KEYS}/{own}/revoke", {}).status_code == 200
    problem(manager.get(SYSTEM), 401, "invalid_key")


# --- Whose keys? -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_the_keys_of_another_system_are_not_found(manager: Gateway, what: str) -> None:
    theirs = factories.key(factories.system("erp"))[0]
    hidden = problem(manager.post(f"{KEYS}/{theirs.pk}/{what}", {}), 404, "not_found")
    nowhere = problem(manager.post(f"{KEYS}/{uuid4()}/{what}", {}), 404, "not_found")
    assert hidden == nowhere
    theirs.refresh_from_db()
    assert (theirs.revoked_at, theirs.expires_at) == (None, None)


@pytest.mark.parametrize("what", ["rotate", "revoke"])
def test_a_test_key_ends_no_live_key(what: str) -> None:
    live = factories.key()[0]
    problem(manager_with(is_test=True).post(f"{KEYS}/{live.pk}/{what}", {}), 403, "not_permitted")
    live.refresh_from_db()
    assert (live.revoked_at, live.expires_at) == (None, None)
