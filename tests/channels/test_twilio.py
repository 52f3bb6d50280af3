"""Twilio: what it is asked, what its answers and its calls mean, for text messages and for WhatsApp."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from channels_app import registry
from channels_app.adapters.twilio import CODES, CONFIG
from channels_app.contract import (
    Adapter,
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
from tests.channels.provider import Answer, Request, adapter, outgoing, play, send

SID = "SM" + "1" * 32
CREATED = Answer(
    status=201, body={"sid": SID, "status": "queued", "num_segments": "2", "error_code": None, "body": "x"}
)
HERE = "https://push.example.com/callbacks/a/t"
TEMPLATE = "HX" + "a" * 32
SERVICE = "MG" + "b" * 32


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(content: Mapping[str, Any], **fields: Any) -> Outgoing:
    return outgoing("phone", "+8613800138000", content, **fields)


def create(
    name: str, content: Mapping[str, Any], *, config: Mapping[str, Any] | None = None, **fields: Any
) -> tuple[Sent | ChannelError, Request]:
    result, [request] = send(
        name, {**CONFIG, **(config or {})}, message(content, **fields), {"/Messages.json": CREATED}
    )
    return result, request


def refused(status: int, body: Any, headers: Mapping[str, str] | None = None) -> ChannelError:
    script = {"/Messages.json": Answer(status=status, body=body, headers=headers or {})}
    result, _requests = send("twilio", CONFIG, message({"text": "Paid."}), script)
    assert isinstance(result, ChannelError)
    return result


def test_a_text_is_handed_over() -> None:
    sent, request = create("twilio", {"text": "已付款 & more"})
    assert sent == Sent(provider_id=SID, note="queued, 2 segments")
    assert request.path == f"/2010-04-01/Accounts/{CONFIG['account_sid']}/Messages.json"
    assert request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert request.form == {"To": "+8613800138000", "From": "+15005550006", "Body": "已付款 & more"}


@pytest.mark.parametrize(
    ("key", "credentials"),
    [
        ({}, "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDozMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw=="),
        ({"key_sid": "SK" + "0" * 32, "key_secret": "s"}, "U0swMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDpz"),
    ],
)
def test_a_key_opens_the_account_or_else_the_auth_token(key: dict[str, str], credentials: str) -> None:
    _sent, request = create("twilio", {"text": "x"}, config=key)
    assert request.headers["authorization"] == f"Basic {credentials}"
    assert CONFIG["account_sid"] in request.path


def test_a_service_chooses_the_sender() -> None:
    _sent, request = create("twilio", {"text": "x"}, config={"sender": SERVICE})
    assert request.form["MessagingServiceSid"] == SERVICE
    assert "From" not in request.form


def test_receipts_are_asked_for_with_our_own_id() -> None:
    _sent, request = create("twilio", {"text": "x"}, callback_url=HERE)
    assert request.form["StatusCallback"] == f"{HERE}?delivery=d-1"


@pytest.mark.parametrize(("seconds", "asked"), [(90, 90), (-5, 1), (99_999, 36_000)])
def test_what_is_late_is_not_sent(seconds: int, asked: int) -> None:
    _sent, request = create(
        "twilio", {"text": "x"}, expires_at=datetime.now(UTC) + timedelta(seconds=seconds, milliseconds=900)
    )
    assert abs(int(request.form["ValidityPeriod"]) - asked) <= 1


@pytest.mark.parametrize("code", [TEMPLATE, f"aliyun_sms=SMS_1, twilio={TEMPLATE}"])
def test_a_template_goes_with_its_values(code: str) -> None:
    content = {"text": "x", "template_code": code, "params": {"name": "安", "sum": 5}}
    _sent, request = create("twilio", content)
    assert request.form["ContentSid"] == TEMPLATE
    assert json.loads(request.form["ContentVariables"]) == {"name": "安", "sum": "5"}
    assert "Body" not in request.form


def test_a_template_of_another_provider_is_none() -> None:
    _sent, request = create("twilio", {"text": "x", "template_code": "SMS_1"})
    assert request.form["Body"] == "x"
    result, requests = send("twilio", CONFIG, message({"text": "", "template_code": "SMS_1"}), {})
    assert isinstance(result, Refused)
    assert requests == []


def test_whatsapp_takes_a_template_with_values_in_their_order() -> None:
    content = {"template": f"meta_whatsapp=paid, twilio_whatsapp={TEMPLATE}", "params": ["Ann", 42]}
    _sent, request = create("twilio_whatsapp", content)
    assert request.form["To"] == "whatsapp:+8613800138000"
    assert request.form["From"] == "whatsapp:+15005550006"
    assert json.loads(request.form["ContentVariables"]) == {"1": "Ann", "2": "42"}


def test_whatsapp_takes_a_text_with_an_image_and_cuts_what_is_too_long() -> None:
    _sent, request = create("twilio_whatsapp", {"text": "x" * 2000, "media_url": "https://example.com/1.png"})
    assert request.form["Body"] == "x" * 1599 + "…"
    assert parse_qs(request.body.decode())["MediaUrl"] == ["https://example.com/1.png"]


def test_values_that_have_no_order_and_no_names_are_refused() -> None:
    result, _requests = send(
        "twilio_whatsapp", CONFIG, message({"template": TEMPLATE, "params": "Ann"}), {"": CREATED}
    )
    assert isinstance(result, Refused)


ERRORS: list[tuple[int, str, type[ChannelError], dict[str, Any]]] = [
    (400, "21211", Unreachable, {"opted_out": False}),
    (400, "21217", Unreachable, {}),
    (400, "21265", Unreachable, {}),
    (400, "21614", Unreachable, {}),
    (400, "21635", Unreachable, {}),
    (400, "30005", Unreachable, {}),
    (400, "30006", Unreachable, {}),
    (400, "63003", Unreachable, {}),
    (400, "63024", Unreachable, {}),
    (400, "21610", Unreachable, {"opted_out": True}),
    (500, "20500", Temporary, {"maybe_sent": False}),
    (400, "30003", Temporary, {}),
    (400, "30008", Temporary, {}),
    (400, "30017", Temporary, {}),
    (429, "20429", Throttled, {"scope": Scope.ACCOUNT, "retry_after": 1.0}),
    (429, "14107", Throttled, {"retry_after": 60.0}),
    (429, "21611", Throttled, {"scope": Scope.SENDER, "retry_after": 60.0}),
    (429, "30001", Throttled, {"scope": Scope.SENDER}),
    (429, "30022", Throttled, {"scope": Scope.SENDER}),
    (429, "63018", Throttled, {"scope": Scope.SENDER}),
    (400, "21602", Refused, {}),
    (400, "21617", Refused, {}),
    (400, "30004", Refused, {}),
    (400, "30007", Refused, {}),
    (400, "30019", Refused, {}),
    (400, "63016", Refused, {}),
    (401, "20003", Misconfigured, {"scope": Scope.ACCOUNT}),
    (403, "20005", Misconfigured, {"scope": Scope.ACCOUNT}),
    (404, "20404", Misconfigured, {"scope": Scope.ACCOUNT}),
    (400, "30002", Misconfigured, {"scope": Scope.ACCOUNT}),
    (403, "21408", Misconfigured, {"scope": Scope.SENDER}),
    (400, "21603", Misconfigured, {"scope": Scope.SENDER}),
    (400, "21606", Misconfigured, {"scope": Scope.SENDER}),
    (400, "21612", Misconfigured, {"scope": Scope.SENDER}),
    (400, "21659", Misconfigured, {"scope": Scope.SENDER}),
    (400, "21660", Misconfigured, {"scope": Scope.SENDER}),
    (400, "30034", Misconfigured, {"scope": Scope.SENDER}),
]


@pytest.mark.parametrize(("status", "code", "kind", "attributes"), ERRORS)
def test_a_code_has_one_meaning(
    status: int, code: str, kind: type[ChannelError], attributes: dict[str, Any]
) -> None:
    body = {
        "code": int(code),
        "message": "The message From/To pair violates a blacklist rule.",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    error = refused(status, body)
    assert type(error) is kind
    assert (error.code, error.detail) == (code, body["message"])
    assert {name: getattr(error, name) for name in attributes} == attributes


def test_every_code_is_in_the_table() -> None:
    assert sorted(code for _status, code, _kind, _attributes in ERRORS) == sorted(CODES)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"code": 99999, "message": "New.", "status": 400}, Refused, "99999"),
        (401, {"code": 99999, "message": "New.", "status": 401}, Misconfigured, "99999"),
        (404, {}, Misconfigured, "404"),
        (429, b"slow down", Throttled, "429"),
        (503, b"<html>down</html>", Temporary, "503"),
        (
            400,
            {"type": "t", "title": "No", "status": 400, "code": 21211, "detail": "d"},
            Unreachable,
            "21211",
        ),
        (201, b"<html>a proxy's login</html>", Temporary, "not_json"),
        (302, b"", Misconfigured, "302"),
    ],
)
def test_an_unknown_answer_means_its_status(
    status: int, body: Any, kind: type[ChannelError], code: str
) -> None:
    error = refused(status, body)
    assert type(error) is kind
    assert error.code == code


def test_twilio_says_how_long_to_wait() -> None:
    for code in (20429, 30022, 99999):
        error = refused(429, {"code": code, "message": "Slow.", "status": 429}, {"retry-after": "7"})
        assert isinstance(error, Throttled)
        assert error.retry_after == 7


@pytest.mark.parametrize("name", ["twilio", "twilio_whatsapp"])
def test_a_check_opens_the_account_and_reaches_nobody(name: str) -> None:
    async def work(base_url: str) -> str:
        return await adapter(name, CONFIG, base_url).check()

    answer = Answer(body={"sid": CONFIG["account_sid"], "friendly_name": "Shop", "status": "active"})
    said, [request] = play({"/Accounts/": answer}, work)
    assert said == "Shop: active"
    assert (request.method, request.path) == ("GET", f"/2010-04-01/Accounts/{CONFIG['account_sid']}.json")


def callback(form: Mapping[str, str], *, url: str = HERE, token: str = CONFIG["auth_token"]) -> Callback:
    signature = RequestValidator(token).compute_signature(url, form)
    query = {key: values[0] for key, values in parse_qs(url.partition("?")[2]).items()}
    return Callback(
        headers={"x-twilio-signature": signature}, query=query, body=urlencode(form).encode(), url=url
    )


def twilio(name: str = "twilio", **changes: str) -> Adapter:
    return adapter(name, CONFIG | changes)


def test_twilios_own_example_of_a_signature_holds() -> None:
    """https://www.twilio.com/docs/usage/security, with the token 12345."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    call = Callback(
        headers={"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
        query={"foo": "1", "bar": "2"},
        body=urlencode(form).encode(),
        url="https://mycompany.com/myapp.php?foo=1&bar=2",
    )
    assert list(twilio(auth_token="12345").receipts(call)) == []


@pytest.mark.parametrize(
    "call",
    [
        callback({"MessageSid": SID, "MessageStatus": "delivered"}, token="4" * 32),
        Callback(headers={}, query={}, body=b"MessageStatus=delivered", url=HERE),
        Callback(headers={"x-twilio-signature": "é"}, query={}, body=b"\xff\x00", url=HERE),
    ],
)
def test_a_forged_call_is_not_read(call: Callback) -> None:
    with pytest.raises(ForgedCallback):
        list(twilio().receipts(call))


@pytest.mark.parametrize(
    ("status", "error", "outcomes"),
    [
        ("accepted", "", [Outcome.UNKNOWN]),
        ("scheduled", "", [Outcome.UNKNOWN]),
        ("queued", "", [Outcome.UNKNOWN]),
        ("sending", "", [Outcome.UNKNOWN]),
        ("sent", "", [Outcome.SENT]),
        ("delivered", "", [Outcome.DELIVERED]),
        ("read", "", [Outcome.DELIVERED, Outcome.OPENED]),
        ("undelivered", "30003", [Outcome.UNDELIVERED]),
        ("undelivered", "30006", [Outcome.UNDELIVERED, Outcome.UNREACHABLE]),
        ("failed", "30034", [Outcome.UNDELIVERED]),
        ("failed", "21610", [Outcome.UNDELIVERED, Outcome.OPTED_OUT]),
        ("canceled", "", [Outcome.UNDELIVERED]),
        ("partially_delivered", "", [Outcome.UNKNOWN]),
        ("something new", "", [Outcome.UNKNOWN]),
    ],
)
def test_a_status_has_its_outcome(status: str, error: str, outcomes: list[Outcome]) -> None:
    form = {"MessageSid": SID, "MessageStatus": status} | ({"ErrorCode": error} if error else {})
    receipts = list(twilio().receipts(callback(form, url=f"{HERE}?delivery=d-1")))
    assert [each.outcome for each in receipts] == outcomes
    assert {(each.provider_id, each.delivery_id, each.code) for each in receipts} == {
        (SID, "d-1", error or status)
    }


@pytest.mark.parametrize(
    ("form", "outcome"),
    [
        ({"Body": "STOP"}, Outcome.OPTED_OUT),
        ({"Body": " stopall\n"}, Outcome.OPTED_OUT),
        ({"Body": "Optout"}, Outcome.OPTED_OUT),
        ({"Body": "退订", "OptOutType": "STOP"}, Outcome.OPTED_OUT),
        ({"Body": "start"}, Outcome.OPTED_IN),
        ({"Body": "UNSTOP"}, Outcome.OPTED_IN),
        ({"Body": "Please stop"}, None),
        ({"Body": "help", "OptOutType": "HELP"}, None),
        ({"Body": ""}, None),
    ],
)
def test_what_somebody_writes_can_change_what_they_get(form: dict[str, str], outcome: Outcome | None) -> None:
    inbound = {"MessageSid": SID, "SmsStatus": "received", "From": "whatsapp:+8613800138000", **form}
    receipts = list(twilio("twilio_whatsapp").receipts(callback(inbound)))
    if outcome is None:
        assert receipts == []
    else:
        word = (form.get("OptOutType") or form["Body"]).strip().upper()
        assert receipts == [Receipt(outcome=outcome, address="+8613800138000", code=word, event_id=SID)]


def test_no_call_is_answered_with_a_text_message() -> None:
    reply = twilio().reply(callback({"Body": "STOP"}))
    assert (reply.status, reply.body, reply.content_type) == (200, b"<Response/>", "text/xml")


@pytest.mark.parametrize("name", ["twilio", "twilio_whatsapp"])
@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("account_sid", {"account_sid": "SK" + "0" * 32}),
        ("auth_token", {"auth_token": ""}),
        ("key_sid", {"key_sid": "nonsense", "key_secret": "s"}),
        ("key_secret", {"key_sid": "SK" + "0" * 32}),
        ("key_secret", {"key_secret": "s"}),
        ("sender", {"sender": "a name that is too long"}),
        ("sender", {"sender": ""}),
        ("base_url", {"base_url": "ftp://api.twilio.com"}),
    ],
)
def test_a_wrong_setting_is_named(name: str, field: str, changes: dict[str, str]) -> None:
    assert list(registry.adapter(name).Config(CONFIG | changes).errors) == [field]


def test_only_text_messages_have_a_name_for_a_sender() -> None:
    named = CONFIG | {"sender": "Shop"}
    assert registry.adapter("twilio").Config(named).is_valid()
    assert list(registry.adapter("twilio_whatsapp").Config(named).errors) == ["sender"]
