"""Images, colours, and HTML that has a template in it."""

import time

import pytest

from templates_app.lint import Written
from templates_app.lint.colours import colour, contrast
from templates_app.lint.examples import draft, mail
from templates_app.lint.page import page_of
from tests.templates.lint.cast import found, lines, messages

IMAGES: dict[str, tuple[str, list[str]]] = {
    "good": ('<img src="{{ a }}" alt="A" width="1" height="1">', []),
    "decoration": ('<img src="{{ a }}" alt="" width="1">', []),
    "size in a style": ('<img src="{{ a }}" alt="" style="width: 100%">', []),
    "alternative text from a variable": ('<img src="{{ a }}" alt="{{ b }}" width="1">', []),
    "alternative text in a condition": ('<img src="{{ a }}" {% if b %}alt="B"{% endif %} width="1">', []),
    "no alternative text": ('<img src="{{ a }}" width="1">', ["alt-text"]),
    "no size": ('<img src="{{ a }}" alt="A"/>', ["image-size"]),
    "neither": ('<img src="{{ a }}">', ["alt-text", "image-size"]),
    "all of a link": ('<a href="{{ a }}"><img src="{{ a }}" alt="" width="1"></a>', ["alt-text"]),
    "beside words in a link": ('<a href="{{ a }}"><img src="{{ a }}" alt="" width="1"> A</a>', []),
    "beside another in a link": (
        '<a href="{{ a }}"><img src="{{ a }}" alt="" width="1"><img src="{{ a }}" alt="A" width="1"></a>', [],
    ),
    "of MJML": ('<mjml><mj-body><mj-image src="{{ a }}" /></mj-body></mjml>', ["alt-text"]),
}  # fmt: skip


@pytest.mark.parametrize(("html", "codes"), IMAGES.values(), ids=IMAGES)
def test_an_image_has_a_text_and_a_size(html: str, codes: list[str]) -> None:
    assert [each.rule for each in found(mail(html), "alt-text", "image-size")] == codes


MJML = """<mjml><mj-body><mj-section background-color="#ffffff"><mj-column>
{}
</mj-column></mj-section></mj-body></mjml>"""
CONTRASTS: dict[str, tuple[str, bool]] = {
    "both on one": ('<p style="color:#777;background:#fff">A</p>', True),
    "enough": ('<p style="color:#767676;background:#fff">A</p>', False),
    "around it": ('<table bgcolor="#ffffff"><tr><td style="color:#aaa">A</td></tr></table>', True),
    "an old attribute": ('<td style="background-color:white"><font color="yellow">A</font></td>', True),
    "nearest first": ('<td style="background:#fff"><p style="background:#000;color:#aaa">A</p></td>', False),
    "large": ('<p style="color:#949494;background:#fff;font-size:24px">A</p>', False),
    "bold and nearly large": ('<p style="color:#949494;background:#fff;font:bold 19px Arial">A</p>', False),
    "a heading": ('<h1 style="color:#949494;background:#fff">A</h1>', False),
    "on nothing": ('<p style="color:#aaa">A</p>', False),
    "of no colour": ('<p style="background:#fff">A</p>', False),
    "of a style sheet": ('<td style="background:#fff"><p class="x"><b>A</b></p></td>', False),
    "on a picture": ('<p style="color:#aaa;background:#fff url(x.png)">A</p>', False),
    "of a variable": ('<p style="color:{{ colour }};background:#fff">A</p>', False),
    "see-through": ('<p style="color:rgba(0,0,0,.2);background:#fff">A</p>', False),
    "without words": ('<p style="color:#fff;background:#fff"> </p>', False),
    "of a variable alone": ('<p style="color:#fff;background:#fff">{{ a }}</p>', True),
    "of a style sheet that is put in": (
        "<style>p { color: #aaa } .x { background: #fff }</style><div class='x'><p>A</p></div>",
        True,
    ),
    "of a style sheet, enough": (
        "<style>.x { background: #fff; color: #000 }</style><p class='x'>A</p>",
        False,
    ),
    "of a button of MJML": (MJML.format('<mj-button href="https://example.com/">A</mj-button>'), False),
    "of a button of MJML, too low": (
        MJML.format('<mj-button href="https://example.com/" color="#777">A</mj-button>'),
        True,
    ),
    "of MJML": (MJML.format('<mj-text color="#aaa">A</mj-text>'), True),
    "of MJML with a variable": (MJML.format('<mj-text color="#aaa">A {{ a }}</mj-text>'), True),
}


@pytest.mark.parametrize(("html", "is_low"), CONTRASTS.values(), ids=CONTRASTS)
def test_text_stands_out_from_its_background(html: str, *, is_low: bool) -> None:
    assert bool(found(mail(html), "contrast")) is is_low


def test_the_sentence_says_both_figures() -> None:
    html = '<p style="color:#777777;background:#ffffff">\n\n  A</p>'
    assert messages(mail(html), "contrast") == ["The contrast is 4.4 to 1; it should be 4.5 to 1."]
    assert lines(mail(html), "contrast") == [3]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("#fff", (255, 255, 255)),
        ("#1F4FD8", (31, 79, 216)),
        ("rgb(1, 2,3)", (1, 2, 3)),
        ("1px solid Navy", (0, 0, 128)),
        ("#ffff", None),
        ("transparent", None),
        ("linear-gradient(#fff, #000)", None),
        ("", None),
    ],
)
def test_a_colour_is_read_as_css_has_it(written: str, expected: tuple[int, int, int] | None) -> None:
    assert colour(written) == expected


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), (0x77, 0x77, 0x77)) == pytest.approx(4.478, abs=0.001)
    assert contrast((9, 9, 9), (9, 9, 9)) == 1


def test_what_is_made_of_a_source_is_found_where_it_was_written() -> None:
    sheet = "<style>p { color: #aaa; background: #fff }</style>\n<div>\n<p>{{ a }} Thank you.</p></div>"
    assert lines(mail(sheet), "contrast") == [3]
    assert lines(mail(MJML.format('<mj-text color="#aaa">Thank you.</mj-text>')), "contrast") == [2]


def test_a_layout_answers_for_its_own_colours() -> None:
    layout = "<style>p { color: #aaa; background: #fff }</style><p>Shop</p>{% block body %}{% endblock %}"
    html = '{% extends "brand" %}{% block body %}\n<p>Thank you.</p>{% endblock %}'
    message = draft(Written("email", "", {"subject": "a", "html": html}, {"brand.html": layout}))
    assert lines(message, "contrast") == [2]


def test_mjml_that_is_none_is_told_with_its_line() -> None:
    broken = MJML.format("<mj-text>A</mj-txt>")
    [problem] = found(mail(broken), "mjml", "compile")
    assert (problem.rule, problem.field, problem.line) == ("mjml", "html", 2)


def test_a_page_keeps_its_lines_whatever_the_template_has_in_it() -> None:
    source = (
        '{# <b>\n #}<p {% if a > "%}" %}\n class="x"{% endif %}>{{ "}}<i>"\n }}</p>\n'
        '<br><a href="{{ b }}">{% raw %}<u>{{{% endraw %}</a>'
    )
    elements = [(each.tag, each.line) for each in page_of(source).elements]
    assert elements[:3] == [("p", 2), ("br", 5), ("a", 5)]


def test_what_is_no_template_is_no_page() -> None:
    assert found(mail('<img src="a">{{ b'), "alt-text") == []
    assert found(mail('<img src="a">{{ b'), "syntax") != []


@pytest.mark.parametrize("sign", ["<a ", "<img src=", "<mjml "])
def test_broken_html_is_read_in_time(sign: str) -> None:
    began = time.process_time()
    page_of(sign * 10_000)
    assert time.process_time() - began < 1
