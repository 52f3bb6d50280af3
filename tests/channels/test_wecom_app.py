"""A WeCom app: what is sent, who of several was not reached, codes, and encrypted events."""

from typing import Any

import pytest
from wechatpy.enterprise import parse_message
from wechatpy.enterprise.crypto import WeChatCrypto

from channels_app.adapters.wecom_app import CODES, WecomAppAdapter, sample_event
from channels_app.channels import WECOM
from channels_app.contract import Callback, ChannelError, ForgedCallback, Outcome, Receipt, Sent
from channels_app.weixin import Envelope, to_xml
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"corpid": "ww1", "secret": "s-1", "agentid": 1000002, "token": "t-1", "aes_key": "a" * 43}
TEXT = {"format": "text", "title": "Paid", "text": "Order 7 is paid."}
LINK = {"link": "https://example.com/7", "link_label": "Open the order"}
MESSAGE = outgoing("wecom", "ZhangSan", TEXT)
TOKEN = Answer(body={"errcode": 0, "errmsg": "ok", "access_token": "token-1", "expires_in": 7200})
OK = Answer(body={"errcode": 0, "errmsg": "ok", "msgid": "m-1"})

MEANINGS = [
    (81013, "user & party & tag all invalid", "Unreachable"),
    (82001, "all user invalid", "Unreachable"),
    (60111, "userid not found", "Unreachable"),
    (40003, "invalid userid", "Unreachable"),
    (40031, "invalid userid list", "Unreachable"),
    (45009, "api freq out of limit", "Throttled 60"),
    (45033, "api concurrent out of limit", "Throttled 5"),
    (-1, "system busy", "Temporary"),
    (40001, "invalid credential", "Misconfigured"),
    (40013, "invalid corpid", "Misconfigured"),
    (40056, "invalid agentid", "Misconfigured"),
    (48002, "api forbidden", "Misconfigured"),
    (60011, "no privilege to access/modify contact/party/agent", "Misconfigured"),
    (60020, "not allow to access from your ip", "Misconfigured"),
    (301002, "no permission to access the app", "Misconfigured"),
    (40008, "invalid message type", "Refused"),
    (40058, "invalid request parameter", "Refused"),
    (44004, "text content is empty", "Refused"),
    (45002, "content size out of limit", "Refused"),
    (99999, "nobody knows", "Refused"),
]
STALE = [(40014, "invalid access_token"), (42001, "access_token expired")]


def send(script: provider.Script, message: Any = MESSAGE) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("wecom_app", CONFIG, message, {"gettoken": TOKEN, **script})


def said(code: int, sentence: str = "") -> Answer:
    return Answer(body={"errcode": code, "errmsg": sentence})


def shown(content: dict[str, Any]) -> dict[str, Any]:
    """What WeCom is asked to show."""
    result, requests = send({"": OK}, outgoing("wecom", "ZhangSan", content))
    assert meaning(result) == "Sent"
    body = requests[-1].json
    for name in ("touser", "agentid", "enable_duplicate_check", "duplicate_check_interval"):
        del body[name]
    return body


def test_a_text_is_handed_over_and_duplicates_are_dropped_by_the_provider() -> None:
    sent, (token, request) = send({"": OK})
    assert sent == Sent(provider_id="m-1")
    assert (token.method, token.path) == ("GET", "/cgi-bin/gettoken")
    assert token.query == {"corpid": "ww1", "corpsecret": "s-1"}
    assert (request.path, request.query) == ("/cgi-bin/message/send", {"access_token": "token-1"})
    assert request.json == {
        "touser": "ZhangSan",
        "agentid": 1000002,
        "msgtype": "text",
        "text": {"content": "Paid\nOrder 7 is paid."},
        "enable_duplicate_check": 1,
        "duplicate_check_interval": 300,
    }


def test_the_dropping_of_duplicates_can_be_switched_off() -> None:
    _sent, (_token, request) = provider.send(
        "wecom_app", {**CONFIG, "duplicate_window_s": 0}, MESSAGE, {"gettoken": TOKEN, "": OK}
    )
    assert "enable_duplicate_check" not in request.json


def test_a_card_with_a_link_is_a_text_card() -> None:
    content = {**TEXT, **LINK, "format": "card", "title": "字" * 200, "text": "字" * 600}
    card = shown(content)["textcard"]
    assert (len(card["title"]), len(card["description"])) == (128, 512)
    assert (card["url"], card["btntxt"]) == ("https://example.com/7", "Ope…")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"format": "markdown"}, "### Paid\n\nOrder 7 is paid."),
        ({"format": "card"}, "### Paid\n\nOrder 7 is paid."),
        ({"format": "markdown", "title": ""}, "Order 7 is paid."),
        (
            {"format": "markdown", "severity": "danger", **LINK},
            '### <font color="warning">Paid</font>\n\nOrder 7 is paid.\n\n[Open the order](https://example.com/7)',
        ),
    ],
)
def test_markdown_has_a_coloured_heading(content: dict[str, Any], text: str) -> None:
    assert shown({**TEXT, **content}) == {"msgtype": "markdown", "markdown": {"content": text}}


@pytest.mark.parametrize("kind", ["text", "markdown"])
def test_the_limit_is_in_bytes_and_the_link_stays(kind: str) -> None:
    text = WECOM.content.base_fields["text"].fit("字" * 5000)  # type: ignore[attr-defined]
    content = shown({**TEXT, **LINK, "format": kind, "text": text})[kind]["content"]
    assert 2040 < len(content.encode()) <= 2048
    assert "https://example.com/7" in content


def test_a_message_of_the_providers_own_goes_out_as_it_is_and_a_card_is_known_by_our_id() -> None:
    assert shown({"payload": {"msgtype": "news", "news": {"articles": []}}}) == {
        "msgtype": "news",
        "news": {"articles": []},
    }
    card = {"card_type": "button_interaction"}
    own = {"payload": {"msgtype": "template_card", "template_card": card}}
    assert shown(own)["template_card"] == {"card_type": "button_interaction", "task_id": "d-1"}


@pytest.mark.parametrize(("code", "sentence", "expected"), MEANINGS)
def test_a_code_means(code: int, sentence: str, expected: str) -> None:
    result, _requests = send({"": said(code, sentence)})
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert (result.code, result.detail) == (str(code), sentence)


def test_every_code_of_the_table_has_a_row() -> None:
    rows = {str(code) for code, *_rest in MEANINGS} | {str(code) for code, _sentence in STALE}
    assert rows >= set(CODES)


@pytest.mark.parametrize(("code", "sentence"), STALE)
def test_a_stale_token_is_fetched_anew_once(code: int, sentence: str) -> None:
    tokens = [TOKEN, Answer(body={"errcode": 0, "access_token": "token-2", "expires_in": 7200})]
    result, requests = send({"gettoken": tokens, "": [said(code, sentence), OK]})
    assert result == Sent(provider_id="m-1")
    assert [each.query.get("access_token", "") for each in requests] == ["", "token-1", "", "token-2"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(40001, "invalid credential"), "Misconfigured"),
        (said(40013, "invalid corpid"), "Misconfigured"),
        (said(-1), "Temporary"),
        (Answer(body=b"<html></html>"), "Temporary"),
    ],
)
def test_no_token_means_that_nothing_was_sent(answer: Answer, expected: str) -> None:
    assert meaning(send({"gettoken": answer, "": OK})[0]) == expected


@pytest.mark.parametrize("body", [b"<html>busy</html>", {}])
def test_an_answer_that_says_nothing_leaves_doubt(body: Any) -> None:
    assert meaning(send({"": Answer(body=body)})[0]) == "Temporary maybe_sent"


# A success can hold failures.


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"invaliduser": "zhangsan"}, "Unreachable"),
        ({"invaliduser": "LiSi|zhangsan"}, "Unreachable"),
        ({"unlicenseduser": "zhangsan"}, "Misconfigured address"),
        ({"invaliduser": ""}, "Sent"),
        ({"invaliduser": "zhangsan2"}, "Sent"),
    ],
)
def test_who_was_not_reached_is_told_in_lower_case(answer: dict[str, str], expected: str) -> None:
    body = {"errcode": 0, "errmsg": "ok", "msgid": "m-1", **answer}
    assert meaning(send({"": Answer(body=body)})[0]) == expected


def many(script: provider.Script, *members: str) -> tuple[list[Sent | ChannelError], list[Request]]:
    messages = [outgoing("wecom", member, TEXT, id=f"d-{member}") for member in members]

    async def work(base_url: str) -> list[Sent | ChannelError]:
        return await provider.adapter("wecom_app", CONFIG, base_url).send_many(messages)

    return provider.play({"gettoken": TOKEN, **script}, work)


def test_the_same_text_to_many_is_one_call_with_a_result_for_each() -> None:
    body = {
        "errcode": 0,
        "errmsg": "ok",
        "msgid": "m-1",
        "invaliduser": "lisi",
        "unlicenseduser": "wangwu",
    }
    results, requests = many({"": Answer(body=body)}, "ZhangSan", "LiSi", "WangWu")
    assert requests[-1].json["touser"] == "ZhangSan|LiSi|WangWu"
    assert [meaning(each) for each in results] == ["Sent", "Unreachable", "Misconfigured address"]


def test_where_all_are_said_to_be_invalid_each_is_asked_alone() -> None:
    results, requests = many({"message/send": [said(81013), OK, said(81013)]}, "a", "b")
    assert [each.json["touser"] for each in requests[1:]] == ["a|b", "a", "b"]
    assert [meaning(each) for each in results] == ["Sent", "Unreachable"]


@pytest.mark.parametrize("value", ["@all", "a|b", "a b", "", "字", "x" * 65, "-a"])
def test_an_address_that_would_reach_others_is_never_called(value: str) -> None:
    result, requests = send({"": OK}, outgoing("wecom", value, TEXT))
    assert meaning(result) == "Unreachable"
    assert requests == []


def test_groups_are_for_robots() -> None:
    adapter = provider.adapter("wecom_app", CONFIG)
    assert adapter.takes(MESSAGE.address)
    assert not adapter.takes(outgoing("wecom", "group:ops", TEXT).address)


# Events.


def sealed(event: dict[str, str]) -> Callback:
    envelope = Envelope(token="t-1", aes_key="a" * 43, receiver="ww1")
    query, encrypted = envelope.seal(to_xml(event), timestamp="1409735669", nonce="n-1")
    return Callback(headers={}, query=query, body=to_xml({"Encrypt": encrypted}).encode(), url="")


def receipts(callback: Callback, config: dict[str, Any] = CONFIG) -> list[Receipt]:
    return list(provider.adapter("wecom_app", config).receipts(callback))


CLICK = {
    "ToUserName": "ww1",
    "FromUserName": "ZhangSan",
    "CreateTime": "123456789",
    "MsgType": "event",
    "Event": "template_card_event",
    "EventKey": "confirm",
    "TaskId": "d-1",
    "CardType": "button_interaction",
    "AgentID": "1",
}


def test_a_click_on_a_card_finds_its_delivery() -> None:
    (receipt,) = receipts(sealed(CLICK))
    assert (receipt.delivery_id, receipt.outcome, receipt.code) == ("d-1", Outcome.CLICKED, "confirm")


def test_another_library_opens_and_reads_the_same_event() -> None:
    callback = sealed(CLICK)
    query = callback.query
    xml = WeChatCrypto("t-1", "a" * 43, "ww1").decrypt_message(
        callback.body, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    assert parse_message(xml).source == "ZhangSan"


@pytest.mark.parametrize(
    ("event", "outcome"), [("subscribe", Outcome.OPTED_IN), ("unsubscribe", Outcome.OPTED_OUT)]
)
def test_following_and_leaving_speak_of_the_member(event: str, outcome: Outcome) -> None:
    (receipt,) = receipts(sealed({**CLICK, "Event": event}))
    assert (receipt.address, receipt.outcome, receipt.delivery_id) == ("ZhangSan", outcome, "")


def test_any_other_event_is_nothing_to_us() -> None:
    assert receipts(sealed({**CLICK, "Event": "enter_agent"})) == []
    assert receipts(sealed({})) == []


@pytest.mark.parametrize(
    "callback",
    [
        Callback(headers={}, query={}, body=to_xml(CLICK).encode(), url=""),
        Callback(headers={}, query=sealed(CLICK).query, body=sealed(CLICK).body, url=""),
        Callback(headers={}, query={**sealed(CLICK).query, "nonce": "x"}, body=sealed(CLICK).body, url=""),
        Callback(headers={}, query={"echostr": "AAAA"}, body=b"", url="", method="GET"),
    ],
)
def test_a_forged_event_is_not_believed(callback: Callback) -> None:
    with pytest.raises(ForgedCallback):
        receipts(callback)


def test_an_account_without_a_key_takes_no_events() -> None:
    bare = {name: value for name, value in CONFIG.items() if name not in {"token", "aes_key"}}
    with pytest.raises(ForgedCallback):
        receipts(sealed(CLICK), bare)


def test_the_challenge_of_the_console_is_deciphered() -> None:
    envelope = Envelope(token="t-1", aes_key="a" * 43, receiver="ww1")
    query, encrypted = envelope.seal("4711", timestamp="1", nonce="n")
    callback = Callback(headers={}, query={**query, "echostr": encrypted}, body=b"", url="", method="GET")
    adapter = provider.adapter("wecom_app", CONFIG)
    assert list(adapter.receipts(callback)) == []
    assert adapter.reply(callback).body == b"4711"
    assert WeChatCrypto("t-1", "a" * 43, "ww1").check_signature(
        query["msg_signature"], "1", "n", encrypted
    ) in {"4711", b"4711"}


def test_a_challenge_that_is_forged_is_answered_with_401() -> None:
    callback = Callback(headers={}, query={"echostr": "AAAA"}, body=b"", url="", method="GET")
    assert provider.adapter("wecom_app", CONFIG).reply(callback).status == 401


def test_an_event_is_answered_with_nothing() -> None:
    reply = provider.adapter("wecom_app", CONFIG).reply(sealed(CLICK))
    assert (reply.status, reply.body) == (200, b"")


def test_the_sample_of_itself_is_genuine() -> None:
    specimen = WecomAppAdapter.specimen
    assert specimen is not None
    (receipt,) = receipts(sample_event(specimen.config, "d-1"), dict(specimen.config))
    assert receipt.outcome is Outcome.CLICKED


def test_the_credentials_can_be_tried() -> None:
    async def work(base_url: str) -> str:
        return await provider.adapter("wecom_app", CONFIG, base_url).check()

    assert provider.play({"": TOKEN}, work)[0]
