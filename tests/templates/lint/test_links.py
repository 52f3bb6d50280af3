"""Links in HTML, in words, in Markdown and in fields of their own."""

import pytest

from templates_app.lint import Severity
from templates_app.lint.examples import TEXT, draft, mail, on
from templates_app.lint.links import RULES
from tests.templates.lint.cast import found, lines

CODES = [rule.code for rule in RULES]

LINKS: dict[str, str] = {
    "https://example.com/a?b=c#d": "",
    "https://example.com/orders/{{ no }}": "",
    "https://{{ host }}/a": "",
    "{{ url }}": "",
    "{% if a %}https://example.com/a{% else %}https://example.com/b{% endif %}": "",
    "mailto:a@example.com": "",
    "mailto:a@example.com?subject=Your order": "",
    "tel:+4930123456": "",
    "#top": "",
    "example-app://orders/1": "",
    "https://example.com/a_(b)": "",
    "HTTPS://EXAMPLE.COM/": "",
    "javascript:alert(1)": "unsafe-link",
    " JavaScript:alert(1)": "unsafe-link",
    "java\nscript:alert(1)": "unsafe-link",
    "data:text/html,hello": "unsafe-link",
    "vbscript:x": "unsafe-link",
    "file:///etc/passwd": "unsafe-link",
    "": "broken-link",
    " ": "broken-link",
    "#": "broken-link",
    "www.example.com": "broken-link",
    "example.com:8080/a": "broken-link",
    "localhost:8000": "broken-link",
    "/orders/1": "broken-link",
    "orders.html": "broken-link",
    "//example.com/a": "broken-link",
    "https://": "broken-link",
    "https:/example.com": "broken-link",
    "https:example.com": "broken-link",
    "https://[::1": "broken-link",
    "htps://example.com": "broken-link",
    "https://example.com/my order": "broken-link",
    "https://example.com/(a": "broken-link",
    "https://example.com/{ no }}": "broken-link",
    "https://example.com/a)": "broken-link",
    "mailto:": "broken-link",
    "http://example.com/": "http-link",
}


@pytest.mark.parametrize(("url", "code"), LINKS.items(), ids=map(repr, LINKS))
def test_a_link_is_what_it_should_be(url: str, code: str) -> None:
    draft = mail(f'<p>\n<a\nhref="{url}">Look at the order</a></p>')
    problems = found(draft, *CODES)
    assert [problem.rule for problem in problems] == ([code] if code else [])
    assert all((problem.field, problem.line) == ("html", 2) for problem in problems)


def test_tags_of_the_template_break_no_link() -> None:
    html = """<td {% if a > "b" %}class="x"{% endif %}>
      {# <a href="www.example.com"> #}
      <a {% if a %}href="https://example.com/{{ b|default("a b") }}"{% else %}href="/x"{% endif %}
         title="{{ "<a href='y'>" }}">Look</a>
    </td><a href='z'>Orders</a>"""
    assert lines(mail(html), "broken-link") == [5]


def test_pictures_may_be_written_into_the_page() -> None:
    image = '<img src="{}" alt="" width="1" height="1">'
    assert found(mail(image.format("data:image/png;base64,AAAA")), *CODES) == []
    assert lines(mail(image.format("cid:logo")), "broken-link") == []
    assert lines(mail(image.format("logo.png")), "broken-link") == [1]


def test_addresses_among_words_are_links_too() -> None:
    text = "One: http://example.com/a.\nTwo: https://example.com/{{ x }}, three: https://example.com/a_(b).\n说明：http://例子.com/页，谢谢"
    assert lines(draft(on("sms", text=text)), "http-link") == [1, 3]
    assert found(draft(on("sms", text=text)), "broken-link") == []


def test_links_of_markdown_are_links_too() -> None:
    text = "[a](javascript:alert(1)) [b](www.example.com)\n[c](https://example.com/c_(d)) [e]({{ url }})"
    problems = found(draft(on("wecom", format="markdown", text=text)), *CODES)
    assert [(each.rule, each.line) for each in problems] == [("unsafe-link", 1), ("broken-link", 1)]


@pytest.mark.parametrize(
    ("channel", "url", "is_broken"),
    [
        ("push", "example-app://orders/1", False),
        ("push", "/orders/1", False),
        ("inbox", "/orders/{{ no }}", False),
        ("inbox", "www.example.com", True),
        ("wecom", "/orders/1", True),
        ("wecom", "{{ link }}", False),
    ],
)
def test_a_field_for_a_link_holds_one(channel: str, url: str, *, is_broken: bool) -> None:
    variant = on(channel, title="Paid", body="Thank you.", text="Thank you.", link=url)
    assert bool(found(draft(variant, declared={"no": TEXT, "link": TEXT}), "broken-link")) is is_broken


@pytest.mark.parametrize(
    ("shown", "leads_to", "is_misleading"),
    [
        ("www.example.com", "https://example.com/a", False),
        ("shop.example.com", "https://example.com/a", False),
        ("https://example.com/a", "https://example.com/b", False),
        ("https://example.com", "https://example.org", True),
        ("example.com", "https://not-example.com/", True),
        ("example.com", "https://example.com.attacker.net/", True),
        ("Look at example.com", "https://example.org", False),
        ("<b>example.com</b>", "https://example.org", True),
        ("example.com", "{{ url }}", False),
        ("Version 2.0", "https://example.com", False),
    ],
)
def test_a_link_leads_where_it_says(shown: str, leads_to: str, *, is_misleading: bool) -> None:
    page = mail(f'<a href="{leads_to}">{shown}</a>')
    assert bool(found(page, "misleading-link")) is is_misleading


def test_a_link_says_where_it_leads() -> None:
    link = '<a href="https://example.com/">{}</a>'
    assert lines(mail("\n" + link.format("<b>Click</b> here")), "nameless-link") == [2]
    assert lines(mail(link.format("Look at the order here")), "nameless-link") == []


def test_links_of_mjml_are_links_too() -> None:
    html = """<mjml><mj-body>
      <mj-button href="www.example.com">Orders</mj-button>
      <mj-image src="https://example.com/a.png" href="javascript:a()" alt="A" />
      <mj-social-element name="x" href="http://example.com/">A</mj-social-element>
    </mj-body></mjml>"""
    problems = found(mail(html), "broken-link", "unsafe-link", "http-link")
    assert [(each.rule, each.line) for each in problems] == [
        ("unsafe-link", 3),
        ("broken-link", 2),
        ("http-link", 4),
    ]


def test_a_link_that_a_sample_makes_unsafe_is_a_warning() -> None:
    samples = (("odd", {"url": "javascript:alert(1)"}), ("usual", {"url": "https://example.com/"}))
    page = mail('<a href="{{ url }}">Orders</a>', declared={"url": TEXT}, samples=samples)
    [problem] = found(page, "unsafe-link")
    assert (problem.severity, problem.message) == (
        Severity.WARNING,
        "With the sample “odd” a link is not safe, and is left out.",
    )
