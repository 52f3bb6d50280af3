"""Which channels a message takes: tables over a pure function."""

from typing import Any

import pytest

from pushcenter.messaging.routing import Route, plan
from pushcenter.recipients.person import Person

ALL = ["inbox", "email", "sms"]
EVERYWHERE = {"recipient": "u-1", "email": "ann@example.com", "phone": "+8613800138000"}


def route(**changes: Any) -> Route:
    given: dict[str, Any] = {
        "channels": ALL,
        "first_only": False,
        "category": "orders",
        "is_mandatory": False,
        "variants": set(ALL),
        "permitted": (),
        "served": set(ALL),
        **changes,
    }
    return Route(**given)


def decisions(on: Route, **person: Any) -> list[tuple[str, str, str]]:
    made = plan(on, Person(**{"places": EVERYWHERE, **person}))
    return [(each.channel, each.choice.value, each.reason.value) for each in made]


CHOSEN = [(name, "chosen", "in_route") for name in ALL]


def but(name: str, reason: str) -> list[tuple[str, str, str]]:
    """All are chosen, except this one."""
    return [(each, "skipped", reason) if each == name else (each, "chosen", "in_route") for each in ALL]


def test_a_channel_without_objection_is_chosen_with_its_address() -> None:
    assert decisions(route()) == CHOSEN
    assert [(each.kind, each.address) for each in plan(route(), Person(places=EVERYWHERE))] == list(
        EVERYWHERE.items()
    )


OBJECTIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = {
    "not permitted": ({"permitted": ["inbox", "sms"]}, {}, but("email", "not_permitted")),
    "no variant": ({"variants": {"inbox", "sms"}}, {}, but("email", "no_variant")),
    "no address": (
        {},
        {"places": {"recipient": "u-1", "phone": "+8613800138000"}},
        but("email", "no_address"),
    ),
    "muted on it": ({}, {"muted": frozenset({("orders", "email")})}, but("email", "opted_out")),
    "muted on all": (
        {},
        {"muted": frozenset({("orders", "")})},
        [(name, "skipped", "opted_out") for name in ALL],
    ),
    "another category muted": ({}, {"muted": frozenset({("news", "")})}, CHOSEN),
    "muted but mandatory": ({"is_mandatory": True}, {"muted": frozenset({("orders", "")})}, CHOSEN),
    "suppressed on it": (
        {},
        {"suppressed": {("email", "ann@example.com", "email"): "complained"}},
        but("email", "suppressed"),
    ),
    "suppressed on all": (
        {},
        {"suppressed": {("email", "ann@example.com", ""): "unreachable"}},
        but("email", "suppressed"),
    ),
    "suppressed elsewhere": ({}, {"suppressed": {("email", "ann@example.com", "push"): "manual"}}, CHOSEN),
    "another address suppressed": ({}, {"suppressed": {("email", "bob@example.com", ""): "manual"}}, CHOSEN),
    "suppressed though mandatory": (
        {"is_mandatory": True},
        {"suppressed": {("email", "ann@example.com", ""): "unreachable"}},
        but("email", "suppressed"),
    ),
    "no account": ({"served": {"inbox", "sms"}}, {}, but("email", "no_account")),
    "the weightiest of several": (
        {"permitted": ["inbox", "sms"], "variants": {"inbox", "sms"}, "served": {"inbox", "sms"}},
        {"muted": frozenset({("orders", "email")})},
        but("email", "not_permitted"),
    ),
}


@pytest.mark.parametrize(("changes", "person", "expected"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_an_objection_skips_its_channel_alone(
    changes: dict[str, Any], person: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert decisions(route(**changes), **person) == expected


FIRST: dict[str, tuple[list[str], list[tuple[str, str, str]]]] = {
    "all usable": (
        ALL,
        [
            ("inbox", "chosen", "in_route"),
            ("email", "fallback", "kept_as_fallback"),
            ("sms", "fallback", "kept_as_fallback"),
        ],
    ),
    "first not served": (
        ["email", "sms"],
        [
            ("inbox", "skipped", "no_account"),
            ("email", "chosen", "in_route"),
            ("sms", "fallback", "kept_as_fallback"),
        ],
    ),
    "middle not served": (
        ["inbox", "sms"],
        [
            ("inbox", "chosen", "in_route"),
            ("email", "skipped", "no_account"),
            ("sms", "fallback", "kept_as_fallback"),
        ],
    ),
    "none served": ([], [(name, "skipped", "no_account") for name in ALL]),
}


@pytest.mark.parametrize(("served", "expected"), FIRST.values(), ids=FIRST)
def test_a_chain_begins_with_its_first_usable_channel(
    served: list[str], expected: list[tuple[str, str, str]]
) -> None:
    assert decisions(route(first_only=True, served=served)) == expected


def test_a_channel_kept_back_keeps_its_address() -> None:
    kept = plan(route(first_only=True), Person(places=EVERYWHERE))[1]
    assert (kept.kind, kept.address) == ("email", "ann@example.com")


def test_the_order_of_the_route_is_kept() -> None:
    assert [name for name, _, _ in decisions(route(channels=["sms", "inbox"]))] == ["sms", "inbox"]


def test_an_empty_route_has_no_decisions() -> None:
    assert decisions(route(channels=[])) == []


def test_a_decision_says_more_where_there_is_more() -> None:
    suppressed = {("email", "ann@example.com", ""): "complained"}
    muted = frozenset({("orders", "sms")})
    made = plan(route(), Person(places=EVERYWHERE, suppressed=suppressed, muted=muted))
    assert [each.detail for each in made] == ["", "complained", "muted orders"]
    assert made[1].as_json() == {
        "channel": "email",
        "choice": "skipped",
        "reason": "suppressed",
        "detail": "complained",
        "kind": "email",
        "address": "ann@example.com",
    }
