"""Which step of a chain is next: tables over pure functions."""

from typing import Any

import pytest
from django.utils import timezone

from pushcenter.messaging import chain
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.states import State


def plan(*untils: str) -> list[dict[str, Any]]:
    """A chain of the channels a, b, c, each until what is named."""
    return [
        {"channel": name, "choice": "fallback" if place else "chosen", "until": until, "within": 60}
        for place, (name, until) in enumerate(zip("abc", untils, strict=False))
    ]


def rows(**states: str) -> list[Delivery]:
    read = {"opened_at": timezone.now(), "state": State.DELIVERED}
    return [
        Delivery(channel=name, **(read if state == "read" else {"state": state}))
        for name, state in states.items()
    ]


NEXT: dict[str, tuple[list[str], dict[str, str], str, str | None]] = {
    "the first failed": (["sent", "sent"], {"a": "failed"}, "a", "b"),
    "the first was not delivered in time": (["delivered", "sent"], {"a": "sent"}, "a", "b"),
    "the first is in doubt": (["delivered", "sent"], {"a": "in_doubt"}, "a", "b"),
    "another is at it": (["sent"] * 3, {"a": "failed", "b": "pending"}, "a", None),
    "another is sent": (["sent"] * 3, {"a": "failed", "b": "sent"}, "a", None),
    "another waits for its receipt": (["delivered"] * 3, {"a": "sent", "b": "sent"}, "a", None),
    "both were not delivered in time": (["delivered"] * 3, {"a": "sent", "b": "sent"}, "b", "c"),
    "the one before has been delivered": (["delivered"] * 3, {"a": "delivered", "b": "failed"}, "b", None),
    "the one before has been read": (["read"] * 3, {"a": "read", "b": "delivered"}, "b", None),
    "the one before was not read": (["read"] * 3, {"a": "delivered", "b": "delivered"}, "b", "c"),
    "the one before is tried again": (["sent"] * 3, {"a": "pending", "b": "failed"}, "b", None),
    "an earlier one bounced late": (["delivered"] * 3, {"a": "undelivered", "b": "failed"}, "a", "c"),
    "the last failed": (["sent", "sent"], {"a": "failed", "b": "failed"}, "b", None),
}


@pytest.mark.parametrize(("untils", "states", "left", "expected"), NEXT.values(), ids=NEXT)
def test_the_next_channel(untils: list[str], states: dict[str, str], left: str, expected: str | None) -> None:
    found = rows(**states)
    of = next(each for each in found if each.channel == left)
    decision = chain.following(plan(*untils), found, of)
    assert (decision["channel"] if decision else None) == expected


def test_a_skipped_channel_neither_follows_nor_is_in_the_way() -> None:
    made = plan("sent", "sent", "sent")
    made[1]["choice"] = "skipped"
    found = rows(a="failed", b="skipped")
    decision = chain.following(made, found, found[0])
    assert decision is not None
    assert decision["channel"] == "c"


def test_plans_of_before_are_chains_until_sent() -> None:
    old = [{"channel": "a", "choice": "chosen"}, {"channel": "b", "choice": "fallback"}]
    assert chain.has_succeeded(old, rows(a="sent")[0])
    assert chain.told(old, old[0]) == "until a is sent"


def test_channels_that_are_all_taken_are_no_chain() -> None:
    both = [{"channel": "a", "choice": "chosen"}, {"channel": "b", "choice": "chosen"}]
    assert chain.following(both, rows(a="failed", b="failed"), rows(a="failed")[0]) is None
    assert chain.told(both, both[0]) == ""
