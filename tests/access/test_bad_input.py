"""Whatever comes, a bad request gets a problem document that says where it is bad, and leaves nothing behind."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from pushcenter.access.models import System
from pushcenter.access.parsing import MAX_DEPTH
from pushcenter.access.problems import MAX_FAULTS
from pushcenter.messaging.models import Message
from pushcenter.recipients.models import Address
from tests import factories
from tests.access.gateway import MESSAGES, NOTHING, Gateway, faults, order, problem, stored

pytestmark = pytest.mark.django_db

BATCH = f"{MESSAGES}/batch"


def ahead(**by: float) -> str:
    return (timezone.now() + timedelta(**by)).isoformat()


def body(text: str) -> bytes:
    """The body of a good request, with this JSON text as one of its parameters."""
    return json.dumps(order()).encode().replace(b'"SO-1"', text.encode())


def nested(depth: int) -> bytes:
    """A request whose deepest value lies so many levels down: three of them are body, params and order_no."""
    return body("[" * (depth - 3) + "0" + "]" * (depth - 3))


NOT_JSON = {
    "text": b"hello",
    "broken": b'{"template": "order-paid", ',
    "a comma too many": b'{"template": "order-paid",}',
    "single quotes": b"{'template': 'order-paid'}",
    "a comment": b'{"template": "order-paid"} // paid',
    "two texts": b"{} {}",
    "form": b"template=order-paid&to=u-1001",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"template": "order-paid"}'.encode("utf-16"),
    "not UTF-8": b'{"template": "\xff"}',
    "Latin-1": '{"template": "Grüße"}'.encode("latin-1"),
    "UTF-8 of half a pair": b'{"template": "\xed\xa0\x80"}',
    "half a pair": body(r'"\ud800"'),
    "half a pair in a name": b'{"\\udc00": 1}',
    "null character": body(r'"\u0000"'),
    "null character in a name": b'{"\\u0000": 1}',
    "null byte": b'{"template": "\0"}',
    "a name twice": b'{"template": "order-paid", "template": "other"}',
    "a name twice, deep": body('{"a": {"b": 1, "b": 2}}'),
    "half a pair twice": b'{"\\ud800": 1, "\\ud800": 2}',
    "NaN": body("NaN"),
    "Infinity": body("Infinity"),
    "-Infinity": body("-Infinity"),
    "1e999": body("1e999"),
    "-1e999": body("-1e999"),
    "beyond 64 bits": body(str(2**63)),
    "400 digits": body("9" * 400),
    "100,000 digits": body("-" + "9" * 100_000),
    "level after the last": nested(MAX_DEPTH + 1),
    "200 levels": nested(200),
    "300,000 levels": b"[" * 300_000,
    "300,000 objects": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("path", [MESSAGES, BATCH])
@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_strict_json_is_refused(shop: Gateway, text: bytes, path: str) -> None:
    problem(shop.raw(path, text), 400, "invalid_json")
    assert stored() == NOTHING


def test_the_place_of_a_syntax_error_is_named(shop: Gateway) -> None:
    response = shop.raw(MESSAGES, b'{\n  "template": ,\n}')
    assert "line 2, column 15" in problem(response, 400, "invalid_json")["detail"]


@pytest.mark.parametrize("text", [nested(MAX_DEPTH), body(str(2**63 - 1)), body("1.7e308"), body('"\u2028"')])
def test_what_is_just_json_is_read(shop: Gateway, text: bytes) -> None:
    factories.template("free", ["inbox"], schema={"type": "object"})
    response = shop.raw(MESSAGES, text.replace(b"order-paid", b"free"))
    assert response.status_code == 202, response.content
    assert shop.get(response["Location"]).status_code == 200


MEDIA_TYPES = [
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "json",
    "",
]


@pytest.mark.parametrize("path", [MESSAGES, BATCH])
@pytest.mark.parametrize("media_type", [*MEDIA_TYPES, "multipart/form-data; boundary=x"])
def test_a_body_that_is_not_declared_as_json_is_refused(shop: Gateway, media_type: str, path: str) -> None:
    problem(shop.raw(path, json.dumps(order()).encode(), media_type), 415, "unsupported_media_type")
    assert stored() == NOTHING


def test_a_body_over_the_limit_is_refused(shop: Gateway, settings: Settings) -> None:
    settings.MAX_BODY_BYTES = len(json.dumps(order()))
    assert shop.send().status_code == 202
    before = stored()
    problem(shop.post(MESSAGES, order(reference="a")), 413, "body_too_large")
    problem(shop.raw(MESSAGES, b"{}" + b" " * 1_000_000), 413, "body_too_large")
    assert stored() == before


def test_a_body_without_its_length_is_refused(shop: Gateway) -> None:
    response = shop.client.post(
        MESSAGES,
        b"",
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        CONTENT_LENGTH="",
    )
    problem(response, 411, "length_required")


def test_a_head_over_the_limit_is_refused(shop: Gateway) -> None:
    assert shop.post(MESSAGES, order(), Accept="a" * 8_000).status_code == 202
    before = stored()
    problem(shop.post(MESSAGES, order(), Accept="a" * 8_001), 431, "header_too_large")
    problem(Gateway().post(MESSAGES, order(), Authorization="a" * 100_000), 431, "header_too_large")
    problem(shop.post(f"{MESSAGES}?{'a' * 8_000}", order()), 414, "address_too_long")
    assert stored() == before


WHOLE = {
    "nothing": (b"", [("/template", "required"), ("/to", "required")]),
    "empty object": (b"{}", [("/template", "required"), ("/to", "required")]),
    "null": (b"null", [("", "null")]),
    "array": (b"[]", [("", "invalid")]),
    "array of messages": (json.dumps([order()]).encode(), [("", "invalid")]),
    "text": (b'"order-paid"', [("", "invalid")]),
    "number": (b"7", [("", "invalid")]),
    "true": (b"true", [("", "invalid")]),
}


@pytest.mark.parametrize(("text", "expected"), WHOLE.values(), ids=WHOLE)
def test_a_body_that_is_no_message_is_refused(
    shop: Gateway, text: bytes, expected: list[tuple[str, str]]
) -> None:
    assert faults(shop.raw(MESSAGES, text)) == expected
    assert stored() == NOTHING


TO = {"recipient": "u-1001"}
LONG = "x" * 3000
FAULTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "unknown field": ({"priorty": "high"}, [("/priorty", "unknown_field")]),
    "unknown field with a strange name": ({"a/b~c": 1}, [("/a~1b~0c", "unknown_field")]),
    "unknown field in to": ({"to": {**TO, "mail": "a@example.com"}}, [("/to/mail", "unknown_field")]),
    "every fault at once": (
        {"to": {}, "priority": "urgent", "channels": [], "x": 1},
        [("/to", "empty"), ("/channels", "empty"), ("/priority", "invalid_choice"), ("/x", "unknown_field")],
    ),
    "template null": ({"template": [None]}, [("/template", "invalid")]),
    "template empty": ({"template": ""}, [("/template", "blank")]),
    "template object": ({"template": {"code": "order-paid"}}, [("/template", "invalid")]),
    "template true": ({"template": True}, [("/template", "invalid")]),
    "template too long": ({"template": LONG}, [("/template", "max_length")]),
    "unknown template": ({"template": "order-payed"}, [("/template", "unknown_template")]),
    "template in other case": ({"template": "Order-Paid"}, [("/template", "unknown_template")]),
    "unpublished template": ({"template": "draft"}, [("/template", "template_not_published")]),
    "to missing": ({"to": None}, [("/to", "required")]),
    "to is a text": ({"to": "u-1001"}, [("/to", "invalid")]),
    "to is a list": ({"to": [TO]}, [("/to", "invalid")]),
    "to names nobody": ({"to": {"name": "Ann", "locale": "en"}}, [("/to", "empty")]),
    "recipient null": ({"to": {"recipient": [None]}}, [("/to/recipient", "invalid")]),
    "unknown recipient": ({"to": {"recipient": "u-1"}}, [("/to/recipient", "unknown_recipient")]),
    "recipient too long": ({"to": {"recipient": LONG}}, [("/to/recipient", "max_length")]),
    "name too long": ({"to": {**TO, "name": LONG}}, [("/to/name", "max_length")]),
    "locale too long": ({"to": {**TO, "locale": "en-" * 12 + "en"}}, [("/to/locale", "max_length")]),
    "locale of strange letters": ({"to": {**TO, "locale": "İ" * 35}}, [("/to/locale", "invalid")]),
    "bad email": ({"to": {"email": "ann"}}, [("/to/email", "invalid_email")]),
    "email with a line end": (
        {"to": {"email": "ann@example.com\r\nBcc: x@example.com"}},
        [("/to/email", "invalid_email")],
    ),
    "two emails": ({"to": {"email": "a@example.com,b@example.com"}}, [("/to/email", "invalid_email")]),
    "bad phone": ({"to": {"phone": "12345"}}, [("/to/phone", "invalid_phone")]),
    "national phone": ({"to": {"phone": "13800138000"}}, [("/to/phone", "invalid_phone")]),
    "bad url": ({"to": {"url": "ftp://example.com"}}, [("/to/url", "invalid_url")]),
    "bad port": ({"to": {"url": "http://example.com:99999"}}, [("/to/url", "invalid_url")]),
    "bad host": ({"to": {"url": "http://[::1"}}, [("/to/url", "invalid_url")]),
    "bad push token": ({"to": {"push_token": "a b"}}, [("/to/push_token", "invalid_push_token")]),
    "address too long": ({"to": {"url": "https://e.com/" + LONG}}, [("/to/url", "max_length")]),
    "address of too many bytes": (
        {"to": {"url": "https://e.com/" + "界" * 1000}},
        [("/to/url", "max_length")],
    ),
    "all bad addresses and the recipient": (
        {"to": {"recipient": "u-1", "email": "ann", "phone": "1"}},
        [
            ("/to/email", "invalid_email"),
            ("/to/phone", "invalid_phone"),
            ("/to/recipient", "unknown_recipient"),
        ],
    ),
    "no usable address": ({"to": {"phone": "+8613800138000"}}, [("/to", "no_usable_address")]),
    "no variant": ({"channels": ["webhook"], "to": {"url": "https://e.com"}}, [("/to", "no_usable_channel")]),
    "no account": ({"template": "texted", "to": {"phone": "+8613800138000"}}, [("/to", "no_usable_channel")]),
    "params a list": ({"params": []}, [("/params", "not_a_dict")]),
    "params a text": ({"params": "order_no"}, [("/params", "not_a_dict")]),
    "variable missing": ({"params": {}}, [("/params/order_no", "missing_variable")]),
    "variable unknown": (
        {"params": {"order_no": "1", "ammount": "1"}},
        [("/params/ammount", "unknown_variable")],
    ),
    "variable misspelt": (
        {"params": {"orderno": "1"}},
        [("/params/order_no", "missing_variable"), ("/params/orderno", "unknown_variable")],
    ),
    "variable of another type": ({"params": {"order_no": 1}}, [("/params/order_no", "invalid_variable")]),
    "variable null": ({"params": {"order_no": None}}, [("/params/order_no", "invalid_variable")]),
    "unknown channel": ({"channels": ["email", "fax"]}, [("/channels/1", "unknown_channel")]),
    "channel empty": ({"channels": [""]}, [("/channels/0", "blank")]),
    "channels a text": ({"channels": "email"}, [("/channels", "not_a_list")]),
    "channels an object": ({"channels": {"email": 1}}, [("/channels", "not_a_list")]),
    "channel in a list": ({"channels": [["email"]]}, [("/channels/0", "invalid")]),
    "too many channels": ({"channels": ["email"] * 21}, [("/channels", "max_length")]),
    "unknown priority": ({"priority": "urgent"}, [("/priority", "invalid_choice")]),
    "priority a number": ({"priority": 1}, [("/priority", "invalid_choice")]),
    "priority a list": ({"priority": ["high"]}, [("/priority", "invalid_choice")]),
    "priority an object": ({"priority": {"a": 1}}, [("/priority", "invalid_choice")]),
    "send_at without zone": ({"send_at": "2030-01-31T09:00:00"}, [("/send_at", "missing_time_zone")]),
    "send_at a number": ({"send_at": 1_900_000_000}, [("/send_at", "invalid_datetime")]),
    "send_at a text": ({"send_at": "tomorrow"}, [("/send_at", "invalid_datetime")]),
    "send_at on no day": ({"send_at": "2030-02-30T09:00:00Z"}, [("/send_at", "invalid_datetime")]),
    "send_at in no zone": ({"send_at": "2030-01-31T09:00:00+99:59"}, [("/send_at", "invalid_datetime")]),
    "send_at past": ({"send_at": "2020-01-31T09:00:00Z"}, [("/send_at", "in_the_past")]),
    "send_at at the beginning of time": (
        {"send_at": "0001-01-01T00:00:00+23:59"},
        [("/send_at", "in_the_past")],
    ),
    "send_at at the end of time": ({"send_at": "9999-12-31T23:59:59Z"}, [("/send_at", "too_late")]),
    "send_at after the end of time": ({"send_at": "9999-12-31T23:59:59-23:59"}, [("/send_at", "too_late")]),
    "expires_at at the end of time": (
        {"expires_at": "9999-12-31T23:59:59-23:59"},
        [("/expires_at", "too_late")],
    ),
    "expires_at past": ({"expires_at": "2020-01-31T09:00:00Z"}, [("/expires_at", "too_early")]),
    "expires_at before send_at": (
        {"send_at": ahead(hours=2), "expires_at": ahead(hours=1)},
        [("/expires_at", "too_early")],
    ),
    "expires_at without zone": ({"expires_at": "2030-01-31 09:00"}, [("/expires_at", "missing_time_zone")]),
    "reference empty": ({"reference": ""}, [("/reference", "blank")]),
    "reference too long": ({"reference": LONG}, [("/reference", "max_length")]),
    "reference an object": ({"reference": {}}, [("/reference", "invalid")]),
    "metadata a list": ({"metadata": [1]}, [("/metadata", "not_a_dict")]),
    "unknown category": ({"category": "gossip"}, [("/category", "unknown_category")]),
    "category too long": ({"category": LONG}, [("/category", "max_length")]),
    "mandatory category": ({"category": "law"}, [("/category", "category_not_permitted")]),
}


@pytest.mark.parametrize(("changes", "expected"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named_with_its_place(
    shop: Gateway, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    factories.template("draft", published=False)
    factories.template("texted", ["sms"])
    factories.category("law", is_mandatory=True)
    assert faults(shop.send(**changes)) == expected
    assert stored() == NOTHING


@pytest.mark.parametrize("name", ["template", "to", "params", "channels", "priority", "send_at", "metadata"])
def test_null_is_no_value(shop: Gateway, name: str) -> None:
    assert faults(shop.post(MESSAGES, {**order(), name: None})) == [(f"/{name}", "null")]


def test_a_misspelt_template_and_variable_get_a_hint(shop: Gateway) -> None:
    template = problem(shop.send(template="order-payed"), 422, "invalid_request")
    assert "Did you mean order-paid?" in template["errors"][0]["detail"]
    variable = problem(shop.send(params={"orderno": "1"}), 422, "invalid_request")
    assert "Did you mean order_no?" in variable["errors"][1]["detail"]


NOT_PERMITTED: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    "priority above the cap": (
        {"highest_priority": "normal"},
        {"priority": "high"},
        ("/priority", "priority_not_permitted"),
    ),
    "channel": (
        {"channels": ["inbox"]},
        {"channels": ["inbox", "email"]},
        ("/channels/1", "channel_not_permitted"),
    ),
    "template": ({"templates": ["welcome"]}, {}, ("/template", "template_not_permitted")),
    "category of the template": ({"categories": ["news"]}, {}, ("/template", "template_not_permitted")),
    "a category asked for is none of the template": (
        {"categories": ["news"]},
        {"category": "news"},
        ("/template", "template_not_permitted"),
    ),
    "inline address": (
        {"may_address_inline": False},
        {"to": {"recipient": "u-1001", "email": "a@example.com"}},
        ("/to/email", "inline_address_not_permitted"),
    ),
}


@pytest.mark.parametrize(("system", "changes", "expected"), NOT_PERMITTED.values(), ids=NOT_PERMITTED)
def test_what_a_system_may_not_ask_for_is_refused(
    shop: Gateway, system: dict[str, Any], changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    System.objects.update(**system)
    assert faults(shop.send(**changes), 403, "not_permitted") == [expected]
    assert stored() == NOTHING


@pytest.mark.parametrize(
    "system",
    [
        {"templates": ["order-paid"]},
        {"categories": ["orders"]},
        {"templates": ["welcome"], "categories": ["orders"]},
        {"templates": ["order-paid"], "categories": ["news"]},
    ],
    ids=str,
)
def test_a_template_is_permitted_by_its_code_or_by_its_category(
    shop: Gateway, system: dict[str, Any]
) -> None:
    factories.category("news")
    System.objects.update(**system)
    assert shop.send().status_code == 202
    batch = {"template": "order-paid", "items": [{"to": TO, "params": {"order_no": "1"}}]}
    assert shop.post(BATCH, batch).status_code == 202


def test_a_template_that_is_not_permitted_is_refused_in_batches_too(shop: Gateway) -> None:
    System.objects.update(templates=["welcome"])
    response = shop.post(
        f"{MESSAGES}/batch", {"template": "order-paid", "items": [{"to": TO}], "on_error": "skip"}
    )
    assert faults(response, 403, "not_permitted") == [("/template", "template_not_permitted")]
    assert stored() == NOTHING


def test_a_recipient_without_an_address_cannot_be_reached(shop: Gateway) -> None:
    Address.objects.all().delete()
    assert faults(shop.send(channels=["email"])) == [("/to", "no_usable_address")]
    assert stored() == NOTHING


INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE messaging_message; --",
    "{{ 7*7 }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "%s%n%(x)s",
    "../../etc/passwd",
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize(
    "place", ["template", "category", "priority", "send_at", "channels", "recipient", "email"]
)
def test_an_injected_text_finds_nothing(shop: Gateway, place: str, text: str) -> None:
    changes: dict[str, Any] = {place: text}
    if place == "channels":
        changes = {"channels": [text]}
    elif place in {"recipient", "email"}:
        changes = {"to": {place: text}}
    assert len(faults(shop.send(**changes))) == 1
    assert stored() == NOTHING


@pytest.mark.parametrize("text", INJECTIONS)
def test_an_injected_text_in_a_batch_is_a_text_or_finds_nothing(shop: Gateway, text: str) -> None:
    items = [
        {"to": {"recipient": text}, "params": {"order_no": "1"}},
        {"to": {**TO, "name": text}, "params": {"order_no": text}, "reference": text},
    ]
    body = {"template": "order-paid", "items": items, "reference": text, "metadata": {text: text}}
    answer = shop.post(BATCH, {**body, "on_error": "skip"}).json()
    assert (answer["accepted"], [each["index"] for each in answer["rejected"]]) == (1, [0])
    message = Message.objects.get()
    assert (message.reference, message.params["order_no"], message.to["name"]) == (text, text, text)
    assert message.metadata == {text: text}


def test_thousands_of_faults_get_a_short_answer(shop: Gateway) -> None:
    many = {f"field_{number}": number for number in range(20_000)}
    for response in (shop.send(**many), shop.send(params=many), shop.send(channels=["x"] * 20)):
        assert 0 < len(faults(response)) <= MAX_FAULTS
        assert len(response.content) < 100_000
    assert stored() == NOTHING


@pytest.mark.parametrize(
    "path", ["/api/", "/api", "/api/v1", "/api/v1/", "/api/v2/messages", "/api/v1/messages/"]
)
@pytest.mark.parametrize("verb", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_not_found(shop: Gateway, path: str, verb: str) -> None:
    problem(shop.client.generic(verb, path, b"{}", content_type="application/json"), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/api/v1/%00", "/api/%ff%fe", "/api/v1/..;/admin", "/callbacks/%00/x", "/callbacks"]
)
def test_a_strange_address_is_not_found(shop: Gateway, path: str) -> None:
    problem(shop.get(path), 404, "not_found")


def test_a_foreign_host_is_refused(shop: Gateway) -> None:
    response = shop.client.get(MESSAGES, headers={"Host": "evil.example"})
    problem(response, 400, "bad_request")
