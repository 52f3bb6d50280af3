"""Texts are compared by line, and changed lines by word."""

import pytest

from templates_app import diff
from templates_app.diff import Piece, Row


def told(found: list[Row]) -> list[str]:
    """Each row in one word with its numbers: ``changed 2 2``."""
    return [
        f"fold {row.folded}"
        if row.kind == "fold"
        else " ".join([row.kind, *(str(side.number) if side else "-" for side in (row.left, row.right))])
        for row in found
    ]


def marked(pieces: object) -> list[str]:
    return [each.text for each in pieces if isinstance(each, Piece) and each.is_changed]  # type: ignore[attr-defined]


def test_nothing_is_shown_of_texts_that_are_the_same() -> None:
    assert diff.rows("one\ntwo", "one\r\ntwo\n") == []


def test_lines_that_came_and_went() -> None:
    found = diff.rows("one\ntwo\nthree", "zero\none\nthree")
    assert told(found) == ["new - 1", "same 1 2", "gone 2 -", "same 3 3"]


def test_what_is_the_same_is_folded_but_for_three_lines_around() -> None:
    text = "\n".join(str(number) for number in range(1, 21))
    found = diff.rows(text, text.replace("10", "ten"))
    assert told(found) == [
        "fold 6", "same 7 7", "same 8 8", "same 9 9", "changed 10 10",
        "same 11 11", "same 12 12", "same 13 13", "fold 7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "old", "new"),
    [
        ("Your order is paid.", "Your parcel is paid.", ["order"], ["parcel"]),
        ("您的订单已付款", "您的订单已发货", ["付款"], ["发货"]),
        ("Dear {{ name }},", "Dear {{ recipient.name }},", [], ["recipient."]),
        ("alpha beta", "quite another sentence", [], []),
    ],
)
def test_words_within_a_line(before: str, after: str, old: list[str], new: list[str]) -> None:
    (row,) = diff.rows(before, after)
    assert row.left is not None
    assert row.right is not None
    assert (marked(row.left.pieces), marked(row.right.pieces)) == (old, new)


def test_a_line_without_end_is_compared_as_a_whole() -> None:
    (row,) = diff.rows("word " * 5_000, "other " * 5_000)
    assert row.left is not None
    assert marked(row.left.pieces) == []
