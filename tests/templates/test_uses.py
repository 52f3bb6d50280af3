"""Each place of a source that uses a parameter is found: through loops, assignments and macros."""

import pytest

from templates_app.uses import uses

USES: dict[str, tuple[str, list[str]]] = {
    "a name": ("{{ a }}", ["a"]),
    "a path": ("{{ a.b['c d'].e }}", ["a.b.c d.e"]),
    "a loop": ("{% for x in a.l %}{{ x.y }}{{ loop.index }}{% endfor %}{{ x }}", ["a.l", "a.l[].y", "x"]),
    "a loop in a loop": (
        "{% for x in a %}{% for y in x.l %}{{ y }}{% endfor %}{% endfor %}",
        ["a", "a[].l", "a[].l[]"],
    ),
    "a loop over pairs": ("{% for k, v in a.items() %}{{ k }}{{ v }}{% endfor %}", ["a"]),
    "an index": ("{{ a[0].b }}{{ c[i] }}", ["a[].b", "i", "c[]"]),
    "a name for a path": ("{% set x = a.b %}{{ x.c }}{% with y = x.d %}{{ y.e }}{% endwith %}", [
        "a.b", "a.b.c", "a.b.d", "a.b.d.e",
    ]),
    "a block of its own": ("{% set x %}{{ a }}{% endset %}{{ x }}", ["a"]),
    "a macro": ("{% macro m(p, q=d) %}{{ p }}{{ g }}{% endmacro %}{{ m(a) }}", ["d", "g", "a"]),
    "items of a list of items": ("{{ a|map(attribute='b.c')|join(', ') }}{{ (d|first).e }}", [
        "a", "a[].b.c", "d[].e",
    ]),
    "functions of the engine": ("{% for n in range(a) %}{{ n }}{% endfor %}{{ dict(b=c) }}", ["a", "c"]),
    "what another part names": ("{% include 'x' %}{% import 'y' as y %}{{ y.z }}{% from 'q' import r %}{{ r() }}", []),
    "what is chosen": ("{{ a if b else c }}{{ d or e }}{{ not f }}{{ g == h }}", list("bacdefgh")),
    "no template": ("{{ a", []),
}  # fmt: skip


@pytest.mark.parametrize(("source", "names"), USES.values(), ids=USES)
def test_each_use_of_a_parameter_is_found(source: str, names: list[str]) -> None:
    assert [use.name for use in uses(source)] == names


def test_a_use_knows_its_line() -> None:
    assert [(use.name, use.line) for use in uses("x\n{{ a }}\n{% if b %}\n{{ c }}{% endif %}")] == [
        ("a", 2),
        ("b", 3),
        ("c", 4),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "{{ a" + " + a" * 1500 + " }}",
        "{{ a + " + "9" * 5000 + " }}",
        "{{ " + "[" * 150 + "a" + "]" * 150 + "}}",
    ],
)
def test_what_is_too_much_for_the_reader_gives_its_plain_names_at_most(source: str) -> None:
    assert {use.name for use in uses(source)} <= {"a"}


def test_what_only_the_engine_reads_gives_its_plain_names() -> None:
    source = "x\n{{ a[::-1] }}{{ b?.c }}"
    assert {use.name for use in uses(source)} <= {"a", "b"}
