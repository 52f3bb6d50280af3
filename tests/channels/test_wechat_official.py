"""WeChat Official Account: what is sent, codes, the token, and events as wechatpy reads them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from wechatpy import parse_message

from channels_app.adapters.wechat_official import CODES, WechatOfficialAdapter, sample_event
from channels_app.contract import Callback, ChannelError, ForgedCallback, Outcome, Receipt, Sent, Unreachable
from channels_app.weixin import Envelope, signature, to_xml
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"appid": "wx1", "secret": "s-1", "token": "t-1", "aes_key": "a" * 43}
PLAIN = {"appid": "wx1", "secret": "s-1", "token": "t-1"}
TEMPLATE = {
    "kind": "template",
    "template_id": "T-1",
    "data": {"thing1": "Book", "amount2": 5, "thing3": {"value": "x", "color": "#173177"}},
    "url": "https://example.com/7",
}
MESSAGE = outgoing("wechat", "oABC-d_1", TEMPLATE)
TOKEN = Answer(body={"access_token": "token-1", "expires_in": 7200})

MEANINGS = [
    (40003, "invalid openid", "Unreachable"),
    (43004, "require subscribe", "Unreachable"),
    (50005, "user not subscribe", "Unreachable"),
    (43101, "user refuse to accept the msg", "Refused"),
    (43019, "user is in blacklist", "Unreachable opted_out"),
    (48002, "user block receive message", "Unreachable opted_out"),
    (45009, "reach max api daily quota limit", "Throttled until 0:00"),
    (45011, "api minute-quota reach limit  mustslower  retry next minute", "Throttled 60"),
    (43108, "concurrent to the same user", "Throttled 5 address"),
    (-1, "system error", "Temporary"),
    (40013, "invalid appid", "Misconfigured"),
    (40125, "invalid appsecret", "Misconfigured"),
    (40164, "invalid ip 1.2.3.4, not in whitelist", "Misconfigured"),
    (48001, "api unauthorized", "Misconfigured"),
    (48004, "api forbidden for irregularities", "Misconfigured"),
    (50001, "user unauthorized", "Misconfigured"),
    (50002, "user limited", "Misconfigured"),
    (40037, "invalid template_id", "Misconfigured template"),
    (41030, "invalid page", "Misconfigured template"),
    (47003, "argument invalid! data.thing1.value invalid", "Refused"),
    (45002, "content size out of limit", "Refused"),
    (47001, "data format error", "Refused"),
    (99999, "nobody knows", "Refused"),
]
STALE = [(40001, "invalid credential"), (40014, "invalid access_token"), (42001, "access_token expired")]


def send(script: provider.Script, message: Any = MESSAGE) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("wechat_official", CONFIG, message, {"stable_token": TOKEN, **script})


def said(code: int, sentence: str) -> Answer:
    return Answer(body={"errcode": code, "errmsg": sentence})


OK = Answer(body={"errcode": 0, "errmsg": "ok", "msgid": 200228332})


def test_a_template_message_is_handed_over_with_the_stable_token() -> None:
    sent, (token, request) = send({"": OK})
    assert sent == Sent(provider_id="200228332")
    assert (token.path, token.json) == (
        "/cgi-bin/stable_token",
        {"grant_type": "client_credential", "appid": "wx1", "secret": "s-1", "force_refresh": False},
    )
    assert request.path == "/cgi-bin/message/template/send"
    assert request.query == {"access_token": "token-1"}
    assert request.json == {
        "touser": "oABC-d_1",
        "template_id": "T-1",
        "url": "https://example.com/7",
        "client_msg_id": "d-1",
        "data": {
            "thing1": {"value": "Book"},
            "amount2": {"value": "5"},
            "thing3": {"value": "x", "color": "#173177"},
        },
    }


def test_a_subscription_message_opens_a_page_or_a_mini_program() -> None:
    content = {
        **TEMPLATE,
        "kind": "subscription",
        "miniprogram_appid": "wx2",
        "miniprogram_path": "index?a=1",
    }
    _sent, (_token, request) = send({"": OK}, outgoing("wechat", "oABC-d_1", content))
    assert request.path == "/cgi-bin/message/subscribe/bizsend"
    assert request.json["page"] == "https://example.com/7"
    assert request.json["miniprogram"] == {"appid": "wx2", "pagepath": "index?a=1"}
    assert "client_msg_id" not in request.json


def test_keywords_that_are_no_object_are_refused() -> None:
    result, requests = send({"": OK}, outgoing("wechat", "oABC-d_1", {**TEMPLATE, "data": [1]}))
    assert meaning(result) == "Refused"
    assert requests == []


@pytest.mark.parametrize(("code", "sentence", "expected"), MEANINGS)
def test_a_code_means(code: int, sentence: str, expected: str) -> None:
    result, _requests = send({"": said(code, sentence)})
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert (result.code, result.detail) == (str(code), sentence)


def test_a_person_who_refuses_one_template_is_not_closed_to_others() -> None:
    """43101 speaks of the template: suppressing the address would silence every other one."""
    result, _requests = send({"": said(43101, "user refuse to accept the msg")})
    assert isinstance(result, ChannelError)
    assert not isinstance(result, Unreachable)


def test_every_code_of_the_table_has_a_row() -> None:
    rows = {str(code) for code, *_rest in MEANINGS + [(code, "", "") for code, _sentence in STALE]}
    assert rows >= set(CODES)


@pytest.mark.parametrize(("code", "sentence"), STALE)
def test_a_stale_token_is_fetched_anew_once(code: int, sentence: str) -> None:
    tokens = [TOKEN, Answer(body={"access_token": "token-2", "expires_in": 7200})]
    result, requests = send({"stable_token": tokens, "": [said(code, sentence), OK]})
    assert result == Sent(provider_id="200228332")
    assert [each.query.get("access_token", "") for each in requests] == ["", "token-1", "", "token-2"]


@pytest.mark.parametrize(("code", "sentence"), STALE)
def test_a_token_that_stays_stale_speaks_of_the_account(code: int, sentence: str) -> None:
    result, requests = send({"": said(code, sentence)})
    assert meaning(result) == "Misconfigured"
    assert len(requests) == 4


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said(40125, "invalid appsecret"), "Misconfigured"),
        (said(40164, "not in whitelist"), "Misconfigured"),
        (said(40001, "invalid credential"), "Misconfigured"),
        (said(45009, "reach max api daily quota limit"), "Throttled until 0:00"),
        (Answer(status=502, body=b"<html></html>"), "Temporary"),
        (Answer(body=b"<html></html>"), "Temporary"),
        (Answer(body={}), "Temporary"),
        (Answer(body={"access_token": ""}), "Temporary"),
    ],
)
def test_no_token_means_that_nothing_was_sent(answer: Answer, expected: str) -> None:
    result, requests = send({"stable_token": answer, "": OK})
    assert meaning(result) == expected
    assert {each.path for each in requests} == {"/cgi-bin/stable_token"}


@pytest.mark.parametrize("body", [b"<html>busy</html>", {}, []])
def test_an_answer_that_says_nothing_leaves_doubt(body: Any) -> None:
    assert meaning(send({"": Answer(body=body)})[0]) == "Temporary maybe_sent"


# Events.


def sealed(event: dict[str, str] | str) -> Callback:
    xml = event if isinstance(event, str) else to_xml(event)
    envelope = Envelope(token="t-1", aes_key="a" * 43, receiver="wx1")
    query, encrypted = envelope.seal(xml, timestamp="1409735669", nonce="n-1")
    query |= {"signature": signature("t-1", "1409735669", "n-1"), "encrypt_type": "aes"}
    return Callback(headers={}, query=query, body=to_xml({"Encrypt": encrypted}).encode(), url="")


def plain(xml: str, **query: str) -> Callback:
    signed = {"timestamp": "1", "nonce": "n", "signature": signature("t-1", "1", "n"), **query}
    return Callback(headers={}, query=signed, body=xml.encode(), url="")


def receipts(callback: Callback, config: dict[str, Any] = CONFIG) -> list[Receipt]:
    return list(provider.adapter("wechat_official", config).receipts(callback))


FINISHED = {
    "ToUserName": "gh_7f083739789a",
    "FromUserName": "oia2TjuEGTNoeX76QEjQNrcURxG8",
    "CreateTime": "1395658920",
    "MsgType": "event",
    "Event": "TEMPLATESENDJOBFINISH",
    "MsgID": "200163836",
    "Status": "success",
}


def test_a_finished_message_is_delivered() -> None:
    (receipt,) = receipts(sealed(FINISHED))
    assert receipt == Receipt(
        provider_id="200163836",
        outcome=Outcome.DELIVERED,
        at=datetime(2014, 3, 24, 11, 2, 0, tzinfo=UTC),
        code="success",
        event_id="oia2TjuEGTNoeX76QEjQNrcURxG8:1395658920:200163836",
    )
    assert receipts(plain(to_xml(FINISHED)), PLAIN) == [receipt]


def test_another_library_reads_the_same_event() -> None:
    event = parse_message(to_xml(FINISHED))
    (receipt,) = receipts(sealed(FINISHED))
    assert (str(event.id), event.status, event.source) == (
        receipt.provider_id,
        receipt.code,
        receipt.event_id.split(":")[0],
    )


def test_a_person_who_blocks_the_account_has_opted_out() -> None:
    undelivered, opted_out = receipts(sealed({**FINISHED, "Status": "failed:user block"}))
    assert (undelivered.provider_id, undelivered.outcome) == ("200163836", Outcome.UNDELIVERED)
    assert (opted_out.address, opted_out.outcome) == ("oia2TjuEGTNoeX76QEjQNrcURxG8", Outcome.OPTED_OUT)
    assert opted_out.provider_id == ""
    assert undelivered.event_id != opted_out.event_id


@pytest.mark.parametrize("status", ["failed: system failed", "something new", ""])
def test_any_other_end_is_undelivered(status: str) -> None:
    (receipt,) = receipts(sealed({**FINISHED, "Status": status}))
    assert (receipt.outcome, receipt.code) == (Outcome.UNDELIVERED, status)


@pytest.mark.parametrize(
    ("event", "outcome"), [("subscribe", Outcome.OPTED_IN), ("unsubscribe", Outcome.OPTED_OUT)]
)
def test_following_and_leaving_speak_of_the_address(event: str, outcome: Outcome) -> None:
    fields = {"FromUserName": "oABC", "CreateTime": "123456789", "MsgType": "event", "Event": event}
    (receipt,) = receipts(sealed(fields))
    assert (receipt.address, receipt.outcome, receipt.provider_id) == ("oABC", outcome, "")


def listed(name: str, *entries: dict[str, str]) -> str:
    inner = "".join(to_xml(each).replace("xml>", "List>") for each in entries)
    head = "<FromUserName>oABC</FromUserName><CreateTime>1610969440</CreateTime><MsgType>event</MsgType>"
    kind = {"Popup": "popup", "Change": "change", "Sent": "sent"}[name]
    return (
        f"<xml>{head}<Event>subscribe_msg_{kind}_event</Event>"
        f"<SubscribeMsg{name}Event>{inner}</SubscribeMsg{name}Event></xml>"
    )


def test_a_subscription_message_ends_with_a_code() -> None:
    entry = {"TemplateId": "T-1", "MsgID": "1700827132819554304", "ErrorCode": "0", "ErrorStatus": "success"}
    (good,) = receipts(sealed(listed("Sent", entry)))
    assert (good.provider_id, good.outcome) == ("1700827132819554304", Outcome.DELIVERED)
    (bad,) = receipts(sealed(listed("Sent", {**entry, "ErrorCode": "43101", "ErrorStatus": "user refuse"})))
    assert (bad.outcome, bad.code, bad.reason) == (Outcome.UNDELIVERED, "43101", "user refuse")


def test_what_people_choose_for_a_template_closes_no_address() -> None:
    entries = [
        {"TemplateId": "T-1", "SubscribeStatusString": "accept", "PopupScene": "2"},
        {"TemplateId": "T-2", "SubscribeStatusString": "reject", "PopupScene": "2"},
    ]
    found = receipts(sealed(listed("Popup", *entries)))
    assert [(each.code, each.reason) for each in found] == [
        ("accept", "template T-1"),
        ("reject", "template T-2"),
    ]
    assert {each.outcome for each in found} == {Outcome.UNKNOWN}
    assert len({each.event_id for each in found}) == 2
    (change,) = receipts(sealed(listed("Change", entries[1])))
    assert change.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("event", ["CLICK", "VIEW", "", "something_new", "subscribe_msg_new_event"])
def test_any_other_event_is_nothing_to_us(event: str) -> None:
    assert receipts(sealed({**FINISHED, "Event": event})) == []
    assert receipts(sealed("<xml><MsgType>text</MsgType><Content>hello</Content></xml>")) == []


@pytest.mark.parametrize("time", ["", "soon", "9" * 30])
def test_a_strange_time_does_no_harm(time: str) -> None:
    (receipt,) = receipts(sealed({**FINISHED, "CreateTime": time}))
    assert receipt.at is None


@pytest.mark.parametrize(
    ("callback", "config"),
    [
        (plain(to_xml(FINISHED), signature="0" * 40), PLAIN),
        (plain(to_xml(FINISHED), nonce="other"), PLAIN),
        (plain(to_xml(FINISHED)), {"appid": "wx1", "secret": "s-1"}),
        (Callback(headers={}, query={}, body=to_xml(FINISHED).encode(), url=""), PLAIN),
        # In safe mode the plain signature says nothing of the body.
        (plain(to_xml(FINISHED)), CONFIG),
        (plain(to_xml({**FINISHED, "Encrypt": "AAAA"}), msg_signature="0" * 40), CONFIG),
        (plain("not xml"), CONFIG),
    ],
)
def test_a_forged_event_is_not_believed(callback: Callback, config: dict[str, Any]) -> None:
    with pytest.raises(ForgedCallback):
        receipts(callback, config)


def test_the_challenge_of_the_console_is_answered_once_it_is_verified() -> None:
    query = {"timestamp": "1", "nonce": "n", "echostr": "4711", "signature": signature("t-1", "1", "n")}
    callback = Callback(headers={}, query=query, body=b"", url="", method="GET")
    adapter = provider.adapter("wechat_official", CONFIG)
    assert list(adapter.receipts(callback)) == []
    assert adapter.reply(callback).body == b"4711"
    with pytest.raises(ForgedCallback):
        list(adapter.receipts(Callback(headers={}, query={"echostr": "1"}, body=b"", url="", method="GET")))


def test_an_event_is_answered_with_success() -> None:
    assert provider.adapter("wechat_official", CONFIG).reply(sealed(FINISHED)).body == b"success"


def test_the_sample_of_itself_is_genuine() -> None:
    specimen = WechatOfficialAdapter.specimen
    assert specimen is not None
    (receipt,) = receipts(sample_event(specimen.config, "m-1"), dict(specimen.config))
    assert (receipt.provider_id, receipt.outcome) == ("m-1", Outcome.DELIVERED)


def test_the_credentials_can_be_tried() -> None:
    async def work(base_url: str) -> str:
        return await provider.adapter("wechat_official", CONFIG, base_url).check()

    assert provider.play({"": TOKEN}, work)[0]


def test_a_large_message_id_is_kept_to_the_last_digit() -> None:
    raw = json.dumps({"errcode": 0, "msgid": 2002283321234567890}).encode()
    sent, _requests = send({"": Answer(body=raw)})
    assert sent == Sent(provider_id="2002283321234567890")
