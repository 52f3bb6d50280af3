"""Any SMS gateway over HTTP: how an account describes it, and what its answers mean."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_django import Settings

from channels_app import registry
from channels_app.adapters.http_sms import NAMES, HttpSmsAdapter, values
from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from tests.channels.provider import Answer, Request, adapter, outgoing, play

NAME = "http_sms"
assert HttpSmsAdapter.specimen is not None
CONFIG = dict(HttpSmsAdapter.specimen.config)
TAKEN = Answer(body={"code": 0, "id": "m-1"})


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(content: Mapping[str, Any] | None = None, **fields: Any) -> Outgoing:
    return outgoing("phone", "+8613800138000", content or {"text": "Paid."}, **fields)


def send(
    changes: Mapping[str, Any], answer: Answer = TAKEN, to_send: Outgoing | None = None
) -> tuple[Sent | ChannelError, list[Request]]:
    async def work(base_url: str) -> Sent | ChannelError:
        config = {**CONFIG, **changes}
        config["url"] = config["url"].replace("{base_url}", base_url)
        [result] = await adapter(NAME, config).send_many([to_send or message()])
        return result

    return play({"/": answer}, work)


def asked(changes: Mapping[str, Any], to_send: Outgoing | None = None) -> Request:
    sent, [request] = send(changes, to_send=to_send)
    assert isinstance(sent, Sent)
    return request


def refused(answer: Answer, **changes: Any) -> ChannelError:
    error, _requests = send(changes, answer)
    assert isinstance(error, ChannelError)
    return error


def test_the_body_is_json_with_its_placeholders_filled() -> None:
    body = '{"mobiles": ["{digits}", "{national}"], "sms": {"text": "[{sender}] {text}", "flash": false}, "n": 1}'
    request = asked({"body": body, "sender": "Shop"})
    assert request.method == "POST"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.json == {
        "mobiles": ["8613800138000", "13800138000"],
        "sms": {"text": "[Shop] Paid.", "flash": False},
        "n": 1,
    }


def test_the_same_object_goes_as_a_form_or_in_the_url() -> None:
    request = asked({"body_format": "form", "body": '{"to": "{to}", "text": "{text}"}'})
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {"to": "+8613800138000", "text": "Paid."}
    changes = {"method": "GET", "body_format": "none", "url": "{base_url}/send?to={to}&text={text}&x=1"}
    request = asked(changes, message({"text": "50% off & more #1?"}))
    assert (request.method, request.body) == ("GET", b"")
    assert request.query == {"to": "+8613800138000", "text": "50% off & more #1?", "x": "1"}


@pytest.mark.parametrize("text", ['", "admin": "1', "{secret}", "\n\r\x00", "\\", "{to}{text}", "订单"])
@pytest.mark.parametrize("form", ["json", "form"])
def test_a_text_changes_nothing_but_itself(text: str, form: str) -> None:
    request = asked({"body_format": form, "secret": "s-1"}, message({"text": text}))
    got = request.json if form == "json" else request.form
    assert got == {"to": "+8613800138000", "text": text}


def test_headers_carry_the_credentials() -> None:
    headers = "Authorization: Basic {basic}\nX-Key: {secret}\n\nX-Text: {text}\nContent-Type: text/json"
    changes = {"headers": headers, "username": "shop", "secret": "pä"}
    request = asked(changes, message({"text": "a\r\nX-Evil: 1"}))
    assert request.headers["authorization"] == f"Basic {base64.b64encode('shop:pä'.encode()).decode()}"
    assert request.headers["x-key"] == "pä"
    assert request.headers["x-text"] == "a X-Evil: 1"
    assert "x-evil" not in request.headers
    assert request.headers["content-type"] == "text/json"


def test_a_template_of_the_gateway_goes_with_its_values() -> None:
    names = ("template_code", "params", "signature", "id", "callback_url")
    body = json.dumps({name: f"{{{name}}}" for name in names})
    content = {"template_code": "T1", "params": {"code": "1234"}, "signature": "店"}
    got = asked({"body": body}, message(content, callback_url="https://push.example.com/c")).json
    assert json.loads(got.pop("params")) == {"code": "1234"}
    assert list(got.values()) == ["T1", "店", "d-1", "https://push.example.com/c"]


def test_every_placeholder_that_is_offered_has_a_value() -> None:
    assert set(values(message(), {})) == NAMES
    help_text = str(HttpSmsAdapter.Config.base_fields["url"].help_text)
    assert all(f"{{{name}}}" in help_text for name in NAMES)


@pytest.mark.parametrize(
    ("changes", "answer", "provider_id"),
    [
        ({}, Answer(body={"code": 0, "id": 42}), "42"),
        ({}, Answer(body={"code": "0"}), ""),
        (
            {"success_path": "ok", "success_value": "true", "id_path": "data.0.id"},
            Answer(body={"ok": True, "data": [{"id": "m-2"}]}),
            "m-2",
        ),
        ({"success_path": "0.status", "id_path": "0.id"}, Answer(body=[{"status": 0, "id": "m-3"}]), "m-3"),
        ({"success_path": "", "success_value": ""}, Answer(body=b"whatever"), ""),
        ({"success_path": "", "success_value": "OK"}, Answer(body=b" OK:17"), ""),
        ({"success_path": "", "success_value": ""}, Answer(status=204, body=b""), ""),
    ],
)
def test_the_account_says_what_is_a_yes(changes: dict[str, str], answer: Answer, provider_id: str) -> None:
    assert send(changes, answer)[0] == Sent(provider_id=provider_id)


ERRORS = """
1001 = unreachable
1002 = opted_out
1003 = refused
1004 = throttled
1005 = throttled 60
1006 = temporary
1007 = misconfigured
1008 = sender

no such template=template
"""


@pytest.mark.parametrize(
    ("code", "kind", "attributes"),
    [
        (1001, Unreachable, {"opted_out": False}),
        (1002, Unreachable, {"opted_out": True}),
        (1003, Refused, {}),
        ("1004", Throttled, {"retry_after": 1.0}),
        (1005, Throttled, {"retry_after": 60.0}),
        (1006, Temporary, {"maybe_sent": False}),
        (1007, Misconfigured, {"scope": Scope.ACCOUNT}),
        (1008, Misconfigured, {"scope": Scope.SENDER}),
        ("no such template", Misconfigured, {"scope": Scope.TEMPLATE}),
        (9999, Refused, {}),
        ("", Refused, {}),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_the_account_says_what_a_code_means(
    status: int, code: Any, kind: type[ChannelError], attributes: dict[str, Any]
) -> None:
    error = refused(Answer(status=status, body={"code": code}), errors_table=ERRORS)
    assert type(error) is kind
    assert error.code == (str(code) or ("error" if status == 200 else "400"))
    assert {name: getattr(error, name) for name in attributes} == attributes


def test_a_code_can_stand_elsewhere_than_yes_and_no() -> None:
    error = refused(
        Answer(body={"ok": False, "error": {"code": 1001}}),
        success_path="ok",
        success_value="true",
        error_path="error.code",
        errors_table=ERRORS,
    )
    assert isinstance(error, Unreachable)


@pytest.mark.parametrize(
    ("answer", "changes", "kind"),
    [
        (Answer(body=b"<html>?</html>"), {}, Temporary),
        (Answer(status=503, body=b"<html>down</html>"), {}, Temporary),
        (Answer(status=404, body=b""), {}, Misconfigured),
        (Answer(status=401, body=b""), {}, Misconfigured),
        (Answer(status=302, body=b""), {}, Misconfigured),
        (Answer(body=b"ERR:1"), {"success_path": "", "success_value": "OK"}, Refused),
        (Answer(status=500, body=b"OK"), {"success_path": "", "success_value": "OK"}, Temporary),
    ],
)
def test_an_unknown_answer_means_its_status(
    answer: Answer, changes: dict[str, str], kind: type[ChannelError]
) -> None:
    assert type(refused(answer, **changes)) is kind


def test_an_answer_that_cannot_be_read_leaves_doubt() -> None:
    error = refused(Answer(body=b"<html>?</html>"))
    assert isinstance(error, Temporary)
    assert error.maybe_sent


def test_the_gateway_says_how_long_to_wait() -> None:
    slow = {"retry-after": "7"}
    for answer in (
        Answer(status=429, body=b"", headers=slow),
        Answer(body={"code": 1005}, headers=slow),
    ):
        error = refused(answer, errors_table=ERRORS)
        assert isinstance(error, Throttled)
        assert error.retry_after == 7


def test_a_gateway_inside_the_network_is_not_called(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    error, requests = send({})
    assert isinstance(error, Refused)
    assert requests == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "DELETE"),
        ("url", "sms.example.com/send"),
        ("url", "https://{to}.example.com/send"),
        ("url", "https://sms.example.com/{phone}"),
        ("headers", "no colon"),
        ("headers", "X Y: 1"),
        ("headers", "X-Key: {password}"),
        ("body", "{to}"),
        ("body", '["{to}"]'),
        ("body", '{"to": "{number}"}'),
        ("errors_table", "1001"),
        ("errors_table", "1001 = unknown"),
        ("errors_table", "1001 = refused 60"),
        ("success_value", ""),
        ("timeout_s", "31"),
    ],
)
def test_a_wrong_setting_is_named(field: str, value: str) -> None:
    config = {**CONFIG, "url": "https://sms.example.com/send", field: value}
    assert list(registry.adapter(NAME).Config(config).errors) == [field]
