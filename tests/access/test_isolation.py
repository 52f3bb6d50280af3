"""A system sees its own messages, and not even that there are others."""

from uuid import uuid4

import pytest

from tests import factories
from tests.access.gateway import MESSAGES, Gateway, problem


@pytest.mark.parametrize("what", ["", "/trace", "/explain"], ids=["message", "trace", "explain"])
def test_the_message_of_another_system_is_not_found(shop: Gateway, what: str) -> None:
    place = shop.send()["Location"] + what
    stranger = Gateway(factories.key(factories.system("erp"))[1])
    assert shop.get(place).status_code == 200
    hidden = problem(stranger.get(place), 404, "not_found")
    nowhere = problem(stranger.get(f"{MESSAGES}/{uuid4()}{what}"), 404, "not_found")
    assert hidden == nowhere


def test_nobody_cancels_the_message_of_another_system(shop: Gateway) -> None:
    place = shop.send()["Location"]
    stranger = Gateway(factories.key(factories.system("erp"))[1])
    hidden = problem(stranger.raw(f"{place}/cancel", b""), 404, "not_found")
    assert hidden == problem(stranger.raw(f"{MESSAGES}/{uuid4()}/cancel", b""), 404, "not_found")
    assert stranger.get(MESSAGES).json() == {"items": [], "next": None}
    assert shop.get(place).json()["status"] == "pending"


def test_all_keys_of_a_system_see_its_messages(shop: Gateway) -> None:
    place = shop.send()["Location"]
    colleague = Gateway(factories.key(scopes=["read"])[1])
    assert colleague.get(place).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/not-a-uuid", "/00000000-0000-0000-0000-000000000000", "/%00", "/%ff", "/..%2f..%2fetc"],
)
def test_what_is_no_id_is_not_found(shop: Gateway, path: str) -> None:
    problem(shop.get(MESSAGES + path), 404, "not_found")
