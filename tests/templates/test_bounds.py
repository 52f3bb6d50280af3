"""Whatever a source asks for, it ends soon, small, and with an error that names the place."""

import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

from templates_app.render import RenderError, compile_content, compile_errors

#: Seconds, and megabytes more than before.
SOON, SMALL = 0.1, 150
NS = "{% set ns = namespace(x='x') %}"
LIST = "{% set ns = namespace(x=[1]) %}"
LOOP = "{% for i in range(60) %}"


def grown(lists: str) -> str:
    """A source in which one list comes to hold itself twice, sixty times."""
    return "{% set x = [1, 1] %}" + lists * 60


BOMBS = {
    # text
    "times": "{{ 'x' * 10**9 }}",
    "times, counted": "{{ ('x' * 10**9)|length }}",
    "doubling": NS + LOOP + "{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubling by plus": NS + LOOP + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "doubling by replace": NS + LOOP + "{% set ns.x = (ns.x ~ 'x')|replace('x', 'xx') %}{% endfor %}",
    "doubling by a method": NS + LOOP + "{% set ns.x = ns.x.replace('x', 'xx') %}{% endfor %}",
    "doubling by a block": NS
    + LOOP
    + "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}{% endfor %}",
    "replace": "{{ ('x' * 90000)|replace('x', 'x' * 90000) }}",
    "join": "{{ range(90000)|join('x' * 90000) }}",
    "format": "{{ '%1000000000d'|format(1) }}",
    "format of a fraction": "{{ '%.1000000000f'|format(1.5) }}",
    "format by a method": "{{ '{:1000000000}'.format(1) }}",
    "format mapped": "{{ ['%1000000000d']|map('format', 1)|list }}",
    "indent": "{{ 'a\nb'|indent(10**9) }}",
    "indent of JSON": "{{ [1]|tojson(indent=1000000000) }}",
    "indent of JSON, by position": "{{ [1]|tojson(1000000000) }}",
    "indent of JSON, reckoned": "{{ [1]|tojson(10 ** 9) }}",
    "indent of JSON in a block": "{% filter tojson(1000000000) %}x{% endfilter %}",
    "indent of JSON, mapped": "{{ [[1]]|map('tojson', 1000000000)|list }}",
    "JSON of JSON": "{{ y" + "|tojson" * 30 + " }}",
    "lists of text": "{{ ['x' * 90000] * 10000 }}",
    "output": "{% for i in range(90000) %}{{ y }}{% endfor %}",
    "wide list": "{{ [" + "y," * 4000 + "] }}",
    # numbers
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    # loops and calls
    "loop": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "range": "{% for i in range(10**9) %}{% endfor %}",
    "range, listed": "{{ range(10**9)|list }}",
    "macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "macros": "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}",
    "macro that is given": "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}",
    "macro of macros": "".join(
        f"{{% macro f{n + 1}() %}}{{{{ f{n}() }}}}{{{{ f{n}() }}}}{{% endmacro %}}" for n in range(50)
    )
    + "{% macro f0() %}x{% endmacro %}{{ f50() }}",
    "loop that calls itself": "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "block": "{% block a %}{{ self.a() }}{% endblock %}",
    # lists
    "times a list": "{{ [[[1] * 1000] * 1000] * 1000 }}",
    "times a parameter": "{{ z * 10**8 }}",
    "times a list, compared": "{{ [1] * 10**9 == [1] * 10**9 }}",
    "lists in a namespace": "{% set ns = namespace(x=[1]) %}"
    + LOOP
    + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "a list put into a namespace": NS + LOOP + "{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "a pair put into a namespace": NS + LOOP + "{% set ns.x = ns.x, ns.x %}{% endfor %}{{ ns.x }}",
    "a namespace by another name": "{% set n = namespace %}{% set ns = n(x=[1]) %}{{ ns }}",
    "lists added": "{% set ns = namespace(x=z) %}" + LOOP + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "lists by hand": grown("{% set x = [x, x] %}") + "{{ x }}",
    "pairs by hand": grown("{% set x = (x, x) %}") + "{{ x }}",
    "pairs without brackets": grown("{% set x = x, x %}") + "{{ x }}",
    "maps by hand": grown("{% set x = {'a': x, 'b': x} %}") + "{{ x|tojson }}",
    "compared": grown("{% set x = [x, x] %}") + "{{ x == [x, x] }}",
    "searched": grown("{% set x = [x, x] %}") + "{{ x in [x] }}",
    "added by hand": grown("{% set x = x + x %}") + "{{ x|length }}",
    "zipped": grown("{% set x = x|zip(x) %}") + "{{ x }}",
    "chained": grown("{% set x = x|chain(x) %}") + "{{ x|length }}",
    "filled": grown("{% set x = [1]|batch(2, x)|list %}") + "{{ x }}",
    "mapped": grown("{% set x = [nothing, nothing]|map('default', x)|list %}") + "{{ x }}",
    "passed on": "".join(
        f"{{% macro f{n + 1}(x) %}}{{{{ f{n}([x, x]) }}}}{{% endmacro %}}" for n in range(50)
    )
    + "{% macro f0(x) %}{{ x }}{% endmacro %}{{ f50(1) }}",
    # the parser
    "signs": "{{ " + "-" * 100_000 + "1 }}",
    "not": "{{ " + "not " * 100_000 + "1 }}",
    "sum": "{{ 1" + "+1" * 100_000 + " }}",
    "attributes": "{{ a" + ".b" * 100_000 + " }}",
    "filters": "{{ 'a'" + "|upper" * 100_000 + " }}",
    "calls": "{{ a" + "()" * 100_000 + " }}",
    "brackets": "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}",
    "branches": "{% if 1 %}" + "{% elif 1 %}" * 20_000 + "{% endif %}",
    "blocks": "{% if 1 %}" * 20_000 + "{% endif %}" * 20_000,
    "not closed": "{{ " + "-" * 100_000,
    "length": "x" * 1_000_001,
    # HTML
    "elements": "<p>" * 300_000,
    "elements and tags": "<p>" * 4_000 + "{{ y[0] }}<p>" * 900 + "{{ y.z.a }}",
    "comments": "<!--" * 4_900 + "{{ y.z.a }}",
    "comments before MJML": "<!-- -->" * 4_900 + "<mj-text>",
    "titles": "<title>" * 4_900 + "<style>p{}</style>{{ y.z.a }}",
    "sheets": "<style>" * 4_900 + "{{ y.z.a }}",
    "quotes": "<p a='" * 4_900 + "{{ y.z.a }}",
    "attributes of HTML": "<p " + "a " * 400_000 + "{{ y.z.a }}",
    "blanks": "<p" + " " * 900_000 + "{{ y.z.a }}",
    "style": '<p style="' + "url(" * 200_000 + "{{ y[0] }}" * 900 + "{{ y.z.a }}",
    "a large sheet": "<style>" + "p{a:b}" * 9_000 + "</style>" + "<p>" * 4_900,
    "deep HTML": "<style>p{}</style>" + "<div>" * 4_900,
    "deep MJML": "<mjml><mj-body>" + "<mj-wrapper>" * 4_900,
}


@pytest.mark.parametrize("source", BOMBS.values(), ids=BOMBS)
def test_a_bomb_ends_soon_and_small(source: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Again where something else took the processor's caches.
    assert any(_seconds(source) < SOON for _again in range(5))
    grown_by = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_by < SMALL


def _seconds(source: str) -> float:
    context: dict[str, Any] = {"y": "\\" * 100_000, "z": [1, 2]}
    began = time.process_time()
    with pytest.raises(RenderError) as caught:
        compile_content("email", {"subject": "x", "html": source}).render(context)
    assert caught.value.field == "html"
    return time.process_time() - began


@pytest.mark.parametrize("ending", ["", "<![endif]-->" * 1_500])
def test_conditional_comments_do_not_stand_within_each_other(ending: str) -> None:
    source = "<!--[if mso]>" * 1_500 + "{{ x }}" + ending
    assert compile_content("email", {"html": source}).render({"x": "y"})["html"] == source.replace(
        "{{ x }}", "y"
    )


def test_parts_that_include_each_other_twice_are_refused() -> None:
    given = {f"p{n}.html": f"{{% include 'p{n + 1}' %}}" * 2 for n in range(15)}
    source = "<mjml><mj-body>{% include 'p0' %}</mj-body></mjml>{{ x.y.z }}"
    began = time.process_time()
    for last in ("{{ x }}", "<mj-text>{{ x }}</mj-text>", "<style>p{}</style>"):
        with pytest.raises(RenderError):
            compile_content("email", {"html": source}, parts={**given, "p15.html": last}).render({})
    assert time.process_time() - began < 1


def test_parts_stand_within_each_other_to_a_depth() -> None:
    given = {f"p{n}.html": f"{{% include 'p{n + 1}' %}}" for n in range(2000)}
    with pytest.raises(RenderError, match="more than 20 deep"):
        compile_content("email", {"html": "{% include 'p0' %}"}, parts={**given, "p2000.html": ""})


#: What people write, and what looks like a bomb and is none.
HARMLESS = {
    "{{ price * count + 1 }}": "7",
    "{{ (price + 1) * -count }}": "-8",
    "{{ 'a' + 'b' + name|upper }}": "abLI",
    "{{ '-' * 5 }}": "-----",
    "{{ price|round(2) * 2 }}": "6",
    "{{ order.no ~ '/' ~ order.lines|length }}": "7/2",
    "{% set ns = namespace(total=0, text='') %}{% for x in order.lines %}{% set ns.total = ns.total + x.price * 2 %}"
    "{% endfor %}{{ ns.total }}": "6",
    "{% for label, value in [('Order', order.no), ('Name', name)] %}{{ label }}={{ value }};{% endfor %}": (
        "Order=7;Name=Li;"
    ),
    "{% set names = {'a': 'Apple', 'b': name} %}{{ names['b'] }}": "Li",
    "{{ 'yes' if name in ['Li', 'Wang'] else 'no' }}": "yes",
    "{% macro row(a, b='-') %}[{{ a }}|{{ b }}]{% endmacro %}{{ row(name) }}{{ row(1, b=2) }}": "[Li|-][1|2]",
    "{% macro box() %}<{{ caller() }}>{% endmacro %}{% call box() %}x{% endcall %}": "<x>",
    "{% for row in order.lines|batch(1) %}{{ row[0].price }}{% endfor %}": "12",
    "{{ order.lines|map(attribute='price')|join('+') }}": "1+2",
    "{{ order.lines|sum(attribute='price') if false else '' }}": "",
    "{{ order.lines|selectattr('price', 'gt', 1)|list|length }}": "1",
    "{{ [1, 2]|tojson(indent=2) }}": "[\n  1,\n  2\n]",
    "{% for x in [1, 2] %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{% endfor %}": "1a2b",
    "{% if not (name and count) %}a{% elif count is divisibleby(2) %}b{% endif %}": "b",
    "{% for i in range(count) %}{{ i }}{% endfor %}": "01",
    "{% set x %}a{{ name }}{% endset %}{{ x }}": "aLi",
    "{% with a = 1, b = count %}{{ a + b }}{% endwith %}": "3",
    "{{ '}}' }}{{ {'a': {'b': 1}}.a.b }}": "}}1",
    "{% raw %}{{ x * }}{% endraw %}": "{{ x * }}",
    "{{ -count + 3 }}{{ 2 ** 3 * 2 }}{{ 7 // 2 * 2 }}": "1166",
    "{{ (order.lines[0].price + 1) * 2 }}": "4",
    "{{ undefined_one|default(1) + 1 }}": "2",
}


@pytest.mark.parametrize(("source", "expected"), HARMLESS.items())
def test_what_people_write_passes(source: str, expected: str) -> None:
    params = {"price": 3, "count": 2, "name": "Li", "order": {"no": 7, "lines": [{"price": 1}, {"price": 2}]}}
    assert compile_content("sms", {"text": source}).render(params)["text"] == expected


REFUSED = {
    "\n{{ x.append(1) }}": (2, "there is no method append"),
    "\n\n{{ launch(1) }}": (3, "there is no function launch"),
    "{{ x[0](1) }}": (1, "only a function or a macro can be called"),
    "{% from 'a' import b %}": (1, "macros of other templates cannot be imported"),
    "{% macro f() %}{% endmacro %}\n{{ f }}": (2, "the macro f can only be called: f()"),
    "{{ namespace([1]) }}": (1, "name what a namespace holds"),
    "{{ " + "x" * 10_001 + " }}": (1, "a tag is longer than 10,000 characters"),
}


@pytest.mark.parametrize(("source", "expected"), REFUSED.items())
def test_what_is_refused_is_told_with_its_line(source: str, expected: tuple[int, str]) -> None:
    [(line, message)] = compile_errors(source)
    assert (line, expected[1] in message) == (expected[0], True), message


PLAIN = {
    "\n{{ z * 2 }}": 2,
    "{{ 1 }}\n\n{{ z + z }}": 3,
    "{% set ns = namespace(a=1) %}\n{% set ns.a = z %}": 2,
    "{% set ns = namespace(\na=z) %}": 2,
}


@pytest.mark.parametrize(("source", "line"), PLAIN.items())
def test_a_list_where_a_number_has_to_be_is_an_error_at_its_line(source: str, line: int) -> None:
    with pytest.raises(RenderError, match="a list cannot be added") as caught:
        compile_content("sms", {"text": source}).render({"z": [1]})
    assert (caught.value.field, caught.value.line) == ("text", line)


@pytest.mark.parametrize("deep", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_parameters_that_are_nested_too_deeply_are_an_error(deep: Callable[[Any], Any]) -> None:
    value: Any = 1
    for _each in range(3000):
        value = deep(value)
    for channel, content in (("sms", {"text": "{{ x }}"}), ("webhook", {"data": "{{ x|tojson }}"})):
        with pytest.raises(RenderError, match="nested too deeply"):
            compile_content(channel, content).render({"x": value})
