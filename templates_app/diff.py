"""How two texts differ: line by line, and within changed lines word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

#: So many lines that are the same are shown around a change.
CONTEXT = 3
#: Longer lines are not compared by words: that takes the square of their number.
MOST_WORDS = 1_500
#: Lines that have less than this in common are not taken for one that was changed.
ALIKE = 0.4
# Chinese and Japanese have no spaces between words: each character stands for itself.
_WORD = re.compile(r"\s+|[^\W⺀-鿿가-힯]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a line; ``is_changed`` where the other side has something else."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A line on one side, with its number counted from 1."""

    number: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Two lines beside each other. ``kind`` is ``same``, ``changed``, ``gone``, ``new`` or ``fold``.

    A ``fold`` stands for ``folded`` lines that are the same on both sides.
    """

    kind: str
    left: Side | None = None
    right: Side | None = None
    folded: int = 0


def rows(before: str, after: str) -> list[Row]:
    """All rows; none where both texts are the same."""
    left, right = before.splitlines(), after.splitlines()
    if left == right:
        return []
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [row for code in matcher.get_opcodes() for row in _block(code, left, right)]


def _block(code: tuple[str, int, int, int, int], left: list[str], right: list[str]) -> Iterator[Row]:
    tag, i1, i2, j1, j2 = code
    if tag == "equal":
        # Nothing stands before the first line and behind the last one that would need a context.
        before, behind = CONTEXT if i1 or j1 else 0, CONTEXT if i2 < len(left) or j2 < len(right) else 0
        yield from _same(left[i1:i2], (i1, j1), before, behind)
        return
    pairs = zip_longest(range(i1, i2), range(j1, j2))
    for i, j in pairs:
        yield _pair(i, j, left, right)


def _same(lines: list[str], at: tuple[int, int], before: int, behind: int) -> Iterator[Row]:
    hidden = len(lines) - before - behind
    for offset, line in enumerate(lines):
        if hidden > 1 and before <= offset < len(lines) - behind:
            if offset == before:
                yield Row(kind="fold", folded=hidden)
            continue
        pieces = [Piece(line)]
        yield Row(
            kind="same",
            left=Side(number=at[0] + offset + 1, pieces=pieces),
            right=Side(number=at[1] + offset + 1, pieces=pieces),
        )


def _pair(i: int | None, j: int | None, left: list[str], right: list[str]) -> Row:
    if i is None or j is None:
        kind = "new" if i is None else "gone"
        return Row(kind=kind, left=_whole(i, left), right=_whole(j, right))
    old, new = _words(left[i], right[j])
    return Row(kind="changed", left=Side(number=i + 1, pieces=old), right=Side(number=j + 1, pieces=new))


def _whole(at: int | None, lines: list[str]) -> Side | None:
    return None if at is None else Side(number=at + 1, pieces=[Piece(lines[at])])


def _words(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    left, right = _WORD.findall(before), _WORD.findall(after)
    if max(len(left), len(right)) > MOST_WORDS:
        return [Piece(before)], [Piece(after)]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [Piece(before)], [Piece(after)]
    old, new = [], []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        is_changed = tag != "equal"
        if i1 < i2:
            old.append(Piece("".join(left[i1:i2]), is_changed))
        if j1 < j2:
            new.append(Piece("".join(right[j1:j2]), is_changed))
    return old, new
