"""A Feishu app: what is sent, codes, and events, held against the official library."""

import base64
import hashlib
import json
import warnings
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_app.adapters.feishu_app import (
    CODES,
    FeishuAppAdapter,
    decrypt,
    encrypt,
    id_kind,
    sample_event,
    sign,
)
from channels_app.contract import Callback, ChannelError, ForgedCallback, Outcome, Receipt, Sent
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"app_id": "cli_1", "app_secret": "s-1", "encrypt_key": "e-1", "verification_token": "v-1"}
TEXT = {"format": "text", "title": "Paid", "text": "Order 7 is paid."}
LINK = {"link": "https://example.com/7", "link_label": "Open"}
PERSON = "ou_7d8a6e6df7621556ce0d21922b676706"
MESSAGE = outgoing("feishu", PERSON, TEXT)
TOKEN = Answer(body={"code": 0, "msg": "ok", "tenant_access_token": "t-1", "expire": 7200})
OK = Answer(body={"code": 0, "msg": "success", "data": {"message_id": "om_dc13264520392913993dd051dba21dcf"}})

MEANINGS = [
    (400, 99991400, "request trigger frequency limit", "Throttled 1"),
    (400, 230020, "This operation triggers the frequency limit.", "Throttled 1 address"),
    (400, 11232, "create message trigger system rate limit", "Throttled 5"),
    (
        400,
        230001,
        "Your request contains an invalid request parameter, ext=invalid receive_id.",
        "Unreachable",
    ),
    (400, 230001, "Your request contains an invalid request parameter, ext=invalid msg_type.", "Refused"),
    (400, 99992351, "The request you send is not a valid {open_id} or not exists", "Unreachable"),
    (400, 230013, "Bot has NO availability to this user.", "Unreachable"),
    (400, 230002, "The bot can not be outside the group.", "Unreachable"),
    (400, 230025, "The length of the message content reaches its limit.", "Refused"),
    (400, 230028, "The messages do NOT pass the audit.", "Refused"),
    (400, 230099, "Failed to create card content.", "Refused"),
    (400, 99991672, "Access denied. One of the following scopes is required.", "Misconfigured"),
    (400, 230006, "Bot ability is not activated.", "Misconfigured"),
    (400, 230027, "Lack of necessary permissions.", "Misconfigured"),
    (200, 10003, "invalid param", "Misconfigured"),
    (200, 10014, "app secret invalid", "Misconfigured"),
    (400, 230034, "not known here", "Refused"),
    (400, 230053, "not known here", "Refused"),
    (200, 99999, "nobody knows", "Refused"),
    (500, 99999, "nobody knows", "Temporary"),
]
STALE = [
    (400, 99991661, "Missing access token for authorization."),
    (400, 99991663, "Invalid access token for authorization."),
    (401, 99991664, "app access token invalid"),
]


def send(script: provider.Script, message: Any = MESSAGE) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("feishu_app", CONFIG, message, {"tenant_access_token": TOKEN, **script})


def shown(content: dict[str, Any]) -> tuple[str, Any]:
    result, requests = send({"": OK}, outgoing("feishu", PERSON, content))
    assert meaning(result) == "Sent"
    return requests[-1].json["msg_type"], json.loads(requests[-1].json["content"])


def test_a_text_is_handed_over_with_our_id() -> None:
    sent, (token, request) = send({"": OK})
    assert sent == Sent(provider_id="om_dc13264520392913993dd051dba21dcf")
    assert token.path == "/open-apis/auth/v3/tenant_access_token/internal"
    assert token.json == {"app_id": "cli_1", "app_secret": "s-1"}
    assert (request.path, request.query) == ("/open-apis/im/v1/messages", {"receive_id_type": "open_id"})
    assert request.headers["authorization"] == "Bearer t-1"
    assert request.json == {
        "receive_id": PERSON,
        "msg_type": "text",
        "content": '{"text":"Paid\\nOrder 7 is paid."}',
        "uuid": "d-1",
    }


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("ou_1", "open_id"),
        ("on_1", "union_id"),
        ("oc_1", "chat_id"),
        ("ann@example.com", "email"),
        ("gd12", "user_id"),
    ],
)
def test_the_kind_of_an_id_is_read_from_it(address: str, kind: str) -> None:
    assert id_kind(address) == kind


def test_cards_have_a_coloured_header_and_a_button() -> None:
    kind, card = shown({**TEXT, **LINK, "format": "card", "severity": "danger", "mentions": "ou_1,all"})
    assert kind == "interactive"
    assert card["header"] == {"title": {"tag": "plain_text", "content": "Paid"}, "template": "red"}
    text, action = card["elements"]
    assert text["content"] == "Order 7 is paid.\n\n<at id=ou_1></at> <at id=all></at>"
    assert action["actions"][0]["url"] == "https://example.com/7"
    assert action["actions"][0]["text"]["content"] == "Open"


def test_markdown_is_a_card_without_a_button() -> None:
    _kind, card = shown({**TEXT, **LINK, "format": "markdown", "title": ""})
    assert "header" not in card
    assert [each["content"] for each in card["elements"]] == [
        "Order 7 is paid.\n\n[Open](https://example.com/7)"
    ]


def test_a_text_mentions_people_and_one_of_the_providers_own_goes_out_as_it_is() -> None:
    assert shown({**TEXT, "mentions": "ou_1"})[1]["text"].endswith('<at user_id="ou_1"></at>')
    assert shown({"payload": {"msg_type": "post", "content": {"zh_cn": {}}}}) == ("post", {"zh_cn": {}})
    assert shown({"payload": {"msg_type": "post", "content": '{"a":1}'}}) == ("post", {"a": 1})


@pytest.mark.parametrize(("status", "code", "sentence", "expected"), MEANINGS)
def test_a_code_means(status: int, code: int, sentence: str, expected: str) -> None:
    answer = Answer(status=status, body={"code": code, "msg": sentence, "error": {"log_id": "1"}})
    result, _requests = send({"": answer})
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert (result.code, result.detail) == (str(code), sentence)


def test_every_code_of_the_table_has_a_row() -> None:
    rows = {str(code) for _status, code, *_rest in MEANINGS} | {str(code) for _s, code, _t in STALE}
    assert rows >= set(CODES)


@pytest.mark.parametrize(
    ("status", "body"), [(429, {"code": 99991400, "msg": "limit"}), (400, {"code": 99991400, "msg": "limit"})]
)
def test_the_providers_own_header_says_how_long_to_wait(status: int, body: dict[str, Any]) -> None:
    answer = Answer(status=status, body=body, headers={"x-ogw-ratelimit-reset": "37"})
    assert meaning(send({"": answer})[0]) == "Throttled 37"


@pytest.mark.parametrize(("status", "code", "sentence"), STALE)
def test_a_stale_token_is_fetched_anew_once(status: int, code: int, sentence: str) -> None:
    tokens = [TOKEN, Answer(body={"code": 0, "tenant_access_token": "t-2", "expire": 7200})]
    stale = Answer(status=status, body={"code": code, "msg": sentence})
    result, requests = send({"tenant_access_token": tokens, "": [stale, OK]})
    assert meaning(result) == "Sent"
    assert [each.headers.get("authorization", "") for each in requests] == [
        "",
        "Bearer t-1",
        "",
        "Bearer t-2",
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(body={"code": 10014, "msg": "app secret invalid"}), "Misconfigured"),
        (Answer(body={"code": 0}), "Temporary"),
        (Answer(body=b"<html></html>"), "Temporary"),
    ],
)
def test_no_token_means_that_nothing_was_sent(answer: Answer, expected: str) -> None:
    assert meaning(send({"tenant_access_token": answer, "": OK})[0]) == expected


@pytest.mark.parametrize("body", [b"<html>busy</html>", {}])
def test_an_answer_that_says_nothing_leaves_doubt(body: Any) -> None:
    assert meaning(send({"": Answer(body=body)})[0]) == "Temporary maybe_sent"


def test_groups_of_robots_are_not_for_an_app() -> None:
    adapter = provider.adapter("feishu_app", CONFIG)
    assert adapter.takes(MESSAGE.address)
    assert not adapter.takes(outgoing("feishu", "group:ops", TEXT).address)


# Events.

READ = {
    "schema": "2.0",
    "header": {
        "event_id": "5e3702a84e847582be8db7fb73283c02",
        "event_type": "im.message.message_read_v1",
        "create_time": "1608725989000",
        "token": "v-1",
        "app_id": "cli_1",
        "tenant_key": "2ca1d211f64f6438",
    },
    "event": {
        "reader": {
            "reader_id": {"open_id": PERSON, "user_id": "e33ggbyz"},
            "read_time": "1609484183000",
            "tenant_key": "736588c9260f175e",
        },
        "message_id_list": ["om_1", "om_2"],
    },
}
CARD = {
    "schema": "2.0",
    "header": {"event_id": "f7984f25108f8137722bb63ce", "event_type": "card.action.trigger", "token": "v-1"},
    "event": {
        "operator": {"open_id": PERSON},
        "action": {"value": {"key": "value"}, "tag": "button"},
        "context": {"open_message_id": "om_3", "open_chat_id": "oc_1"},
    },
}
CHALLENGE = {"challenge": "ajls384kdjx98XX", "token": "v-1", "type": "url_verification"}


def sealed(event: Any, *, key: str = "e-1", signed: bool = True) -> Callback:
    body = json.dumps({"encrypt": encrypt(key, json.dumps(event).encode())}).encode()
    headers = {"x-lark-request-timestamp": "1609484183", "x-lark-request-nonce": "n-1"}
    if signed:
        headers["x-lark-signature"] = sign("e-1", "1609484183", "n-1", body)
    return Callback(headers=headers, query={}, body=body, url="")


def plain(event: Any) -> Callback:
    return Callback(headers={}, query={}, body=json.dumps(event).encode(), url="")


def receipts(callback: Callback, **config: str) -> list[Receipt]:
    return list(provider.adapter("feishu_app", {**CONFIG, **config}).receipts(callback))


def test_a_read_message_is_opened() -> None:
    first, second = receipts(sealed(READ))
    assert first == Receipt(
        provider_id="om_1",
        outcome=Outcome.OPENED,
        at=datetime(2021, 1, 1, 6, 56, 23, tzinfo=UTC),
        code="read",
        event_id="5e3702a84e847582be8db7fb73283c02:om_1",
    )
    assert second.provider_id == "om_2"


def test_a_button_of_a_card_is_a_click() -> None:
    (receipt,) = receipts(sealed(CARD))
    assert (receipt.provider_id, receipt.outcome) == ("om_3", Outcome.CLICKED)


@pytest.mark.parametrize(
    "event",
    [{**READ, "event": 7}, {**READ, "event": {"message_id_list": 7}}, {**READ, "header": {"token": "v-1"}}],
)
def test_any_other_event_is_nothing_to_us(event: dict[str, Any]) -> None:
    assert receipts(sealed(event)) == []


def test_without_a_key_the_token_alone_protects() -> None:
    assert len(receipts(plain(READ), encrypt_key="")) == 2
    with pytest.raises(ForgedCallback):
        receipts(plain({**READ, "header": {**READ["header"], "token": "stolen"}}), encrypt_key="")  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "callback",
    [
        plain(READ),
        sealed(READ, signed=False),
        sealed(READ, key="stolen"),
        sealed({**READ, "header": {}}),
        sealed({**CHALLENGE, "token": "stolen"}),
        Callback(headers={}, query={}, body=b"not json", url=""),
        Callback(headers={}, query={}, body=b'{"encrypt": "!"}', url=""),
        Callback(headers={}, query={}, body=b'{"encrypt": "AAAA"}', url=""),
    ],
)
def test_a_forged_event_is_not_believed(callback: Callback) -> None:
    with pytest.raises(ForgedCallback):
        receipts(callback)


def test_an_account_without_key_and_token_takes_no_events() -> None:
    with pytest.raises(ForgedCallback):
        receipts(plain(READ), encrypt_key="", verification_token="")


@pytest.mark.parametrize(
    ("callback", "config"), [(sealed(CHALLENGE, signed=False), {}), (plain(CHALLENGE), {"encrypt_key": ""})]
)
def test_the_challenge_of_the_console_is_answered(callback: Callback, config: dict[str, str]) -> None:
    adapter = provider.adapter("feishu_app", {**CONFIG, **config})
    assert list(adapter.receipts(callback)) == []
    reply = adapter.reply(callback)
    assert (json.loads(reply.body), reply.content_type) == (
        {"challenge": "ajls384kdjx98XX"},
        "application/json",
    )


def test_an_event_is_answered_with_an_empty_object() -> None:
    assert provider.adapter("feishu_app", CONFIG).reply(sealed(READ)).body == b"{}"


def test_a_call_that_is_not_believed_has_no_challenge_answered() -> None:
    forged = sealed({**CHALLENGE, "token": "stolen"}, signed=False)
    assert provider.adapter("feishu_app", CONFIG).reply(forged).body == b"{}"


def test_the_published_example_is_deciphered() -> None:
    """From the documentation of Feishu: the key is "test key"."""
    assert decrypt("test key", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=") == b"hello world"


def test_the_official_library_takes_our_sample_for_genuine() -> None:
    """Its import takes seconds, so that all it has to judge is judged here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lark_oapi as lark
        from lark_oapi.core.model import RawRequest
        from lark_oapi.ws import client

    client.loop.close()  # opened by the import, and of no use here
    seen: list[Any] = []
    build = lark.EventDispatcherHandler.builder("e-1", "v-1").register_p2_im_message_message_read_v1
    dispatcher = build(seen.append).build()

    def judge(callback: Callback) -> Any:
        request = RawRequest()
        request.uri, request.body = "/callbacks", callback.body
        request.headers = {name.title(): value for name, value in callback.headers.items()}
        return dispatcher.do(request)

    genuine = sample_event(CONFIG, "om_1")
    assert judge(genuine).status_code == 200
    assert seen[0].event.message_id_list == ["om_1"]
    assert [each.provider_id for each in receipts(genuine)] == ["om_1"]

    forged = Callback(
        headers={**genuine.headers, "x-lark-signature": "0" * 64}, query={}, body=genuine.body, url=""
    )
    assert judge(forged).status_code == 500
    with pytest.raises(ForgedCallback):
        receipts(forged)

    answer = judge(sealed(CHALLENGE, signed=False))
    assert json.loads(answer.content) == {"challenge": "ajls384kdjx98XX"}
    assert len(seen) == 1


def test_the_signature_is_the_documented_one() -> None:
    assert sign("k", "1", "n", b"body") == hashlib.sha256(b"1nkbody").hexdigest()
    assert len(base64.b64decode(encrypt("k", b"x" * 16))) == 48


def test_the_sample_of_itself_is_genuine() -> None:
    specimen = FeishuAppAdapter.specimen
    assert specimen is not None
    (receipt,) = receipts(sample_event(specimen.config, "om_9"), **specimen.config)
    assert (receipt.provider_id, receipt.outcome) == ("om_9", Outcome.OPENED)


def test_the_credentials_can_be_tried() -> None:
    async def work(base_url: str) -> str:
        return await provider.adapter("feishu_app", CONFIG, base_url).check()

    assert provider.play({"": TOKEN}, work)[0]


def recall(answer: Answer) -> tuple[ChannelError | None, list[Request]]:
    async def work(base_url: str) -> ChannelError | None:
        try:
            await provider.adapter("feishu_app", CONFIG, base_url).recall("om_1")
        except ChannelError as error:
            return error
        return None

    return provider.play({"tenant_access_token": TOKEN, "": answer}, work)


def test_a_message_is_taken_back_by_its_id() -> None:
    error, (_token, request) = recall(Answer(body={"code": 0, "msg": "success", "data": {}}))
    assert error is None
    assert (request.method, request.path) == ("DELETE", "/open-apis/im/v1/messages/om_1")
    assert request.headers["authorization"] == "Bearer t-1"


def test_one_that_is_too_old_says_so() -> None:
    error, _requests = recall(Answer(status=400, body={"code": 230026, "msg": "No permission to recall."}))
    assert error is not None
    assert meaning(error) == "Refused"
    assert (error.code, error.detail) == ("230026", "No permission to recall.")
