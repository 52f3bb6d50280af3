"""Style sheets are put into the elements that they are about; the page stays otherwise as it was written."""

from collections.abc import Mapping

import pytest

from templates_app.render import RenderError, compile_content
from templates_app.styles import MOST


def html(source: str, parts: Mapping[str, str] | None = None, **params: object) -> str:
    rendered: str = compile_content("email", {"html": source}, parts=parts or {}).render(params)["html"]
    return rendered


PUT_IN = {
    "<style>p{color:red}</style><p>x</p>": '<p style="color: red;">x</p>',
    "<style>p{color:red}</style><p style='margin:0'>x</p>": "<p style='color: red;margin: 0'>x</p>",
    "<style>.a > b{color:red}</style><p class=a><b>x</b></p>": '<p class=a><b style="color: red;">x</b></p>',
    "<style>.a{font:'Arial'}</style><p class=a style='margin:0'>": (
        "<p class=a style='font: &#x27;Arial&#x27;;margin: 0'>"
    ),
    "<style>a:hover{color:red}</style><a>x</a>": "<style>a:hover{color:red}</style><a>x</a>",
    "<style>p{color:red} @media (max-width:9px){p{margin:0}} /* } */ i{}</style><p>x": (
        '<style>@media (max-width:9px){p{margin:0}}</style><p style="color: red;">x'
    ),
    "<style data-css-inline='ignore'>p{color:red}</style><p>x": (
        "<style data-css-inline='ignore'>p{color:red}</style><p>x"
    ),
    "<p>a<br>b &nbsp; c</P ><!-- <p> --><style>q{color:red}</style>": "<p>a<br>b &nbsp; c</P ><!-- <p> -->",
    "<!--[if mso]><style>p{color:red}</style><![endif]--><p>x": (
        "<!--[if mso]><style>p{color:red}</style><![endif]--><p>x"
    ),
}


@pytest.mark.parametrize(("source", "expected"), PUT_IN.items())
def test_a_style_sheet_is_put_in(source: str, expected: str) -> None:
    assert html(source) == expected


ENGINE = {
    "<style>p{color:red}</style>{% for i in [1, 2] %}<p>{{ i }}</p>{% endfor %}": (
        '<p style="color: red;">1</p><p style="color: red;">2</p>'
    ),
    "<style>tr{margin:0}</style><table>{% if x %}<tr class={{ x }}>{% endif %}</table>": (
        '<table><tr style="margin: 0;" class=b></table>'
    ),
    "<style>p{color:red}</style><p style='margin:{{ x }}'>": "<p style='color: red; margin:b'>",
    '<style>p{color:red}</style><p style="{% if x %}margin:0{% endif %}">': '<p style="color: red; margin:0">',
    "<style>p{color:{{ x }}}</style><p>x": "<style>p{color:b}</style><p>x",
    "<style>p{color:red}</style><p {% if x %}title='a'{% endif %}>": "<p style=\"color: red;\" title='a'>",
    "<style>p{color:red}</style>{% if x %}<p>{% else %}<p class=a>{% endif %}y</p>": '<p style="color: red;">y</p>',
}


@pytest.mark.parametrize(("source", "expected"), ENGINE.items())
def test_the_tags_of_the_engine_stay(source: str, expected: str) -> None:
    assert html(source, x="b") == expected


def test_the_sheet_of_a_layout_is_for_the_blocks_too() -> None:
    parts = {
        "brand.html": "<style>p{color:red}</style><div>{% block a %}{% endblock %}{% include 'end' %}</div>",
        "end.html": "<p>{{ x }}</p>",
    }
    found = html("{% extends 'brand' %}{% block a %}<p>a</p>{% endblock %}", parts, x="<b>")
    assert found == '<div><p style="color: red;">a</p><p style="color: red;">&lt;b&gt;</p></div>'


def test_an_error_tells_its_line() -> None:
    with pytest.raises(RenderError, match=r"^html, line 3: undefined value"):
        html("<style>p{color:red}\n</style><p>a\n{{ x.y.z }}</p>")
    with pytest.raises(RenderError, match=r"^html, line 2: more than 200 elements within each other"):
        html("<style>p{color:red}</style>\n" + "<div>" * 300)
    with pytest.raises(RenderError, match=r"^html, line 2: the style sheet is too large"):
        html("<p>\n<style>" + "p{color:red}" * 1000 + "</style>" + "<p>" * (MOST // 1000))
