from typing import Any

from pushcenter.demo.trace import trace_lines


def entry(**fields: Any) -> dict[str, Any]:
    defaults = {"tier": "access", "channel": "", "title": "Let in", "detail": "", "outcome": "ok"}
    return {"at": "2026-03-18T10:00:00+00:00", **defaults, **fields}


ENTRIES = [
    entry(),
    entry(
        at="2026-03-18T10:00:01.500000+00:00", tier="service", channel="email", title="Sent", detail="250 ok"
    ),
]


def test_times_count_from_the_first_entry_and_columns_are_aligned() -> None:
    assert trace_lines(ENTRIES, colours=False) == [
        "   +0 ms  +  access          Let in",
        "+1500 ms  +  service  email  Sent    250 ok",
    ]


def test_colours_are_for_terminals() -> None:
    (line,) = trace_lines([entry(outcome="bad")], colours=True)
    assert line.startswith("\x1b[31m")
    assert line.endswith("\x1b[0m")


def test_a_provider_cannot_steer_the_terminal() -> None:
    (line,) = trace_lines([entry(detail="a\x1b[2Jb\nc")], colours=False)
    assert line.endswith("a [2Jb c")


def test_no_entries_are_no_lines() -> None:
    assert trace_lines([], colours=True) == []
