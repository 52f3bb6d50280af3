"""Layouts and snippets: put in where they are named, in the form and the language of who names them."""

from collections.abc import Mapping
from typing import Any

import pytest

from templates_app import parts
from templates_app.models import Template, TemplateKind, TemplateVersion, Variant, VersionState
from templates_app.parts import Named, PartError, codes, named, of_content, of_variant
from templates_app.pins import pinned
from templates_app.render import RenderError, compile_content
from templates_app.soundness import PublishingError
from tests import factories

BRAND = {
    "brand.html": "<html>\n{% block content %}{% endblock %}\n{% include 'signature' %}</html>",
    "brand.txt": "== {% block content %}{% endblock %}",
    "signature.html": "<b>{{ recipient.name }}</b>",
    "signature.txt": "-- {{ recipient.name }}",
}
CHILD = '{% extends "brand" %}{% block content %}Order {{ no }}{% endblock %}'


def rendered(content: Mapping[str, Any], given: Mapping[str, str] = BRAND) -> dict[str, Any]:
    params = {"no": "<1>", "recipient": {"name": "A & B"}}
    return compile_content("email", content, parts=given).render(params)


def test_a_part_has_the_form_of_the_field_that_names_it() -> None:
    found = rendered({"subject": "S", "html": CHILD, "text": CHILD + "{% block x %}{% endblock %}"})
    assert found["html"] == "<html>\nOrder &lt;1&gt;\n<b>A &amp; B</b></html>"
    assert found["text"] == "== Order <1>"
    assert rendered({"subject": "{% include 'signature' %}"}) == {"subject": "-- A & B"}


def test_a_block_can_hold_what_the_layout_has_in_it() -> None:
    given = {"brand.html": "[{% block a %}x{% endblock %}]"}
    child = "{% extends 'brand' %}{% block a %}{{ super() }}y{% endblock %}"
    assert rendered({"html": child}, given) == {"html": "[xy]"}


NAMED = {
    "{% extends 'a' %}": [Named(code="a", line=1)],
    "\n{%- include \"b-c\" -%}{% include 'a' %}": [Named(code="b-c", line=2), Named(code="a", line=2)],
    "{% include 'a' ignore missing %}": [Named(code="a", line=1, may_be_missing=True)],
    "{# {% include 'a' %} #}{% raw %}{% include 'a' %}{% endraw %}{{ \"{% include 'a' %}\" }}": [],
}


@pytest.mark.parametrize(("source", "expected"), NAMED.items())
def test_a_source_tells_which_parts_it_needs(source: str, expected: list[Named]) -> None:
    assert named(source) == expected


UNCLEAR = [
    "{% include x %}",
    "{% include ['a', 'b'] %}",
    "{% extends 'a' ~ x %}",
    "{% include 'a' if x %}",
    "{% include %}",
]


@pytest.mark.parametrize("source", UNCLEAR)
def test_a_part_is_named_by_its_code_alone(source: str) -> None:
    with pytest.raises(PartError, match="write the code of one layout or snippet") as caught:
        named("\n" + source)
    assert caught.value.line == 2
    assert codes([{"text": source}]) == set()


def test_all_fields_of_a_content_name_parts() -> None:
    content = {"subject": "{% include 'a' %}", "html": CHILD, "deep": {"x": "{% include 'b' %}"}, "n": 1}
    assert codes([content, {"text": "{% include 'c' %}"}]) == {"a", "brand", "b", "c"}


ERRORS: dict[str, tuple[str, Mapping[str, str], str]] = {
    "not there": (
        "a\n{% include 'gone' %}",
        {},
        "html, line 2: there is no published layout or snippet “gone”",
    ),
    "another form": (
        "{% include 'x' %}",
        {"x.txt": ""},
        "html, line 1: the layout or snippet “x” has no HTML form",
    ),
    "not there within": (
        "{% include 'a' %}",
        {"a.html": "\n{% include 'b' %}"},
        "in a, line 2: there is no published layout or snippet “b”",
    ),
    "itself": (
        "{% include 'a' %}",
        {"a.html": "{% include 'a' %}"},
        "in a, line 1: “a” comes to include itself",
    ),
    "a circle": (
        "{% include 'a' %}",
        {"a.html": "{% include 'b' %}", "b.html": "\n\n{% extends 'a' %}"},
        "in b, line 3: “a” comes to include itself",
    ),
    "no template": ("{% include 'a' %}", {"a.html": "\n{% if %}"}, "in a, line 2: syntax error"),
    "while rendering": (
        "{% include 'a' %}",
        {"a.html": "\n\n{{ x.y.z }}"},
        "html, in a, line 3: undefined value",
    ),
    "in a layout": (
        "{% extends 'a' %}",
        {"a.html": "\n{{ 1 // 0 }}"},
        "html, in a, line 2: invalid operation",
    ),
    "in what a layout has": (
        "{% extends 'a' %}{% block x %}{{ super() }}{% endblock %}",
        {"a.html": "\n{% block x %}{{ x.y.z }}{% endblock %}"},
        "html, in a, line 2: undefined value",
    ),
    "two steps away": (
        "{% include 'a' %}",
        {"a.html": "{% include 'b' %}", "b.html": "\n{{ x.y.z }}"},
        "html, in b, line 2: undefined value",
    ),
    "in a block of a layout": (
        "{% extends 'a' %}\n\n{% block x %}{{ x.y.z }}{% endblock %}",
        {"a.html": "\n{% block x %}{% endblock %}"},
        "html, line 3: undefined value",
    ),
    "a list in a part": (
        "{% include 'a' %}",
        {"a.html": "\n{{ l * 2 }}"},
        "html, in a, line 2: a list cannot",
    ),
    "a method in a part": (
        "{% include 'a' %}",
        {"a.html": "\n{{ l.append(1) }}"},
        "in a, line 2: there is no method append",
    ),
}


@pytest.mark.parametrize(("source", "given", "expected"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_the_part_and_its_line(source: str, given: Mapping[str, str], expected: str) -> None:
    with pytest.raises(RenderError) as caught:
        compile_content("email", {"html": source}, parts=given).render({"l": [1]})
    assert str(caught.value).startswith(expected)


def test_what_may_be_missing_is_left_out() -> None:
    assert rendered({"html": "a{% include 'gone' ignore missing %}b"}) == {"html": "ab"}


def test_parts_stay_out_of_json() -> None:
    with pytest.raises(RenderError, match="cannot stand within JSON"):
        compile_content("webhook", {"data": '{"a": "{% include \'signature\' %}"}'}, parts=BRAND)


def test_parts_multiply_no_lists() -> None:
    given = {f"p{n}.html": f"{{% set x = [x, x] %}}{{% include 'p{n + 1}' %}}" for n in range(18)}
    with pytest.raises(RenderError, match="lists are put into lists too often"):
        compile_content("email", {"html": "{% include 'p0' %}"}, parts={**given, "p18.html": "{{ x }}"})


def test_a_part_is_rendered_by_itself() -> None:
    layout = compile_content("html", {"source": BRAND["brand.html"]}, parts=BRAND)
    assert layout.render({"recipient": {"name": "<"}}) == {"source": "<html>\n\n<b>&lt;</b></html>"}
    assert compile_content("text", {"source": "{{ x }}"}).render({"x": "<"}) == {"source": "<"}


def part(code: str, *variants: tuple[str, str, str], number: int = 1) -> TemplateVersion:
    """A published version of a snippet: form, locale and source of each variant."""
    template = Template.objects.filter(code=code).first() or Template.objects.create(
        code=code, name=code, kind=TemplateKind.SNIPPET, category=factories.category()
    )
    template.versions.filter(state=VersionState.PUBLISHED).update(state=VersionState.ARCHIVED)
    version = TemplateVersion.objects.create(template=template, number=number)
    for form, locale, source in variants:
        Variant.objects.create(version=version, channel=form, locale=locale, content={"source": source})
    TemplateVersion.objects.filter(pk=version.pk).update(state=VersionState.PUBLISHED)
    return version


@pytest.mark.django_db
def test_a_part_has_the_language_that_comes_nearest() -> None:
    part("signature", ("html", "", "Yours"), ("html", "zh-hans", "此致"), ("text", "de", "Ihr"))
    content = {"html": "{% include 'signature' %}"}
    assert of_content(content, "zh-hans-cn") == {"signature.html": "此致", "signature.txt": "Ihr"}
    assert of_content(content, "fr")["signature.html"] == "Yours"
    assert of_content({"html": "x"}, "fr") == {}


@pytest.mark.django_db
def test_parts_of_parts_are_found() -> None:
    part("brand", ("html", "", "{% include 'footer' %}{% include 'brand' %}{% include 'gone' %}"))
    part("footer", ("html", "", "F"))
    found = of_content({"html": "{% extends 'brand' %}"}, "")
    assert set(found) == {"brand.html", "footer.html"}


@pytest.mark.django_db
def test_what_was_published_keeps_its_parts() -> None:
    old = part("signature", ("text", "", "Old"))
    factories.template(channels=["sms"], published=False)
    version = TemplateVersion.objects.get(template__kind=TemplateKind.MESSAGE)
    version.variants.update(content={"text": "{% include 'signature' %}"})
    TemplateVersion.objects.filter(pk=version.pk).update(
        state=VersionState.PUBLISHED, parts={"signature": str(old.pk)}
    )
    part("signature", ("text", "", "New"), number=2)
    variant = Variant.objects.get(version=version)
    assert of_variant(variant) == {"signature.txt": "Old"}
    assert of_content(variant.content, "") == {"signature.txt": "New"}


@pytest.mark.django_db
def test_what_may_be_missing_is_pinned_where_it_is_there() -> None:
    there = part("signature", ("text", "", "Yours"))
    factories.template(channels=["sms"], published=False)
    version = TemplateVersion.objects.get(template__kind=TemplateKind.MESSAGE)
    text = "{# {% include 'note' %} #}{% include 'signature' %}{% include 'seal' ignore missing %}"
    version.variants.update(content={"text": text})
    assert pinned(version) == {"signature": str(there.pk)}
    version.variants.update(content={"text": "{% include 'seal' %}"})
    with pytest.raises(PublishingError, match="no layout or snippet “seal”"):
        pinned(version)


@pytest.mark.django_db
def test_a_message_is_no_part_of_another() -> None:
    factories.template("order-paid", channels=["sms"])
    assert of_content({"text": "{% include 'order-paid' %}"}, "") == {}


def test_the_ending_is_that_of_the_field() -> None:
    assert (parts.ending("@html.html"), parts.ending("@text.txt"), parts.ending("a.html")) == (
        ".html", ".txt", ".html",
    )  # fmt: skip
