"""A robot in a group of DingTalk: the signature held against Apprise, codes, the three faults of one code."""

import time
from typing import Any
from urllib.parse import unquote

import pytest

from channels_app import registry
from channels_app.adapters.dingtalk_robot import CODES, sign
from channels_app.contract import ChannelError, Sent
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"group": "ops", "access_token": "566cc69da782ec33e42541b", "secret": "SEC8a9d"}
TEXT = {"format": "text", "title": "Disk", "text": "Disk is full."}
LINK = {"link": "https://example.com/7", "link_label": "Open"}
OK = Answer(body={"errcode": 0, "errmsg": "ok"})
PAGE = b"<!doctype html><html><body>unusual traffic</body></html>"

MEANINGS = [
    (310000, "keywords not in content, more: [https://ding-doc.dingtalk.com]", "Refused"),
    (310000, "sign not match, more: [https://ding-doc.dingtalk.com]", "Misconfigured"),
    (310000, "签名不匹配", "Misconfigured"),
    (310000, "invalid timestamp, more: [https://ding-doc.dingtalk.com]", "Temporary"),
    (310000, "ip 1.1.1.1 not in whitelist, more: [https://ding-doc.dingtalk.com]", "Misconfigured"),
    (310000, "something new", "Refused"),
    (300001, "token is not exist", "Misconfigured"),
    (300001, "参数错误", "Misconfigured"),
    (300005, "token is not exist", "Misconfigured"),
    (400101, "token is not exist", "Misconfigured"),
    (130101, "send too fast, exceed 20 times per minute", "Throttled 600"),
    (90018, "qps", "Throttled 5"),
    (-1, "系统繁忙", "Temporary"),
    (99999, "nobody knows", "Refused"),
]


def send(answer: Answer, content: dict[str, Any] = TEXT) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("dingtalk_robot", CONFIG, outgoing("dingtalk", "group:ops", content), {"": answer})


def posted(content: dict[str, Any]) -> Any:
    result, (request,) = send(OK, content)
    assert result == Sent(final=True)
    return request.json


def test_a_text_is_posted_signed_and_with_mentions() -> None:
    _sent, (request,) = send(OK, {**TEXT, "mentions": "manager4220, 13800138000, all"})
    assert request.path == "/robot/send"
    assert request.query["access_token"] == CONFIG["access_token"]
    assert abs(time.time() * 1000 - int(request.query["timestamp"])) < 60_000
    assert request.query["sign"] == sign(CONFIG["secret"], int(request.query["timestamp"]))
    assert request.json == {
        "msgtype": "text",
        "text": {"content": "Disk\nDisk is full.\n@manager4220 @13800138000"},
        "at": {"atUserIds": ["manager4220"], "atMobiles": ["13800138000"], "isAtAll": True},
    }


def test_another_library_signs_in_the_same_way() -> None:
    from apprise.plugins.dingtalk import NotifyDingTalk

    timestamp, signature = NotifyDingTalk(token="abc", secret="SECabc", targets=[]).get_signature()
    assert sign("SECabc", int(timestamp)) == unquote(signature)


def test_key_and_message_are_not_those_of_feishu() -> None:
    from channels_app.adapters import feishu_robot

    assert sign("s", 1661860880) != feishu_robot.sign("s", 1661860880)


def test_a_robot_without_a_secret_is_not_signed() -> None:
    bare = {name: value for name, value in CONFIG.items() if name != "secret"}
    _sent, (request,) = provider.send(
        "dingtalk_robot", bare, outgoing("dingtalk", "group:ops", TEXT), {"": OK}
    )
    assert request.query == {"access_token": CONFIG["access_token"]}


def test_markdown_and_cards() -> None:
    markdown = posted({**TEXT, "format": "markdown", "mentions": "manager4220"})["markdown"]
    assert markdown == {"title": "Disk", "text": "### Disk\n\nDisk is full.\n\n@manager4220"}
    assert posted({**TEXT, "format": "card"})["msgtype"] == "markdown"
    card = posted({**TEXT, **LINK, "format": "card"})["actionCard"]
    assert card == {
        "title": "Disk",
        "text": "### Disk\n\nDisk is full.",
        "singleTitle": "Open",
        "singleURL": "https://example.com/7",
    }
    assert posted({"payload": {"msgtype": "feedCard"}}) == {"msgtype": "feedCard"}


@pytest.mark.parametrize(("code", "sentence", "expected"), MEANINGS)
def test_a_code_means(code: int, sentence: str, expected: str) -> None:
    result, _requests = send(Answer(body={"errcode": code, "errmsg": sentence}))
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert result.detail == sentence


def test_every_code_of_the_table_has_a_row() -> None:
    assert {str(code) for code, *_rest in MEANINGS} >= set(CODES)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(body=PAGE), "Throttled 300"),
        (Answer(status=403, body=PAGE), "Throttled 300"),
        (Answer(body={}), "Temporary maybe_sent"),
        (Answer(status=502, body=PAGE), "Temporary maybe_sent"),
    ],
)
def test_a_page_where_json_was_due(answer: Answer, expected: str) -> None:
    assert meaning(send(answer)[0]) == expected


@pytest.mark.parametrize(
    ("address", "taken"), [("group:ops", True), ("group:other", False), ("ops", False), ("manager", False)]
)
def test_a_robot_takes_its_own_group_alone(address: str, *, taken: bool) -> None:
    robot = provider.adapter("dingtalk_robot", CONFIG)
    assert robot.takes(outgoing("dingtalk", address, TEXT).address) is taken


@pytest.mark.parametrize("written", ["a-1", "https://oapi.dingtalk.com/robot/send?access_token=a-1"])
def test_the_whole_webhook_address_or_its_token_may_be_pasted(written: str) -> None:
    config = registry.adapter("dingtalk_robot").Config({"group": "ops", "access_token": written})
    assert config.is_valid(), config.errors
    assert config.cleaned_data["access_token"] == "a-1"
