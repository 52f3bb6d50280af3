"""A name that is surely another one is told from one that is only like it."""

import pytest

from templates_app.spelling import meant

NAMES = [
    ("ordr_no", "order_no", True),
    ("order_noo", "order_no", True),
    ("nmae", "name", True),
    ("recipent", "recipient", True),
    ("line_2", "line_1", False),
    ("items", "item", False),
    ("lines_total", "line_total", False),
    ("user_ip", "user_id", False),
    ("last_name", "first_name", False),
    ("shop", "order_no", False),
]


@pytest.mark.parametrize(("name", "known", "is_meant"), NAMES)
def test_a_name_is_another_one_or_its_own(name: str, known: str, *, is_meant: bool) -> None:
    assert meant(name, [known]) == (known if is_meant else "")


def test_a_name_that_waits_for_its_use_is_meant_sooner() -> None:
    assert meant("user_ip", ["user_id"], idle=["user_id"]) == "user_id"
