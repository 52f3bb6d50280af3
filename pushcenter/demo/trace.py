"""A message's timeline as text for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

# Escape sequences of ECMA-48 for green, yellow, red and, for the rest, none.
COLOURS = {"ok": "\x1b[32m", "warning": "\x1b[33m", "bad": "\x1b[31m"}
PLAIN = "\x1b[0m"
MARKS = {"ok": "+", "warning": "!", "bad": "x"}


def trace_lines(entries: Sequence[Mapping[str, Any]], *, colours: bool) -> list[str]:
    """One line for each entry, with its milliseconds since the first one, in aligned columns."""
    if not entries:
        return []
    start = datetime.fromisoformat(entries[0]["at"])
    rows = [
        (
            f"+{(datetime.fromisoformat(entry['at']) - start).total_seconds() * 1000:.0f} ms",
            MARKS.get(entry["outcome"], "·"),
            entry["tier"],
            entry["channel"],
            entry["title"],
        )
        for entry in entries
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _coloured(_line(row, widths, entry["detail"]), entry["outcome"], colours=colours)
        for row, entry in zip(rows, entries, strict=True)
    ]


def _line(row: Iterable[str], widths: Sequence[int], detail: str) -> str:
    offset, *rest = row
    cells = [
        offset.rjust(widths[0]),
        *(cell.ljust(width) for cell, width in zip(rest, widths[1:], strict=True)),
    ]
    return printable("  ".join([*cells, detail])).rstrip()


def printable(text: str) -> str:
    """Without control characters: a provider's words must not steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _coloured(line: str, outcome: str, *, colours: bool) -> str:
    return f"{COLOURS[outcome]}{line}{PLAIN}" if colours and outcome in COLOURS else line
