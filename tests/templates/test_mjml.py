"""MJML becomes HTML when a template is compiled; what the engine does in it stays, and errors tell their lines."""

import re
import time
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest

from templates_app.render import Compiled, RenderError, compile_content

PAGE = """\
{# a note #}
<!-- another -->
<mjml>
  <mj-head>
    <mj-title>Order {{ no }}</mj-title>
    <mj-preview>{{ name }}</mj-preview>
    <mj-style>.x { color: {{ colour }}; }</mj-style>
  </mj-head>
  <mj-body>
    {% if name %}
    <mj-section>
      <mj-column>
        <mj-text color="{{ colour }}">Dear <b>{{ name }}</b>{% if no > 1 %}, again{% endif %}</mj-text>
        {% for line in lines %}
        <mj-text>{{ loop.index }}. {{ line.title }}</mj-text>
        {% endfor %}
        <mj-button href="{{ link }}">{{ '<see>' }}</mj-button>
      </mj-column>
      <mj-column><mj-image src="https://shop.example/{{ no }}.png" alt="{{ name }}" width="100px" /></mj-column>
    </mj-section>
    {% else %}
    <mj-section><mj-column><mj-text>Nobody</mj-text></mj-column></mj-section>
    {% endif %}
  </mj-body>
</mjml>
"""
PARAMS: dict[str, Any] = {
    "no": 7,
    "name": "A & <B>",
    "colour": "red",
    "link": "https://shop.example/?a=1&b",
    "lines": [{"title": "Pen"}, {"title": "Ink"}],
}


def compiled(source: str, parts: Mapping[str, str] | None = None) -> Compiled:
    return compile_content("email", {"html": source}, parts=parts or {})


def html(source: str, parts: Mapping[str, str] | None = None, **params: Any) -> str:
    rendered: str = compiled(source, parts).render({**PARAMS, **params})["html"]
    return rendered


def column(text: str) -> str:
    return f"<mjml>\n<mj-body><mj-section><mj-column>\n{text}\n</mj-column></mj-section></mj-body></mjml>"


def test_a_page_becomes_html_for_everybody_and_its_variables_for_each() -> None:
    found = html(PAGE)
    assert "<mj" not in found
    assert "pcjx" not in found
    assert found.strip().lower().startswith("<!doctype html>")
    assert "<title>Order 7</title>" in found
    assert "A &amp; &lt;B&gt;</div>" in found
    assert ".x { color: red; }" in found
    assert "color:red" in found
    assert "Dear <b>A &amp; &lt;B&gt;</b>, again" in found
    assert re.findall(r"\d\. (Pen|Ink)", found) == ["Pen", "Ink"]
    assert 'href="https://shop.example/?a=1&b"' in unescape(found)
    assert "&lt;see&gt;" in found
    assert 'src="https://shop.example/7.png"' in found
    assert "Nobody" not in found
    assert "Nobody" in html(PAGE, name="")


def test_links_in_mjml_are_safe_too() -> None:
    assert 'href="#unsafe-link"' in html(PAGE, link="javascript:alert(1)")


def test_nothing_is_fetched_from_elsewhere_unless_the_page_names_it() -> None:
    assert "googleapis" not in html(PAGE)
    font = '<mj-font name="Inter" href="https://a.example/i.css" />'
    all_of_it = '<mj-attributes><mj-all font-family="Inter" /></mj-attributes>'
    page = PAGE.replace("<mj-head>", f"<mj-head>{font}{all_of_it}")
    assert "https://a.example/i.css" in html(page)


def test_it_is_compiled_once_and_not_for_each_message() -> None:
    page = compiled(PAGE)
    began = time.process_time()
    for _each in range(200):
        page.render(PARAMS)
    assert time.process_time() - began < 0.1


def test_a_layout_in_mjml_holds_the_blocks_of_a_template() -> None:
    layout = column("<mj-text>{{ name }}</mj-text>{% block body %}<mj-text>old</mj-text>{% endblock %}")
    child = """{% extends "brand" %}{% set who = name|upper %}
{% block body %}{{ super() }}<mj-text>new {{ who }}</mj-text>{% include "footer" %}{% endblock %}"""
    parts = {"brand.html": layout, "footer.html": "<mj-divider /><mj-text>Yours, {{ no }}</mj-text>"}
    found = html(child, parts, name="Li")
    assert re.findall(r">([\w ,]+)</div>", found) == ["Li", "old", "new LI", "Yours, 7"]


def test_a_layout_of_a_layout_has_the_last_word_of_each() -> None:
    parts = {
        "base.html": column(
            "{% block a %}<mj-text>a0</mj-text>{% endblock %}{% block b %}<mj-text>b0</mj-text>{% endblock %}"
        ),
        "brand.html": "{% extends 'base' %}{% block a %}<mj-text>a1</mj-text>{{ super() }}{% endblock %}",
    }
    found = html("{% extends 'brand' %}{% block a %}{{ super() }}<mj-text>a2</mj-text>{% endblock %}", parts)
    assert re.findall(r">(\w\d)</div>", found) == ["a1", "a0", "a2", "b0"]


@pytest.mark.parametrize(
    "snippet", ["<mj-section>{}</mj-section>", "<mj-text>x</mj-text>", "<mj-column></mj-column>"]
)
def test_a_snippet_in_mjml_is_shown_in_a_page_of_its_own(snippet: str) -> None:
    found = compile_content("html", {"source": snippet}).render({})["source"]
    assert found.lower().startswith("<!doctype html>")


ERRORS: dict[str, tuple[str, str]] = {
    "not closed": (column("<mj-text>a\n<b>c</mj-text>"), "html, line 4: <b> is not closed"),
    "closed twice": (column("<mj-text>a</b></mj-text>"), "html, line 3: <mj-text> is not closed"),
    "no beginning": ("<mjml><mj-body></mj-body></mjml>\n</p>", "html, line 2: </p> closes nothing"),
    "no end": ("\n<mjml><mj-body></mj-body>", "html, line 2: <mjml> is not closed"),
    "unknown": (column("\n<mj-txt>a</mj-txt>"), "html, line 4: MJML has no element <mj-txt>"),
    "include": (column("<mj-include path='/etc/passwd' />"), "html, line 3: include a snippet in place"),
    "no quotes": (
        column("<mj-text color=red>a</mj-text>"),
        "html, line 3: write the value of color in quotes",
    ),
    "a sign": (column("<mj-text>a < b</mj-text>"), "html, line 3: write &lt; for the sign <"),
    "an attribute": (
        column("<mj-text {{ a }}>a</mj-text>"),
        "html, line 3: MJML has no place for {{ a }} here",
    ),
    "a condition in the head": (
        PAGE.replace(
            "<mj-title>",
            "{% if no %}{% endif %}<mj-attributes>{% if no %}<mj-all />{% endif %}</mj-attributes><mj-title>",
        ),
        "html, line 5: MJML has no place for a condition or loop here",
    ),
    "elsewhere": ("<p>\n<mj-text>a</mj-text></p>", "html, line 2: <mj-text> stands within <mjml> alone"),
    "the engine": (column("<mj-text>a\n{{ x.y.z }}</mj-text>"), "html, line 4: undefined value"),
    "a number": (
        column("<mj-text>a</mj-text>\n<mj-text>{{ lines * 2 }}</mj-text>"),
        "html, line 4: a list cannot",
    ),
    "too deep": (
        column("<mj-text>" + "<div>" * 2000 + "</div>" * 2000 + "</mj-text>"),
        "html, line 3: more than 100",
    ),
    "syntax": (column("<mj-text>a\n{% if %}</mj-text>"), "html, line 4: syntax error"),
}


@pytest.mark.parametrize(("source", "expected"), ERRORS.values(), ids=ERRORS)
def test_an_error_tells_its_line(source: str, expected: str) -> None:
    with pytest.raises(RenderError) as caught:
        compiled(source).render(PARAMS)
    assert str(caught.value).startswith(expected)


PARTS: dict[str, tuple[str, Mapping[str, str], str]] = {
    "in a layout": (
        "{% extends 'brand' %}",
        {"brand.html": column("<mj-text>\n{{ x.y.z }}</mj-text>")},
        "html, in brand, line 4: undefined value",
    ),
    "in a block": (
        "{% extends 'brand' %}\n\n{% block a %}{{ x.y.z }}{% endblock %}",
        {"brand.html": column("<mj-text>{% block a %}{% endblock %}</mj-text>")},
        "html, line 3: undefined value",
    ),
    "MJML in a block": (
        "{% extends 'brand' %}\n\n{% block a %}\n<mj-txt>{% endblock %}",
        {"brand.html": column("{% block a %}{% endblock %}")},
        "html, line 4: MJML has no element <mj-txt>",
    ),
    "MJML in a layout": (
        "{% extends 'brand' %}",
        {"brand.html": "\n" + column("<mj-text>{{ no }}</mj-text>\n<mj-txt>")},
        "in brand, line 5: MJML has no element <mj-txt>",
    ),
    "beside a block": (
        "{% extends 'brand' %}\n{{ name }}",
        {"brand.html": column("")},
        "html, line 2: outside of its blocks, what extends a layout can only set variables and have macros",
    ),
}


@pytest.mark.parametrize(("source", "parts", "expected"), PARTS.values(), ids=PARTS)
def test_an_error_in_a_part_tells_which(source: str, parts: Mapping[str, str], expected: str) -> None:
    with pytest.raises(RenderError) as caught:
        compiled(source, parts).render(PARAMS)
    assert str(caught.value).startswith(expected)
