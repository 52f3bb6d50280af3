"""DingTalk work notices: what is sent, codes, the page in HTML, and what became of a notice."""

from collections.abc import Sequence
from typing import Any

import pytest

from channels_app.adapters.dingtalk_notice import CODES, POLL_AFTER
from channels_app.contract import ChannelError, Outcome, Receipt, Sent
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"app_key": "dingkey", "app_secret": "s-1", "agent_id": 1004219}
TEXT = {"format": "text", "title": "Paid", "text": "Order 7 is paid."}
LINK = {"link": "https://example.com/7", "link_label": "Open"}
ID = "0190f3a0-1111-7222-8333-44441a2b3c4d"
MESSAGE = outgoing("dingtalk", "manager4220", TEXT, id=ID)
TOKEN = Answer(body={"errcode": 0, "errmsg": "ok", "access_token": "token-1", "expires_in": 7200})
OK = Answer(body={"errcode": 0, "task_id": 256271667526, "request_id": "4jzllmte0wau"})
PAGE = b"<!doctype html><html><body>Sorry, we have detected unusual traffic</body></html>"

MEANINGS = [
    (33012, "无效的USERID", "Unreachable"),
    (60121, "找不到该用户", "Unreachable"),
    (90002, "触发全局限流", "Throttled 20"),
    (90018, "您的服务器调用钉钉开放平台所有接口的请求都被暂时禁用了", "Throttled 5"),
    (90019, "触发限流", "Throttled 5"),
    (143103, "企业单应用消息发送人次QPM超限", "Throttled 60"),
    (143104, "企业每分钟发送人次QPM超限", "Throttled 60"),
    (143203, "ISV单应用发送给单企业人次QPM超限", "Throttled 60"),
    (143204, "ISV单应用发送给所有企业人次QPM超限", "Throttled 60"),
    (1430003, "触发OAPI系统保护", "Throttled 60"),
    (143105, "单应用给单人每日推送量超限", "Throttled until 0:00 address"),
    (143205, "单应用给单人每日推送量超限", "Throttled until 0:00 address"),
    (143106, "单应用给单人推送重复消息超限", "Sent final"),
    (143206, "单应用给单人推送重复消息超限", "Sent final"),
    (40001, "获取access_token时Secret错误", "Misconfigured"),
    (40078, "不存在的临时授权码", "Misconfigured"),
    (40089, "不合法的corpid或corpsecret", "Misconfigured"),
    (60011, "没有调用该接口的权限", "Misconfigured"),
    (60020, "访问ip不在白名单之中", "Misconfigured"),
    (90020, "月调用量已用完", "Misconfigured"),
    (88, "鉴权异常", "Misconfigured"),
    (1430002, "包含违禁内容", "Refused"),
    (33003, "无效的参数", "Refused"),
    (1430001, "未识别的grantType", "Refused"),
    (-1, "系统繁忙", "Temporary"),
    (99999, "nobody knows", "Refused"),
]
STALE = [
    {"errcode": 40014, "errmsg": "不合法的access_token"},
    {"errcode": 42001, "errmsg": "access_token超时"},
    {"errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token", "errmsg": "ding talk error"},
]


def send(script: provider.Script, message: Any = MESSAGE) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("dingtalk_notice", CONFIG, message, {"gettoken": TOKEN, **script})


def shown(content: dict[str, Any]) -> Any:
    result, requests = send({"": OK}, outgoing("dingtalk", "manager4220", content, id=ID))
    assert meaning(result) == "Sent"
    return requests[-1].json["msg"]


def test_a_notice_is_queued_and_that_is_not_the_end() -> None:
    sent, (token, request) = send({"": OK})
    assert sent == Sent(provider_id="256271667526", final=False)
    assert (token.method, token.path) == ("GET", "/gettoken")
    assert token.query == {"appkey": "dingkey", "appsecret": "s-1"}
    assert request.path == "/topapi/message/corpconversation/asyncsend_v2"
    assert request.query == {"access_token": "token-1"}
    assert request.json == {
        "agent_id": 1004219,
        "userid_list": "manager4220",
        "msg": {"msgtype": "text", "text": {"content": "Paid\nOrder 7 is paid.\n[1a2b3c4d]"}},
    }


def test_the_same_words_in_two_notices_are_two_texts_and_a_repeated_attempt_is_one() -> None:
    """A text that a person has had on that day is dropped without a word."""
    texts = {
        name: send({"": OK}, outgoing("dingtalk", "manager4220", TEXT, id=delivery, attempt=attempt))[1][
            -1
        ].json
        for name, delivery, attempt in (("first", ID, 1), ("again", ID, 2), ("other", ID[:-1] + "e", 1))
    }
    assert texts["first"] == texts["again"] != texts["other"]


def test_markdown_and_cards() -> None:
    markdown = {"title": "Paid", "text": "### Paid\n\nOrder 7 is paid.\n\n[1a2b3c4d]"}
    assert shown({**TEXT, "format": "markdown"}) == {"msgtype": "markdown", "markdown": markdown}
    assert shown({**TEXT, "format": "card"})["msgtype"] == "markdown"
    assert shown({**TEXT, **LINK, "format": "card"}) == {
        "msgtype": "action_card",
        "action_card": {
            "title": "Paid",
            "markdown": "### Paid\n\nOrder 7 is paid.\n\n[1a2b3c4d]",
            "single_title": "Open",
            "single_url": "https://example.com/7",
        },
    }
    own = {"msgtype": "oa", "oa": {"message_url": "https://example.com"}}
    assert shown({"payload": own}) == own


@pytest.mark.parametrize("text", ["字" * 2000, "字\n" * 2000, 'x"' * 2000])
@pytest.mark.parametrize("kind", ["text", "markdown", "card"])
def test_the_whole_message_stays_within_its_bytes(kind: str, text: str) -> None:
    content = {**TEXT, **LINK, "format": kind, "text": text}
    _result, requests = send({"": OK}, outgoing("dingtalk", "manager4220", content, id=ID))
    body = requests[-1].body
    msg = body[body.index(b'"msg":') + 6 : -1]
    assert 1400 < len(msg) <= 2048
    assert b"example.com/7" in msg
    assert b"1a2b3c4d" in msg


@pytest.mark.parametrize(("code", "sentence", "expected"), MEANINGS)
def test_a_code_means(code: int, sentence: str, expected: str) -> None:
    result, _requests = send({"": Answer(body={"errcode": code, "errmsg": sentence, "request_id": "r"})})
    assert meaning(result) == expected
    if isinstance(result, ChannelError):
        assert (result.code, result.detail) == (str(code), sentence)


def test_every_code_of_the_table_has_a_row() -> None:
    rows = {str(code) for code, *_rest in MEANINGS} | {str(each["errcode"]) for each in STALE}
    assert rows >= set(CODES)


def test_of_a_failed_authorisation_the_reason_is_in_the_sub_code() -> None:
    body = {
        "errcode": 88,
        "sub_code": "60011",
        "sub_msg": "没有调用该接口的权限",
        "errmsg": "ding talk error",
    }
    result, _requests = send({"": Answer(body=body)})
    assert isinstance(result, ChannelError)
    assert (meaning(result), result.code, result.detail) == ("Misconfigured", "60011", "没有调用该接口的权限")


@pytest.mark.parametrize("body", STALE)
def test_a_stale_token_is_fetched_anew_once(body: dict[str, Any]) -> None:
    tokens = [TOKEN, Answer(body={"errcode": 0, "access_token": "token-2", "expires_in": 7200})]
    result, requests = send({"gettoken": tokens, "": [Answer(body=body), OK]})
    assert meaning(result) == "Sent"
    assert [each.query.get("access_token", "") for each in requests] == ["", "token-1", "", "token-2"]


@pytest.mark.parametrize("status", [200, 403, 429, 503])
@pytest.mark.parametrize("where", ["gettoken", "asyncsend"])
def test_the_limit_of_calls_from_one_address_answers_with_a_page(status: int, where: str) -> None:
    expected = {429: "Throttled 1", 503: "Temporary"}.get(status, "Throttled 300")
    page = Answer(status=status, body=PAGE)
    assert meaning(send({where: page, "": OK} if where == "asyncsend" else {where: page})[0]) == expected


def test_an_answer_without_a_code_leaves_doubt() -> None:
    assert meaning(send({"": Answer(body={})})[0]) == "Temporary maybe_sent"


def test_no_token_means_that_nothing_was_sent() -> None:
    assert meaning(send({"gettoken": Answer(body={"errcode": 40089, "errmsg": "no"})})[0]) == "Misconfigured"
    assert meaning(send({"gettoken": Answer(body={})})[0]) == "Temporary"


def test_an_address_that_would_reach_others_is_never_called() -> None:
    result, requests = send({"": OK}, outgoing("dingtalk", "a,b", TEXT))
    assert meaning(result) == "Unreachable"
    assert requests == []


# What became of it.


def poll(*answers: Answer, task: str = "256271667526") -> tuple[Sequence[Receipt], list[Request]]:
    async def work(base_url: str) -> Sequence[Receipt]:
        return await provider.adapter("dingtalk_notice", CONFIG, base_url).poll(task)

    return provider.play({"gettoken": TOKEN, "": answers}, work)


def result(**lists: Any) -> Answer:
    return Answer(body={"errcode": 0, "errmsg": "ok", "send_result": lists})


def forbidden(code: str) -> dict[str, Any]:
    entry = {"code": code, "count": 500, "userid": "manager4220"}
    return {"forbidden_user_id_list": ["manager4220"], "forbidden_list": [entry]}


OUTCOMES = [
    ({"unread_user_id_list": ["manager4220"]}, [(Outcome.DELIVERED, "unread")]),
    ({"read_user_id_list": ["manager4220"]}, [(Outcome.DELIVERED, "read"), (Outcome.OPENED, "read")]),
    ({"invalid_user_id_list": ["manager4220"]}, [(Outcome.UNDELIVERED, "invalid")]),
    ({"failed_user_id_list": ["manager4220"]}, [(Outcome.UNDELIVERED, "failed")]),
    ({"failed_user_id_list": "manager4220"}, [(Outcome.UNDELIVERED, "failed")]),
    ({"forbidden_user_id_list": ["manager4220"]}, [(Outcome.UNDELIVERED, "forbidden")]),
    (forbidden("143103"), [(Outcome.UNDELIVERED, "143103")]),
    (forbidden("143104"), [(Outcome.UNDELIVERED, "143104")]),
    (forbidden("143105"), [(Outcome.UNDELIVERED, "143105")]),
    (forbidden("143106"), [(Outcome.DELIVERED, "143106")]),
    (forbidden("143203"), [(Outcome.UNDELIVERED, "143203")]),
    (forbidden("143204"), [(Outcome.UNDELIVERED, "143204")]),
    (forbidden("143205"), [(Outcome.UNDELIVERED, "143205")]),
    (forbidden("143206"), [(Outcome.DELIVERED, "143206")]),
    (forbidden("something new"), [(Outcome.UNDELIVERED, "something new")]),
    ({"invalid_user_id_list": [], "read_user_id_list": []}, []),
    ({}, []),
]


@pytest.mark.parametrize(("lists", "expected"), OUTCOMES)
def test_a_result_says_who_has_it(lists: dict[str, Any], expected: list[tuple[Outcome, str]]) -> None:
    receipts, _requests = poll(result(**lists))
    assert [(each.outcome, each.code) for each in receipts] == expected
    assert {(each.provider_id, each.address) for each in receipts} <= {("256271667526", "manager4220")}


def test_a_result_is_asked_for_by_the_task() -> None:
    _receipts, (_token, request) = poll(result())
    assert request.path == "/topapi/message/corpconversation/getsendresult"
    assert request.query == {"access_token": "token-1"}
    assert request.json == {"agent_id": 1004219, "task_id": 256271667526}


def test_the_same_result_twice_is_one_receipt() -> None:
    first, second = (poll(result(read_user_id_list=["manager4220"]))[0] for _ in range(2))
    assert first == second
    assert len({each.event_id for each in first}) == 2


@pytest.mark.parametrize("body", [{"errcode": 0}, {"errcode": 0, "send_result": []}])
def test_no_result_yet_is_no_receipt(body: dict[str, Any]) -> None:
    assert list(poll(Answer(body=body))[0]) == []


def test_asking_fails_as_sending_does() -> None:
    with pytest.raises(ChannelError) as caught:
        poll(Answer(body=PAGE))
    assert meaning(caught.value) == "Throttled 300"


def test_results_are_asked_for_within_the_day_for_which_they_are_kept() -> None:
    assert provider.adapter("dingtalk_notice", CONFIG).capabilities.poll_after == POLL_AFTER
    assert max(POLL_AFTER) < 24 * 3600


def test_the_credentials_can_be_tried() -> None:
    async def work(base_url: str) -> str:
        return await provider.adapter("dingtalk_notice", CONFIG, base_url).check()

    assert provider.play({"": TOKEN}, work)[0]
