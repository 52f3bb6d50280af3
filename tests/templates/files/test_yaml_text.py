"""YAML that loses nothing, and reads nothing that could mean two things."""

import random
from typing import Any

import pytest

from templates_app.files.yaml_text import NotReadable, read, written

PIECES = [
    "a", "no", "yes", "null", "~", "1e3", "1.0", "0x1F", "12:30", "2026-01-01", "  ", "\t", "\n", "\r\n", "\r", "\x85",
    "\u2028", "\ufeff", "é", "中", "😀", "- ", "# ", ": ", "{{ x }}", "{% if %}", "'", '"', "\\", "|", ">", "&a", "*a",
    "!t", "%", "@", "`", "...", "---", "\x07", "\x1b", "\xa0", "x" * 300, "y y" * 80, "=", "<<", ".inf", "+1", "-", "?",
    "0o7", "1_000", "on", "\uffff", "\u200b",
]  # fmt: skip
NUMBERS = [None, True, False, 0, -5, 12345678901234567890, 1.5, -0.0, 1e300, 1e-7, 1e3, 3.0]


def anything(dice: random.Random, depth: int = 0) -> Any:
    """JSON data out of what YAML is known to trip over."""
    kind = dice.random()
    if depth > 4 or kind < 0.5:
        return "".join(dice.choice(PIECES) for _ in range(dice.randint(0, 6)))
    if kind < 0.6:
        return dice.choice(NUMBERS)
    if kind < 0.8:
        return [anything(dice, depth + 1) for _ in range(dice.randint(0, 4))]
    return {str(anything(dice, 9)): anything(dice, depth + 1) for _ in range(dice.randint(0, 4))}


def test_nothing_gets_lost_on_the_way() -> None:
    dice = random.Random(20_391)
    for _ in range(1_500):
        value = anything(dice)
        # The representation tells True from 1, and 0.0 from -0.0.
        assert repr(read(written(value))) == repr(value)


def test_a_text_of_several_lines_reads_as_one() -> None:
    assert written({"text": "Hello {{ name }},\n\nyours\n"}) == "text: |\n  Hello {{ name }},\n\n  yours\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 2026-01-01", {"a": "2026-01-01"}),
        ("a: 010", {"a": 10}),
        ("1: x", {"1": "x"}),
        ("", None),
    ],
)
def test_words_are_words(text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: &x [1]\nb: *x", 1, "anchors"),
        ("a: 1\na: 2", 2, "twice"),
        ("a: !!python/object/apply:os.system ['x']", 1, "tags"),
        ("a: 1\nb: [", 2, "expected"),
        ("? [1]\n: 2", 1, "a word"),
        ("a: .inf", 1, "no numbers of JSON"),
        ("a: -.INF", 1, "no numbers of JSON"),
        ("a: .NaN", 1, "no numbers of JSON"),
        ('a: "\\UFFFFFFFF"', 0, "no sign has"),
        ("a: " + "9" * 500, 1, "too long"),
        ("[" * 3000, 0, "nested too deeply"),
        ("[" * 60 + "]" * 60, 0, "nested too deeply"),
        ("a: \x00", 0, "no YAML"),
    ],
)
def test_what_is_not_read(text: str, line: int, why: str) -> None:
    with pytest.raises(NotReadable, match=why) as caught:
        read(text)
    assert caught.value.line == line
