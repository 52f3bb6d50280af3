"""What a system can send, and how it would look."""

import time
from typing import Any

import pytest

from pushcenter.access.models import Scope, System
from pushcenter.messaging.models import Message
from templates_app.models import Template, TemplateVersion, Variant, VersionState
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
TEMPLATES = "/api/v1/templates"
PREVIEW = f"{TEMPLATES}/order-paid/preview"
SAMPLE = {"order_no": "SO-7"}


def publish(template: Template, variants: dict[tuple[str, str], dict[str, str]]) -> None:
    """A second version, with a sample, in place of the first."""
    template.versions.update(state=VersionState.ARCHIVED)
    version = TemplateVersion.objects.create(
        template=template, number=2, variables=factories.SCHEMA, samples=[{"name": "One", "params": SAMPLE}]
    )
    for (channel, locale), content in variants.items():
        Variant.objects.create(version=version, channel=channel, locale=locale, content=content)
    TemplateVersion.objects.filter(pk=version.pk).update(state=VersionState.PUBLISHED)


@pytest.fixture
def shop(db: None) -> Gateway:
    """A template in two languages, one that is never sent, and one of another category."""
    factories.template("draft", published=False)
    publish(
        factories.template(),
        {
            ("inbox", ""): {"title": "Paid: {{ order_no }}", "body": "Dear {{ recipient.name }}"},
            ("inbox", "zh-hans"): {"title": "已付款：{{ order_no }}", "body": "{{ recipient.id }}"},
            ("sms", ""): {"text": "{{ amount }} for {{ order_no }}"},
        },
    )
    factories.template("news", ["email"], category=factories.category("marketing"), name="Weekly news")
    return Gateway(factories.key(scopes=[Scope.TEMPLATES])[1])


def codes(response: Any) -> list[str]:
    assert response.status_code == 200, response.content[:1000]
    return [each["code"] for each in response.json()["items"]]


def test_what_can_be_sent_is_listed_by_code(shop: Gateway) -> None:
    response = shop.get(TEMPLATES)
    assert codes(response) == ["news", "order-paid"]
    assert response.json()["items"][1] == {
        "code": "order-paid",
        "name": "order-paid",
        "category": "orders",
        "priority": "normal",
        "route": "all",
        "channels": ["inbox", "email"],
        "version": 2,
    }


def test_the_list_comes_in_pages_and_is_searched(shop: Gateway) -> None:
    first = shop.get(TEMPLATES, limit=1)
    assert codes(first) == ["news"]
    assert codes(shop.get(TEMPLATES, limit=1, cursor=first.json()["next"])) == ["order-paid"]
    for text, found in (("PAID", ["order-paid"]), ("weekly", ["news"]), ("%", []), ("' OR 1=1 --", [])):
        assert codes(shop.get(TEMPLATES, q=text)) == found


def test_a_template_tells_what_its_parameters_have_to_be(shop: Gateway) -> None:
    detail = shop.get(f"{TEMPLATES}/order-paid").json()
    assert detail["variables"] == factories.SCHEMA
    assert detail["sample"] == SAMPLE
    assert detail["locales"] == {"inbox": ["", "zh-hans"], "sms": [""]}
    assert (detail["time_to_live"], detail["version"]) == (None, 2)


PERMISSIONS: list[tuple[dict[str, list[str]], list[str]]] = [
    ({}, ["news", "order-paid"]),
    ({"templates": ["order-paid"]}, ["order-paid"]),
    ({"categories": ["marketing"]}, ["news"]),
    ({"templates": ["order-paid"], "categories": ["marketing"]}, ["news", "order-paid"]),
    ({"templates": ["draft"], "categories": ["security"]}, []),
]


@pytest.mark.parametrize(("permitted", "expected"), PERMISSIONS)
def test_a_system_sees_what_it_may_send_and_nothing_else(
    shop: Gateway, permitted: dict[str, list[str]], expected: list[str]
) -> None:
    System.objects.update(**permitted)
    seer = Gateway(factories.key(scopes=[Scope.TEMPLATES])[1])
    assert codes(seer.get(TEMPLATES)) == expected
    for code in ("news", "order-paid"):
        answers = [seer.get(f"{TEMPLATES}/{code}"), seer.post(f"{TEMPLATES}/{code}/preview", {})]
        if code in expected:
            assert answers[0].status_code == 200
        else:
            assert [problem(each, 404, "not_found")["status"] for each in answers] == [404, 404]


@pytest.mark.parametrize("code", ["draft", "nothing", "Order-Paid", "%00", "%ff", "order-paid%20", "x" * 300])
def test_what_cannot_be_sent_is_not_found(shop: Gateway, code: str) -> None:
    problem(shop.get(f"{TEMPLATES}/{code}"), 404, "not_found")
    problem(shop.post(f"{TEMPLATES}/{code}/preview", {}), 404, "not_found")


# --- Preview ------------------------------------------------------------------------------------------------


def shown(response: Any) -> dict[tuple[str, str], dict[str, Any]]:
    assert response.status_code == 200, response.content[:1000]
    return {(each["channel"], each["locale"]): each["content"] for each in response.json()["contents"]}


def test_without_parameters_the_sample_is_shown_in_every_variant(shop: Gateway) -> None:
    response = shop.post(PREVIEW, {})
    assert shown(response) == {
        ("inbox", ""): {"title": "Paid: SO-7", "body": "Dear Li Wei"},
        ("inbox", "zh-hans"): {"title": "已付款：SO-7", "body": "u-1001"},
        ("sms", ""): {"text": "0 for SO-7"},
    }
    assert response.json()["params"] == SAMPLE
    assert (response.json()["template"], response.json()["version"]) == ("order-paid", 2)


WANTED: dict[str, tuple[dict[str, Any], dict[tuple[str, str], str]]] = {
    "one channel": ({"channel": "sms"}, {("sms", ""): "0 for SO-7"}),
    "other parameters": (
        {"channel": "sms", "params": {"order_no": "A", "amount": "9"}},
        {("sms", ""): "9 for A"},
    ),
    "a language": ({"locale": "zh-CN", "channel": "inbox"}, {("inbox", "zh-hans"): "已付款：SO-7"}),
    "a language that nobody wrote": (
        {"locale": "fr"},
        {("inbox", ""): "Paid: SO-7", ("sms", ""): "0 for SO-7"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), WANTED.values(), ids=WANTED)
def test_one_can_choose_what_to_see(
    shop: Gateway, body: dict[str, Any], expected: dict[tuple[str, str], str]
) -> None:
    found = shown(shop.post(PREVIEW, body))
    assert {place: next(iter(content.values())) for place, content in found.items()} == expected


def test_a_recipient_gives_name_and_language(shop: Gateway) -> None:
    factories.recipient("u-8", name="Wang", locale="zh-CN")
    seer = Gateway(factories.key(scopes=[Scope.TEMPLATES, Scope.RECIPIENTS])[1])
    found = shown(seer.post(PREVIEW, {"recipient": "u-8", "channel": "inbox"}))
    assert found == {("inbox", "zh-hans"): {"title": "已付款：SO-7", "body": "u-8"}}
    english = shown(seer.post(PREVIEW, {"recipient": "u-8", "channel": "inbox", "locale": "en"}))
    assert english["inbox", ""]["body"] == "Dear Wang"
    assert faults(seer.post(PREVIEW, {"recipient": "u-9"})) == [("/recipient", "unknown_recipient")]
    problem(shop.post(PREVIEW, {"recipient": "u-8"}), 403, "missing_scope")


def test_a_variant_that_cannot_be_rendered_says_why_and_hides_no_other(shop: Gateway) -> None:
    variants = {
        ("inbox", ""): {"title": "{{ order_no }}", "body": "{{ 1 // 0 }}"},
        ("sms", ""): {"text": "{{ order_no }}"},
    }
    publish(factories.template("broken", ["inbox", "sms"]), variants)
    broken, sound = shop.post(f"{TEMPLATES}/broken/preview", {}).json()["contents"]
    assert (broken["channel"], broken["content"]) == ("inbox", None)
    assert broken["error"].startswith("body, line 1")
    assert (sound["content"], sound["error"]) == ({"text": "SO-7"}, "")


BAD: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "unknown field": ({"to": {}}, [("/to", "unknown_field")]),
    "a list": ([], [("", "invalid")]),
    "params a list": ({"params": []}, [("/params", "not_a_dict")]),
    "variable missing": ({"params": {}}, [("/params/order_no", "missing_variable")]),
    "variable unknown": ({"params": {**SAMPLE, "x": 1}}, [("/params/x", "unknown_variable")]),
    "variable of another type": ({"params": {"order_no": 1}}, [("/params/order_no", "invalid_variable")]),
    "unknown channel": ({"channel": "fax"}, [("/channel", "unknown_channel")]),
    "channel without words": ({"channel": "email"}, [("/channel", "no_variant")]),
    "channel a number": ({"channel": 1}, [("/channel", "invalid")]),
    "bad locale": ({"locale": "e n"}, [("/locale", "invalid")]),
    "bad recipient": ({"recipient": "a/b"}, [("/recipient", "invalid")]),
    "two faults": (
        {"channel": "fax", "params": {}},
        [("/channel", "unknown_channel"), ("/params/order_no", "missing_variable")],
    ),
}


@pytest.mark.parametrize(("body", "expected"), BAD.values(), ids=BAD)
def test_a_bad_preview_is_refused(shop: Gateway, body: Any, expected: list[tuple[str, str]]) -> None:
    assert faults(shop.post(PREVIEW, body)) == expected


def test_a_hostile_pattern_holds_no_preview_up(shop: Gateway) -> None:
    template = factories.template("hostile")
    schema = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    template.versions.update(state=VersionState.ARCHIVED)
    TemplateVersion.objects.create(template=template, number=2, variables=schema)
    template.versions.filter(number=2).update(state=VersionState.PUBLISHED)
    begun = time.monotonic()
    answer = shop.post(f"{TEMPLATES}/hostile/preview", {"params": {"x": "a" * 40 + "!"}})
    assert time.monotonic() - begun < 1
    assert faults(answer) == [("/params/x", "invalid_variable")]


def test_a_preview_sends_nothing_and_injects_nothing(shop: Gateway) -> None:
    body = {"channel": "sms", "params": {"order_no": "{{ 7*7 }}"}}
    assert shown(shop.post(PREVIEW, body)) == {("sms", ""): {"text": "0 for {{ 7*7 }}"}}
    assert not Message.objects.exists()


@pytest.mark.parametrize("query", [{"cursor": "!"}, {"limit": 500}, {"q": "\0"}, {"code": "x"}])
def test_a_bad_question_is_refused(shop: Gateway, query: dict[str, Any]) -> None:
    [(pointer, _code)] = faults(shop.get(TEMPLATES, **query))
    assert pointer == f"/{next(iter(query))}"


def test_a_chain_tells_what_each_channel_waits_for(shop: Gateway) -> None:
    waits = {"inbox": {"until": "read", "within": 5400}}
    Template.objects.filter(code="order-paid").update(route_mode="first", steps=waits)
    assert shop.get(f"{TEMPLATES}/order-paid").json()["steps"] == [
        {
            "channel": "inbox",
            "until": "read",
            "within": 5400,
            "told": "until inbox is read, at most 90 minutes",
        },
        {"channel": "email", "until": "sent", "within": None, "told": "until email is sent"},
    ]
    assert shop.get(f"{TEMPLATES}/news").json()["steps"] == []


LINES = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
}
ORDER = {
    "type": "object",
    "properties": {"number": {"type": "string"}, "lines": LINES},
    "additionalProperties": False,
}
DEEP = {"order": {"lines": [{"name": "Tea"}, {"nmae": "Cup"}], "nubmer": "SO-1"}}


def test_faults_deep_in_the_parameters_are_pointed_at_alike_everywhere() -> None:
    factories.recipient()
    factories.accounts("inbox")
    factories.template(
        "deep",
        ["inbox"],
        content={
            "inbox": {
                "title": "{{ order.number }}",
                "body": "{% for line in order.lines %}{{ line.name }}{% endfor %}",
            }
        },
        schema={"type": "object", "properties": {"order": ORDER}, "required": ["order"]},
    )
    caller = Gateway(factories.key()[1])
    message = {"template": "deep", "to": {"recipient": "u-1001"}, "params": DEEP}
    expected = [
        ("/params/order/lines/1/name", "missing_variable"),
        ("/params/order/nubmer", "unknown_variable"),
    ]
    assert sorted(faults(caller.post(f"{TEMPLATES}/deep/preview", {"params": DEEP}))) == expected
    refused = caller.post("/api/v1/messages", message)
    assert sorted(faults(refused)) == expected
    assert "Did you mean number?" in refused.content.decode()
