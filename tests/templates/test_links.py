"""A parameter within a link is escaped for its place, and never brings along a scheme that runs or hides something."""

from html.parser import HTMLParser
from typing import Any

import pytest

from templates_app.render import RenderError, compile_content


def html(source: str, **params: Any) -> str:
    rendered: str = compile_content("email", {"html": source}).render(params)["html"]
    return rendered


class Attributes(HTMLParser):
    """What a mail program makes of it: the attributes of all elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += attrs


def link(source: str, **params: Any) -> str:
    """The first attribute of the first element."""
    return str(Attributes(html(source, **params)).found[0][1])


HOSTILE = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " \t\njavascript:alert(1)",
    "java\nscript:alert(1)",
    "java\x00script:alert(1)",
    "\x01javascript:alert(1)",
    "\u200bjavascript:alert(1)",
    "\ufeffjavascript:alert(1)",
    "javascript&#58;alert(1)",
    "javascript:%61lert(1)",
    "javascript://%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "DATA:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://example.com/1",
    "view-source:https://example.com",
    "feed:javascript:alert(1)",
    ":alert(1)",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "x onmouseover=alert(1)",
    "`x`",
    'https://a.example/" onclick="alert(1)',
]
PLACES = [
    '<a href="{{ x }}">',
    "<a href='{{ x }}'>",
    "<a href={{ x }}>",
    '<a HREF = "{{ x }}">',
    '<a class="b" href="  {{ x }}  ">',
    '<a href="{% if x %}{{ x }}{% endif %}">',
    '<a href="{% if no %}https://a.example/{% else %}{{ x }}{% endif %}">',
    '<a href="{% if no %}https://a.example/{% endif %}{{ x }}">',
    '<a href="{% for y in [x] %}{{ y }}{% endfor %}">',
    '<a {% if x %}href="{{ x }}"{% endif %}>',
    '<a href="{{ x|safe }}">',
    '<a href="{{ x if x else y }}">',
    '<a href="{{ x|trim }}">',
    '<a href="{% set y = x %}{{ y }}">',
    '{% set y %}{{ x }}{% endset %}<a href="{{ y }}">',
    '{% macro to(y) %}{{ y }}{% endmacro %}<a href="{{ to(x) }}">',
    '<a href="{{ nothing }}{{ x }}">',
    '<a href="java{{ x }}">',
    '<a href="{{ x }}:alert(1)">',
    '<a href="{{ x }}&colon;alert(1)">',
    '<a href="{{ x }}&#58;{{ x }}">',
    '<a {% if x %}href{% else %}title{% endif %}="{{ x }}">',
    '<a href="{{ x }}{{ x }}">',
    '<a href="https://a.example/{{ x }}">',
    '<a href="https://a.example/?q={{ x }}">',
    '<a href="https://{{ x }}/">',
    '<a href="mailto:{{ x }}">',
    '<img src="{{ x }}">',
    '<form action="{{ x }}">',
    '<table background="{{ x }}">',
    '<svg><a xlink:href="{{ x }}"></a></svg>',
    '<!--[if mso]><v:rect href="{{ x }}"><![endif]-->',
    '<!-- " \' --><a href="{{ x }}">',
    '<!-- <a href=" --><a href="{{ x }}">',
    '<p title=it\'s><a href="{{ x }}">',
    "<td {{ x }}>",
    "<td width={{ x }}>",
    '<td title="{{ x }}">',
    '<a href="{% if x %}{{ x }}"{% else %}{{ x }}"{% endif %}>',
]
#: A link that is a link elsewhere, not a script: what precedes the first colon, if that comes before / ? #.
FINE = {"http", "https", "mailto", "tel", "sms"}


@pytest.mark.parametrize("source", PLACES)
def test_no_parameter_makes_a_link_run_anything(source: str) -> None:
    compiled = compile_content("email", {"html": source})
    for hostile in HOSTILE:
        page = compiled.render({"x": hostile})["html"]
        inner = page.replace("<!--[if mso]>", "").replace("<![endif]-->", "")
        assert "<script" not in inner, hostile
        for name, value in Attributes(inner).found:
            assert not (value and name.startswith("on")), (hostile, page)
            if name in {"href", "src", "action", "background", "xlink:href"}:
                assert scheme(value or "") in FINE | {""}, (hostile, page)


def scheme(url: str) -> str:
    """As browsers find it."""
    text = "".join(each for each in url if each > " " and each not in "\u200b\ufeff")
    before, colon, _after = text.partition(":")
    return before.lower() if colon and not set(before) & set("/?#") else ""


GOOD: dict[str, tuple[str, dict[str, Any], str]] = {
    "a whole link": ("{{ x }}", {"x": "https://a.example/b?c=d&e=é#f"}, "https://a.example/b?c=d&e=é#f"),
    "upper case": ("{{ x }}", {"x": "HTTPS://a.example"}, "HTTPS://a.example"),
    "mail": ("{{ x }}", {"x": "mailto:ann@example.org"}, "mailto:ann@example.org"),
    "phone": ("{{ x }}", {"x": "tel:+8613800138000"}, "tel:+8613800138000"),
    "a path": ("{{ x }}", {"x": "/orders/1?a=b:c"}, "/orders/1?a=b:c"),
    "no scheme": ("{{ x }}", {"x": "shop.example/1"}, "shop.example/1"),
    "blanks": ("{{ x }}", {"x": " https://a.example/a b "}, "https://a.example/a%20b"),
    "nothing": ("{{ x }}", {}, ""),
    "encoded before": ("{{ x }}", {"x": "https://a.example/?q=a%20b%26"}, "https://a.example/?q=a%20b%26"),
    "a base": ("{{ x }}/orders/{{ no }}", {"x": "https://a.example", "no": 7}, "https://a.example/orders/7"),
    "a base with a port": (
        "{{ x }}:{{ no }}/",
        {"x": "https://a.example", "no": 80},
        "https://a.example:80/",
    ),
    "a scheme": ("{{ x }}://a.example", {"x": "https"}, "https://a.example"),
    "in a query": (
        "https://a.example/?q={{ x }}",
        {"x": "a b&c=d/é?"},
        "https://a.example/?q=a%20b%26c%3Dd/%C3%A9%3F",
    ),
    "in a path": ("https://a.example/{{ x }}", {"x": "a/b c?d#e"}, "https://a.example/a/b%20c%3Fd%23e"),
    "urlencode by hand": (
        "https://a.example/?q={{ x|urlencode }}",
        {"x": "a b%"},
        "https://a.example/?q=a%20b%25",
    ),
    "urlencode in a variable": (
        "https://a.example/?q={% set y = x|urlencode %}{{ y }}",
        {"x": "a b"},
        "https://a.example/?q=a%20b",
    ),
    "urlencode of a map": (
        "https://a.example/?{{ {'a': x, 'b': 1}|urlencode|safe }}",
        {"x": "a b"},
        "https://a.example/?a=a%20b&b=1",
    ),
    "encoded by the caller": (
        "https://a.example/?q={{ x }}",
        {"x": "a%20b%2B"},
        "https://a.example/?q=a%20b%2B",
    ),
    "a whole query": ("https://a.example/?{{ x|safe }}", {"x": "a=1&b=2"}, "https://a.example/?a=1&b=2"),
    "a host": ("https://{{ x }}/y", {"x": "a.example:8080"}, "https://a.example:8080/y"),
    "an address": ("mailto:{{ x }}", {"x": "ann+1@example.org"}, "mailto:ann+1@example.org"),
    "a number": ("tel:{{ x }}", {"x": "+86 138"}, "tel:+86%20138"),
    "by condition": (
        "{% if no %}https://a.example/{{ no }}{% else %}{{ x }}{% endif %}",
        {"x": "https://b.example"},
        "https://b.example",
    ),
    "after a condition": (
        "https://a.example/{% if x %}x/{% endif %}{{ x }}",
        {"x": "a:b"},
        "https://a.example/x/a%3Ab",
    ),
    "a choice": ("{{ x if x else 'https://a.example' }}", {}, "https://a.example"),
    "from a macro": ("{{ to(x) }}", {"x": "a&b"}, "https://a.example/?a&b"),
}


@pytest.mark.parametrize(("source", "params", "expected"), GOOD.values(), ids=GOOD)
def test_what_a_link_may_hold_stays(source: str, params: dict[str, Any], expected: str) -> None:
    macro = "{% macro to(y) %}https://a.example/?{{ y }}{% endmacro %}"
    assert link(f'{macro}<a href="{source}">', **params) == expected


def test_what_must_not_be_a_link_leads_nowhere() -> None:
    assert link('<a href="{{ x }}">', x="javascript:alert(1)") == "#unsafe-link"


def test_an_image_in_a_style_is_a_link() -> None:
    found = link(
        "<td style=\"background: url('{{ x }}')\">", x="https://a.example/') red; x: url(javascript:b"
    )
    assert found == "background: url('https://a.example/%27%29%20red;%20x:%20url%28javascript:b')"
    assert "javascript" not in link('<td style="background:url({{ x }})">', x="javascript:alert(1)")


def test_text_beside_a_link_is_escaped_and_not_encoded() -> None:
    assert html("<p>{{ x }}</p>", x="javascript:<b>") == "<p>javascript:&lt;b&gt;</p>"
    assert html('<p title="{{ x }}">', x='a: "b"') == '<p title="a: &quot;b&quot;">'
    assert html("<td {{ x|safe }}>", x='class="a"') == '<td class="a">'
    assert html("<style>a{color:{{ x }}}</style>", x="red") == "<style>a{color:red}</style>"


FIELDS = [
    ("push", "link", {"title": "T", "body": "B"}, "app"),
    ("push", "image", {"title": "T", "body": "B"}, "web"),
    ("inbox", "link", {"title": "T", "body": "B"}, "app"),
    ("slack", "link", {"text": "T"}, "web"),
    ("wecom", "link", {"text": "T"}, "web"),
    ("wechat", "url", {"template_id": "T"}, "web"),
    ("whatsapp", "media_url", {"text": "T"}, "web"),
]


@pytest.mark.parametrize(("channel", "field", "content", "kind"), FIELDS)
def test_a_field_that_is_a_link_is_one_as_a_whole(
    channel: str, field: str, content: dict[str, str], kind: str
) -> None:
    def found(source: str, x: str) -> Any:
        return compile_content(channel, {**content, field: source}).render({"x": x})[field]

    for hostile in HOSTILE[:17]:
        assert scheme(found("{{ x }}", hostile)) in FINE | {"", "feed"} | (
            {"javascript&"} if kind == "app" else set()
        )
    assert found("{{ x }}", "https://a.example/?a=b&c") == "https://a.example/?a=b&c"
    assert found("https://a.example/?q={{ x }}", "a b&c") == "https://a.example/?q=a%20b%26c"
    assert found("{{ x }}", "shop://orders/1") == ("shop://orders/1" if kind == "app" else "")
    assert found("shop://orders/{{ x }}", "1/2") == "shop://orders/1/2"


REFUSED = {
    'a\n<a href="{% block x %}{% endblock %}">': "html, line 2: no block, layout or snippet can stand within href",
    "<a href=\"{% include 'x' %}\">": "html, line 1: no block, layout or snippet can stand within href",
    "<a {% include 'x' %}>": "html, line 1: no block, layout or snippet can stand within a tag, outside of quotes,",
}


@pytest.mark.parametrize(("source", "expected"), REFUSED.items())
def test_a_part_within_a_link_is_refused(source: str, expected: str) -> None:
    with pytest.raises(RenderError) as caught:
        compile_content("email", {"html": source}, parts={"x.html": "{{ x }}"})
    assert str(caught.value) == expected


def test_links_of_parts_are_safe_too() -> None:
    given = {"a.html": '<a href="{{ x }}">{% block b %}{% endblock %}'}
    source = "{% extends 'a' %}{% block b %}<a href='{{ x }}'>{% endblock %}"
    found = compile_content("email", {"html": source}, parts=given).render({"x": "javascript:1"})["html"]
    assert found == "<a href=\"#unsafe-link\"><a href='#unsafe-link'>"
