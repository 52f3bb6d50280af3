"""From a source and parameters to content: escaped by the kind of the field, and safe from what it is given."""

from typing import Any

import pytest

from templates_app.locales import fallbacks, normalise
from templates_app.models import TemplateVersion, Variant
from templates_app.render import (
    MAX_OUTPUT,
    RenderError,
    choose_variant,
    compile_content,
    compile_errors,
    render,
    undeclared,
)
from tests import factories

HOSTILE = "<b>&\"'</b>"


def text(source: str, **params: Any) -> str:
    rendered: str = compile_content("sms", {"text": source}).render(params)["text"]
    return rendered


def html(source: str, **params: Any) -> str:
    rendered: str = compile_content("email", {"html": source}).render(params)["html"]
    return rendered


def data(source: str, **params: Any) -> Any:
    return compile_content("webhook", {"data": source}).render(params)["data"]


def test_each_kind_of_field_escapes_in_its_own_way() -> None:
    assert text("{{ x }}", x=HOSTILE) == HOSTILE
    assert html("{{ x }}", x=HOSTILE) == "&lt;b&gt;&amp;&quot;&#x27;&lt;&#x2f;b&gt;"
    assert data('{"x": {{ x|tojson }}}', x=HOSTILE) == {"x": HOSTILE}


def test_the_subject_of_a_mail_is_text_and_its_page_is_html() -> None:
    content = {"subject": "{{ x }}", "html": "<p>{{ x }}</p>", "text": "{{ x }}"}
    rendered = compile_content("email", content).render({"x": "A & B"})
    assert rendered == {"subject": "A & B", "html": "<p>A &amp; B</p>", "text": "A & B"}


def test_html_can_be_let_through_by_the_author_alone() -> None:
    assert html("{{ x|safe }}", x="<b>") == "<b>"
    assert html("{{ x }}", x="{{ 7*7 }}<b>|safe") == "{{ 7*7 }}&lt;b&gt;|safe"


def test_only_fields_that_are_filled_in_and_belong_to_the_channel_are_rendered() -> None:
    content = {"subject": "S", "html": "", "text": "T", "colour": "{{ red }}"}
    assert compile_content("email", content).render({}) == {"subject": "S", "text": "T"}


@pytest.mark.parametrize(
    "source", ["A & <b>B</b>", "100 % {sure} }}", "the last line ends\n", "two of them end\n\n"]
)
def test_what_is_the_same_for_everybody_is_rendered_once_and_in_the_same_way(source: str) -> None:
    fields = ("subject", "html", "text")
    once = compile_content("email", dict.fromkeys(fields, source))
    each_time = compile_content("email", dict.fromkeys(fields, "{{ nobody }}" + source))
    assert (set(once.names), set(each_time.names)) == (set(), set(fields))
    assert once.render({}) == each_time.render({})


@pytest.mark.parametrize("name", ["name", "self", "context", "template_name", "loop", "field", "engine"])
def test_a_variable_may_have_any_name(name: str) -> None:
    assert text("{{ " + name + " }}", **{name: "x"}) == "x"


OPTIONAL = {
    "missing": ("[{{ x }}]", {}, "[]"),
    "null": ("[{{ x }}]", {"x": None}, "[]"),
    "null inside": ("[{{ x.y }}]", {"x": {"y": None}}, "[]"),
    "null in a list": ("{{ x|join(',') }}", {"x": ["a", None]}, "a,"),
    "asked for": ("{% if x %}a{% else %}b{% endif %}", {"x": None}, "b"),
    "default of a missing one": ("{{ x|default('-') }}", {}, "-"),
    "default of null": ("{{ x|default('-') }}", {"x": None}, "-"),
    "false and nought stay": ("{{ x }}{{ y }}", {"x": 0, "y": ""}, "0"),
}


@pytest.mark.parametrize(("source", "params", "expected"), OPTIONAL.values(), ids=OPTIONAL)
def test_nobody_reads_that_something_is_missing(source: str, params: dict[str, Any], expected: str) -> None:
    assert text(source, **params) == expected
    assert html(source, **params) == expected


JSON: dict[str, tuple[str, dict[str, Any], Any]] = {
    "values of every kind": ('{"x": {{ x|tojson }}}', {"x": [1, 1.5, True, None, {"a": "é"}]}, None),
    "null stays": ('{"x": {{ x|tojson }}}', {"x": None}, {"x": None}),
    "null inside stays": ('{"x": {{ x|tojson }}}', {"x": {"y": None}}, {"x": {"y": None}}),
    "missing becomes null": ('{"x": {{ x|tojson }}}', {}, {"x": None}),
    "injection": ('{"x": {{ x|tojson }}}', {"x": '", "y": "'}, {"x": '", "y": "'}),
    "without the filter": ('{"x": {{ x }}}', {"x": '", "y": "'}, {"x": '", "y": "'}),
}


@pytest.mark.parametrize(("source", "params", "expected"), JSON.values(), ids=JSON)
def test_a_json_field_holds_values(source: str, params: dict[str, Any], expected: Any) -> None:
    assert data(source, **params) == (expected or params)


NOT_JSON = {
    "text": "hello",
    "nothing": "{# comment #}",
    "comma": '{"a": 1,}',
    "NaN": '{"a": NaN}',
    "quotes twice": '{"a": "{{ x }}"}',
    "too deep": "{% for i in range(30000) %}[{% endfor %}",
}


@pytest.mark.parametrize("source", NOT_JSON.values(), ids=NOT_JSON)
def test_a_json_field_that_is_no_json_is_an_error(source: str) -> None:
    with pytest.raises(RenderError, match=r"JSON|nested") as caught:
        data(source, x='"')
    assert caught.value.field == "data"


ERRORS = {
    "syntax": ("a\nb\n{% if %}", 3),
    "open block": ("{% for x in y %}", 1),
    "unknown filter": ("a\n{{ 'x'|sparkle }}", 2),
    "unknown function": ("a\n{{ launch() }}", 2),
    "value of nothing": ("a\n\n{{ x.y.z }}", 3),
    "by nought": ("{{ 1 // 0 }}", 1),
    "include": ("{% include 'other.txt' %}", 1),
    "import": ("{% import 'other.txt' as other %}", 1),
    "inheritance": ("{% extends 'other.txt' %}", 1),
}


@pytest.mark.parametrize(("source", "line"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_field_and_line(source: str, line: int) -> None:
    with pytest.raises(RenderError) as caught:
        text(source)
    assert (caught.value.field, caught.value.line) == ("text", line)
    assert str(caught.value).startswith(f"text, line {line}: ")


ENDLESS = {
    "loop": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "range": "{{ range(10000000000) }}",
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_a_source_that_would_never_end_is_stopped(source: str) -> None:
    with pytest.raises(RenderError):
        text(source)


def test_a_result_that_is_too_long_is_refused() -> None:
    assert len(html("{{ 'x' * n }}", n=MAX_OUTPUT)) == MAX_OUTPUT
    with pytest.raises(RenderError, match="longer than 1,000,000"):
        html("{{ 'x' * n }}", n=MAX_OUTPUT + 1)


INSIDES = [
    "{{ x.__class__ }}",
    "{{ x.__class__.__mro__ }}",
    "{{ ''.__class__.__base__.__subclasses__() }}",
    "{{ x.pop.__self__ }}",
    "{{ x.pop.__globals__ }}",
    "{{ self.__init__ }}",
    "{{ x|attr('__class__') }}",
]


@pytest.mark.parametrize("source", INSIDES)
def test_a_source_sees_nothing_of_the_machine(source: str) -> None:
    try:
        found = text(source, x={"a": 1})
    except RenderError:
        return
    assert found == ""


CHANGES = [
    "{{ order.pop('no') }}",
    "{{ order.clear() }}",
    "{{ lines.append(2) }}",
    "{{ order.update(order) }}",
    "{% set f = order.pop %}{{ f('no') }}",
    "{{ (order.pop)('no') }}",
    "{{ order['pop']('no') }}",
    "{{ (order|attr('pop'))('no') }}",
]


@pytest.mark.parametrize("source", CHANGES)
def test_a_source_cannot_change_its_parameters(source: str) -> None:
    params: dict[str, Any] = {"order": {"no": "1"}, "lines": [1]}
    for render_with in (text, html, data):
        with pytest.raises(RenderError):
            render_with(source, **params)
    assert params == {"order": {"no": "1"}, "lines": [1]}


NOTHING = ["{{ x.items }}", "{{ x.pop }}", "{{ x.copy }}", "{{ y.append }}", "{{ z.format }}", "{{ x.get }}"]


@pytest.mark.parametrize("source", NOTHING)
def test_the_name_of_a_method_is_no_value(source: str) -> None:
    assert text(source, x={"a": 1}, y=[1], z="z") == ""


READS = {
    "{% for k, v in x.items() %}{{ k }}={{ v }}{% endfor %}": "a=1",
    "{% for k, v in x|items %}{{ k }}={{ v }}{% endfor %}": "a=1",
    "{% for k in x %}{{ k }}{% endfor %}": "a",
    "{{ x.get('a') }}{{ x.get('b', '-') }}": "1-",
    "{{ x.keys()|join }}{{ x.values()|join }}": "a1",
    "{{ y[0] }}{{ y|length }}{{ 2 in y }}{{ y[-1] }}{{ y[1:]|join }}": "12True22",
    "{{ x|tojson }}{{ y|tojson }}": '{"a": 1}[1, 2]',
    "{{ n.x.y }}{{ n.l[0].z }}": "34",
    "{{ x is mapping }}{{ y is sequence }}": "TrueTrue",
    "{{ z.upper() }}{{ z.split('-')|join }}": "A-Bab",
}


@pytest.mark.parametrize(("source", "expected"), READS.items())
def test_what_only_reads_is_there(source: str, expected: str) -> None:
    nested = {"x": {"y": 3}, "l": [{"z": 4}]}
    assert text(source, x={"a": 1}, y=[1, 2], z="a-b", n=nested) == expected


LOCALES = {
    "": ("",),
    "en": ("en", ""),
    "en-GB": ("en-gb", "en", ""),
    "zh_CN": ("zh-cn", "zh-hans", "zh", ""),
    "zh-TW": ("zh-tw", "zh-hant", "zh", ""),
    "zh-HK": ("zh-hk", "zh-hant", "zh", ""),
    "zh-Hant-HK": ("zh-hant-hk", "zh-hant", "zh", ""),
    "zh": ("zh", "zh-hans", ""),
    "de-CH-1996": ("de-ch-1996", "de-ch", "de", ""),
    " pt_BR ": ("pt-br", "pt", ""),
}


@pytest.mark.parametrize(("locale", "expected"), LOCALES.items(), ids=LOCALES)
def test_a_locale_falls_back_step_by_step(locale: str, expected: tuple[str, ...]) -> None:
    assert fallbacks(locale) == expected


def test_a_locale_is_never_longer_than_its_column() -> None:
    assert len(normalise("İ" * 35)) == 35


CHOICES = [
    (["", "en", "zh-hans"], "en-US", "en"),
    (["", "en", "zh-hans"], "zh-CN", "zh-hans"),
    (["", "en", "zh-hans"], "zh-TW", ""),
    (["", "en", "zh-hans"], "fr", ""),
    (["", "en", "zh-hans"], "", ""),
    (["zh-hant", "zh-hans"], "zh-HK", "zh-hant"),
    (["zh-hans", "en"], "fr", "en"),
    (["en"], "zh", "en"),
]


@pytest.mark.parametrize(("written", "wanted", "chosen"), CHOICES)
def test_the_variant_that_comes_nearest_is_chosen(written: list[str], wanted: str, chosen: str) -> None:
    variants = [Variant(channel="sms", locale=locale) for locale in written]
    others = [Variant(channel="email", locale=wanted)]
    found = choose_variant([*others, *variants], channel="sms", locale=wanted)
    assert found is not None
    assert (found.channel, found.locale) == ("sms", chosen)


def test_a_channel_without_a_variant_has_none() -> None:
    assert choose_variant([Variant(channel="sms")], channel="email", locale="en") is None


@pytest.mark.django_db
@pytest.mark.parametrize("published", [True, False])
def test_a_version_renders_on_its_channels_alone(*, published: bool) -> None:
    factories.template(channels=["sms"], published=published)
    version = TemplateVersion.objects.get()
    content = render(version, channel="sms", locale="en", params={"order_no": "SO-1"})
    assert content == {"text": "Order SO-1 is paid."}
    with pytest.raises(RenderError, match="no variant for the channel email"):
        render(version, channel="email", locale="en", params={})


@pytest.mark.django_db
def test_a_draft_is_rendered_as_it_stands_now() -> None:
    factories.template(channels=["sms"], published=False)
    version = TemplateVersion.objects.get()
    assert render(version, channel="sms", locale="", params={})["text"].startswith("Order")
    Variant.objects.update(content={"text": "Changed"})
    assert render(version, channel="sms", locale="", params={})["text"] == "Changed"


def test_a_source_tells_what_is_wrong_and_what_it_uses() -> None:
    assert compile_errors("{{ x }}") == []
    [(line, message)] = compile_errors("a\n{{ x")
    assert line == 2
    assert message
    assert undeclared("{{ x }} {% for y in z %}{{ y }}{% endfor %}") == {"x", "z"}
    assert undeclared("{{ x") == set()


def test_a_variant_of_a_channel_that_is_gone_is_a_render_error() -> None:
    with pytest.raises(RenderError, match="the channel pager is not installed"):
        compile_content("pager", {"text": "x"})


def test_a_text_that_is_too_long_is_cut_or_fails_as_its_field_declares() -> None:
    push = compile_content("push", {"title": "Paid", "body": "{{ x }}"}).render({"x": "字" * 1000})
    assert len(push["body"].encode()) <= 1800
    assert push["body"].endswith("字…")
    with pytest.raises(RenderError, match=r"^text: .* text messages; at most 10 are sent"):
        compile_content("sms", {"text": "{{ x }}"}).render({"x": "字" * 671})


def test_what_an_editor_chose_stands_in_the_content() -> None:
    content = compile_content("wecom", {"format": "markdown", "text": "**{{ x }}**", "severity": ""})
    assert content.render({"x": "Paid"}) == {"format": "markdown", "text": "**Paid**"}
