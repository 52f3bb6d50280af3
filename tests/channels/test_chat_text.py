"""Title, text and link of a chat message within the bytes that a provider takes."""

from typing import Any

import pytest

from channels_app.chat_text import markdown, mentions, own_message, plain
from channels_app.contract import Refused

FULL = {"title": "Paid", "text": "Order 7", "link": "https://example.com/7", "link_label": "Open"}


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ({"text": "Order 7"}, "Order 7"),
        ({"title": "Paid", "text": "Order 7"}, "Paid\nOrder 7"),
        (FULL, "Paid\nOrder 7\nOpen https://example.com/7"),
        ({"text": "Order 7", "link": "https://example.com/7"}, "Order 7\nhttps://example.com/7"),
    ],
)
def test_plain_text_has_each_part_on_its_own_lines(content: dict[str, Any], shown: str) -> None:
    assert plain(content, max_bytes=2048) == shown


def test_markdown_has_a_heading_and_a_link() -> None:
    assert markdown(FULL, max_bytes=2048) == "### Paid\n\nOrder 7\n\n[Open](https://example.com/7)"
    assert markdown({"text": "x", "link": "https://e.example"}, max_bytes=2048).endswith(
        "[https://e.example](https://e.example)"
    )
    assert markdown(FULL, max_bytes=2048, title="").startswith("Order 7")


@pytest.mark.parametrize("make", [plain, markdown])
@pytest.mark.parametrize("limit", [60, 61, 62, 63, 100, 2048])
def test_the_text_gives_way_and_never_the_link(make: Any, limit: int) -> None:
    shown = make({**FULL, "text": "字" * 1000}, max_bytes=limit, tail="[1a2b]")
    assert len(shown.encode()) <= limit
    assert len(shown.encode()) > limit - 4
    assert "https://example.com/7" in shown
    assert shown.endswith("[1a2b]")
    assert "…" in shown


def test_title_and_link_that_fill_everything_are_refused() -> None:
    with pytest.raises(Refused):
        plain({**FULL, "link": "https://example.com/" + "x" * 100}, max_bytes=100)


def test_mentions_are_ids_between_commas() -> None:
    assert mentions({"mentions": " ann, bob ,,all"}) == ["ann", "bob", "all"]
    assert mentions({}) == []


def test_a_message_of_the_providers_own_is_an_object() -> None:
    assert own_message({}) is None
    assert own_message({"payload": {"msgtype": "text"}}) == {"msgtype": "text"}
    with pytest.raises(Refused):
        own_message({"payload": [1]})
