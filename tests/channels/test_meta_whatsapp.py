"""WhatsApp through Meta: what it is asked, what its answers and its calls mean."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings

from channels_app import registry
from channels_app.adapters.meta_whatsapp import CODES, MetaWhatsappAdapter
from channels_app.contract import (
    Address,
    Callback,
    ChannelError,
    ForgedCallback,
    Misconfigured,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from tests.channels.provider import Answer, adapter, outgoing, play, send

NAME = "meta_whatsapp"
assert MetaWhatsappAdapter.specimen is not None
CONFIG = dict(MetaWhatsappAdapter.specimen.config)
WAMID = "wamid.HBgLMTY1MDUwNzY1MjAVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
TAKEN = Answer(
    body={
        "messaging_product": "whatsapp",
        "contacts": [{"input": "8613800138000", "wa_id": "8613800138000"}],
        "messages": [{"id": WAMID, "message_status": "accepted"}],
    }
)
WHEN = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(content: Mapping[str, Any], locale: str = "zh-cn") -> Outgoing:
    address = Address(kind="phone", value="+8613800138000", locale=locale)
    return outgoing("", "", content, address=address)


def sent_body(content: Mapping[str, Any], locale: str = "zh-cn") -> dict[str, Any]:
    """What goes to Meta besides what is the same in every message."""
    result, [request] = send(NAME, CONFIG, message(content, locale), {"/messages": TAKEN})
    assert result == Sent(provider_id=WAMID, note="accepted")
    assert request.path == "/v23.0/106540352242922/messages"
    assert request.headers["authorization"] == "Bearer EAAJB"
    body: dict[str, Any] = request.json
    same = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "8613800138000",
        "biz_opaque_callback_data": "d-1",
    }
    assert {name: body.pop(name) for name in same} == same
    return body


def refused(status: int, body: Any, headers: Mapping[str, str] | None = None) -> ChannelError:
    script = {"/messages": Answer(status=status, body=body, headers=headers or {})}
    result, _requests = send(NAME, CONFIG, message({"text": "x"}), script)
    assert isinstance(result, ChannelError)
    return result


def test_a_text_is_handed_over() -> None:
    assert sent_body({"text": "已付款"}) == {"type": "text", "text": {"body": "已付款", "preview_url": False}}


@pytest.mark.parametrize(
    ("params", "parameters"),
    [
        ({"2": 42, "1": "Ann"}, [{"type": "text", "text": "Ann"}, {"type": "text", "text": "42"}]),
        (["Ann"], [{"type": "text", "text": "Ann"}]),
        ({"name": "Ann"}, [{"type": "text", "parameter_name": "name", "text": "Ann"}]),
    ],
)
def test_a_template_goes_with_its_values(params: Any, parameters: list[dict[str, str]]) -> None:
    content = {"template": "twilio_whatsapp=HX1, meta_whatsapp=paid", "params": params}
    assert sent_body(content)["template"] == {
        "name": "paid",
        "language": {"code": "zh_CN"},
        "components": [{"type": "body", "parameters": parameters}],
    }


def test_a_template_without_values_has_no_components() -> None:
    assert sent_body({"template": "paid", "language": "en_GB"})["template"] == {
        "name": "paid",
        "language": {"code": "en_GB"},
        "components": [],
    }


@pytest.mark.parametrize(
    ("locale", "language"), [("en", "en"), ("zh-cn", "zh_CN"), ("pt_BR", "pt_BR"), ("zh-hant", "zh_HANT")]
)
def test_the_variants_language_is_the_templates(locale: str, language: str) -> None:
    assert sent_body({"template": "paid"}, locale)["template"]["language"] == {"code": language}


@pytest.mark.parametrize(
    ("url", "kind"), [("https://e.example/a.JPG?x=1", "image"), ("https://e.example/a.pdf", "document")]
)
def test_media_go_with_a_caption_or_in_the_head_of_a_template(url: str, kind: str) -> None:
    body = sent_body({"media_url": url, "text": "x" * 2000})
    assert body == {"type": kind, kind: {"link": url, "caption": "x" * 1023 + "…"}}
    [head] = sent_body({"media_url": url, "template": "paid"})["template"]["components"]
    assert head == {"type": "header", "parameters": [{"type": kind, kind: {"link": url}}]}


@pytest.mark.parametrize(
    ("content", "locale"),
    [
        ({}, "en"),
        ({"template": "twilio_whatsapp=HX1"}, "en"),
        ({"template": "paid"}, ""),
        ({"template": "paid", "params": "Ann"}, "en"),
    ],
)
def test_what_cannot_be_a_message_is_refused_before_it_is_sent(content: dict[str, Any], locale: str) -> None:
    result, requests = send(NAME, CONFIG, message(content, locale), {"": TAKEN})
    assert isinstance(result, Refused)
    assert requests == []


ERRORS: list[tuple[int, str, type[ChannelError], dict[str, Any]]] = [
    (429, "130429", Throttled, {"scope": Scope.ACCOUNT, "retry_after": 1.0}),
    (429, "131056", Throttled, {"scope": Scope.ADDRESS, "retry_after": 6.0}),
    (400, "4", Throttled, {"scope": Scope.ACCOUNT, "retry_after": 60.0}),
    (400, "80007", Throttled, {"retry_after": 60.0}),
    (429, "131048", Throttled, {"scope": Scope.ACCOUNT, "retry_after": 600.0}),
    (500, "131057", Throttled, {"retry_after": 60.0}),
    (500, "1", Temporary, {"maybe_sent": False}),
    (503, "2", Temporary, {"maybe_sent": False}),
    (500, "131000", Temporary, {}),
    (500, "131016", Temporary, {}),
    (400, "131030", Unreachable, {"opted_out": False}),
    (400, "131050", Unreachable, {"opted_out": True}),
    (400, "131026", Refused, {}),
    (400, "100", Refused, {}),
    (400, "131047", Refused, {}),
    (400, "131049", Refused, {}),
    (400, "130472", Refused, {}),
    *((400, str(code), Misconfigured, {"scope": Scope.TEMPLATE}) for code in range(132000, 132017)),
    (401, "0", Misconfigured, {"scope": Scope.ACCOUNT}),
    (401, "190", Misconfigured, {"scope": Scope.ACCOUNT}),
    (403, "10", Misconfigured, {}),
    (403, "200", Misconfigured, {}),
    (400, "33", Misconfigured, {}),
    (403, "368", Misconfigured, {}),
    (403, "131031", Misconfigured, {}),
    (400, "131042", Misconfigured, {"scope": Scope.ACCOUNT}),
]


@pytest.mark.parametrize(("status", "code", "kind", "attributes"), ERRORS)
def test_a_code_has_one_meaning(
    status: int, code: str, kind: type[ChannelError], attributes: dict[str, Any]
) -> None:
    body = {
        "error": {
            "message": f"(#{code}) Title",
            "type": "OAuthException",
            "code": int(code),
            "error_data": {"messaging_product": "whatsapp", "details": "What it is about."},
            "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
        }
    }
    error = refused(status, body)
    assert type(error) is kind
    assert (error.code, error.detail) == (code, "What it is about.")
    assert {name: getattr(error, name) for name in attributes} == attributes


def test_every_code_is_in_the_table() -> None:
    assert sorted(code for _status, code, _kind, _attributes in ERRORS) == sorted(CODES)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": {"code": 999999, "message": "New."}}, Refused, "999999"),
        (404, {"error": {"code": 999999, "message": "New."}}, Misconfigured, "999999"),
        (200, {"error": {"message": "A no in a success."}}, Refused, "error"),
        (200, {"error": "a text"}, Refused, "error"),
        (503, b"<html>down</html>", Temporary, "503"),
        (200, b"<html>?</html>", Temporary, "not_json"),
    ],
)
def test_an_unknown_answer_means_its_status(
    status: int, body: Any, kind: type[ChannelError], code: str
) -> None:
    error = refused(status, body)
    assert type(error) is kind
    assert error.code == code


def test_a_pause_that_meta_asks_for_goes_before_ours() -> None:
    error = refused(429, {"error": {"code": 131056, "message": "Slow."}}, {"retry-after": "16"})
    assert isinstance(error, Throttled)
    assert error.retry_after == 16


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": "?"}])
def test_an_answer_without_an_id_is_a_success_all_the_same(body: dict[str, Any]) -> None:
    result, _requests = send(NAME, CONFIG, message({"text": "x"}), {"/messages": Answer(body=body)})
    assert result == Sent()


def test_a_check_asks_for_the_number_and_reaches_nobody() -> None:
    async def work(base_url: str) -> str:
        return await adapter(NAME, CONFIG, base_url).check()

    answer = Answer(body={"verified_name": "Shop", "display_phone_number": "+1 500 555 0006"})
    said, [request] = play({"/106540352242922": answer}, work)
    assert said == "Shop: +1 500 555 0006"
    assert request.method == "GET"


def callback(value: Any, *, secret: str = CONFIG["app_secret"]) -> Callback:
    call = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }
    return signed(json.dumps(call).encode(), secret)


def signed(body: bytes, secret: str = CONFIG["app_secret"]) -> Callback:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Callback(headers={"x-hub-signature-256": signature}, query={}, body=body, url="")


def read(call: Callback) -> list[Receipt]:
    return list(adapter(NAME, CONFIG).receipts(call))


@pytest.mark.parametrize(
    ("status", "errors", "outcomes", "code"),
    [
        ("sent", [], [Outcome.SENT], "sent"),
        ("delivered", [], [Outcome.DELIVERED], "delivered"),
        ("read", [], [Outcome.DELIVERED, Outcome.OPENED], "read"),
        ("failed", [{"code": 131026, "title": "Undeliverable"}], [Outcome.UNDELIVERED], "131026"),
        ("failed", [{"code": 131050}], [Outcome.UNDELIVERED, Outcome.OPTED_OUT], "131050"),
        ("failed", "?", [Outcome.UNDELIVERED], "failed"),
        ("deleted", [], [Outcome.UNKNOWN], "deleted"),
    ],
)
def test_a_status_has_its_outcome(status: str, errors: Any, outcomes: list[Outcome], code: str) -> None:
    report = {
        "id": WAMID,
        "status": status,
        "timestamp": "1790000000",
        "recipient_id": "8613800138000",
        "biz_opaque_callback_data": "d-1",
        "errors": errors,
    }
    receipts = read(callback({"statuses": [report]}))
    assert [each.outcome for each in receipts] == outcomes
    assert {(each.provider_id, each.delivery_id, each.code, each.at) for each in receipts} == {
        (WAMID, "d-1", code, WHEN)
    }


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ({"messages": [{"type": "text", "text": {"body": " Stop "}}]}, Outcome.OPTED_OUT),
        ({"messages": [{"type": "button", "button": {"text": "Unsubscribe"}}]}, Outcome.OPTED_OUT),
        ({"messages": [{"type": "text", "text": {"body": "start"}}]}, Outcome.OPTED_IN),
        ({"messages": [{"type": "text", "text": {"body": "Please stop"}}]}, None),
        ({"messages": [{"type": "image", "image": {"id": "1"}}]}, None),
    ],
)
def test_what_somebody_writes_can_change_what_they_get(
    value: dict[str, list[dict[str, Any]]], outcome: Outcome | None
) -> None:
    value["messages"][0] |= {"from": "8613800138000", "id": "wamid.in", "timestamp": "1790000000"}
    receipts = read(callback(value))
    assert [(each.outcome, each.address, each.event_id, each.at) for each in receipts] == (
        [(outcome, "+8613800138000", "wamid.in", WHEN)] if outcome else []
    )


@pytest.mark.parametrize(
    ("word", "outcome"), [("stop", Outcome.OPTED_OUT), ("resume", Outcome.OPTED_IN), ("new", None)]
)
def test_what_somebody_sets_in_whatsapp_counts(word: str, outcome: Outcome | None) -> None:
    preference = {
        "wa_id": "8613800138000",
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": word,
        "timestamp": 1790000000,
    }
    receipts = read(callback({"user_preferences": [preference]}))
    assert [(each.outcome, each.address, each.at) for each in receipts] == (
        [(outcome, "+8613800138000", WHEN)] if outcome else []
    )


@pytest.mark.parametrize(
    "call",
    [
        callback({"statuses": []}, secret="stolen"),
        Callback(headers={}, query={}, body=b"{}", url=""),
        Callback(headers={"x-hub-signature-256": "sha256=é"}, query={}, body=b"{}", url=""),
        Callback(headers={}, query={}, body=b"", url="", method="GET"),
        Callback(headers={}, query={"hub.verify_token": "guess"}, body=b"", url="", method="GET"),
    ],
)
def test_a_forged_call_is_not_read(call: Callback) -> None:
    with pytest.raises(ForgedCallback):
        read(call)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"entry": 1}',
        b'{"entry": [1, {"changes": [2, {"value": 3}]}]}',
        b'{"entry": [{"changes": [{"value": {"statuses": [4], "messages": "5", "user_preferences": [{}]}}]}]}',
    ],
)
def test_a_genuine_call_without_sense_says_nothing(body: bytes) -> None:
    assert read(signed(body)) == []


@pytest.mark.parametrize("timestamp", ["soon", "99999999999999999999", None])
def test_a_status_without_a_time_counts_all_the_same(timestamp: str | None) -> None:
    [receipt] = read(callback({"statuses": [{"id": "1", "status": "sent", "timestamp": timestamp}]}))
    assert (receipt.outcome, receipt.at) == (Outcome.SENT, None)


def test_meta_gets_its_challenge_back() -> None:
    call = Callback(
        headers={},
        query={"hub.mode": "subscribe", "hub.verify_token": "sesame", "hub.challenge": "1158201444"},
        body=b"",
        url="",
        method="GET",
    )
    assert read(call) == []
    assert adapter(NAME, CONFIG).reply(call).body == b"1158201444"
    assert adapter(NAME, CONFIG).reply(callback({})).body == b"ok"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone_number_id", "+15005550006"),
        ("access_token", ""),
        ("app_secret", ""),
        ("verify_token", ""),
        ("version", "23"),
        ("base_url", "graph.facebook.com:x y"),
    ],
)
def test_a_wrong_setting_is_named(field: str, value: str) -> None:
    assert list(registry.adapter(NAME).Config({**CONFIG, field: value}).errors) == [field]
