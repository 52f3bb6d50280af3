"""A custom robot in a chat of Feishu: the signature held against a published value, codes."""

import time
from typing import Any

import pytest

from channels_app import registry
from channels_app.adapters.feishu_robot import CODES, sign
from channels_app.contract import ChannelError, Sent
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"group": "ops", "hook": "9f81ba71-9c8f-4a55-bd6f-7a2e9b1d7c7f", "secret": "s-1"}
TEXT = {"format": "text", "title": "Disk", "text": "Disk is full."}
LINK = {"link": "https://example.com/7", "link_label": "Open"}
OK = Answer(body={"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})

MEANINGS = [
    (19001, "param invalid: incoming webhook access token invalid", "Misconfigured"),
    (19021, "sign match fail or timestamp is not within one hour from current time", "Misconfigured"),
    (19022, "Ip Not Allowed", "Misconfigured"),
    (19024, "Key Words Not Found", "Refused"),
    (9499, "Bad Request", "Refused"),
    (11232, "frequency limited psm[lark.oapi.app_platform_runtime]", "Throttled 5"),
    (99999, "nobody knows", "Refused"),
]


def send(answer: Answer, content: dict[str, Any] = TEXT) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("feishu_robot", CONFIG, outgoing("feishu", "group:ops", content), {"": answer})


def posted(content: dict[str, Any]) -> Any:
    result, (request,) = send(OK, content)
    assert result == Sent(final=True)
    return {name: value for name, value in request.json.items() if name not in {"timestamp", "sign"}}


def test_a_text_is_posted_signed_and_with_mentions() -> None:
    _sent, (request,) = send(OK, {**TEXT, "mentions": "all"})
    assert request.path == f"/open-apis/bot/v2/hook/{CONFIG['hook']}"
    assert abs(time.time() - int(request.json["timestamp"])) < 60
    assert request.json["sign"] == sign("s-1", int(request.json["timestamp"]))
    assert request.json["msg_type"] == "text"
    assert request.json["content"] == {"text": 'Disk\nDisk is full.\n<at user_id="all"></at>'}


def test_the_signature_is_the_one_that_another_library_publishes() -> None:
    """go-lark's own test has this value."""
    assert sign("xxx", 1661860880) == "QnWVTSBe6FmQDE0bG6X0mURbI+DnvVyu1h+j5dHOjrU="


def test_a_robot_without_a_secret_is_not_signed() -> None:
    bare = {name: value for name, value in CONFIG.items() if name != "secret"}
    _sent, (request,) = provider.send("feishu_robot", bare, outgoing("feishu", "group:ops", TEXT), {"": OK})
    assert set(request.json) == {"msg_type", "content"}


def test_cards_and_messages_of_the_providers_own() -> None:
    posting = posted({**TEXT, **LINK, "format": "card", "severity": "success"})
    assert posting["msg_type"] == "interactive"
    assert posting["card"]["header"]["template"] == "green"
    assert posting["card"]["elements"][1]["actions"][0]["url"] == "https://example.com/7"
    own = {"msg_type": "share_chat", "content": {"share_chat_id": "oc_1"}}
    assert posted({"payload": own}) == own


@pytest.mark.parametrize("kind", ["text", "markdown", "card"])
def test_the_whole_message_stays_within_its_bytes(kind: str) -> None:
    content = {**TEXT, **LINK, "format": kind, "text": "字" * 10_000}
    _result, (request,) = send(OK, content)
    assert 16_000 < len(request.body) <= 20_000
    assert b"https://example.com/7" in request.body


@pytest.mark.parametrize(("code", "sentence", "expected"), MEANINGS)
@pytest.mark.parametrize(("name", "says"), [("code", "msg"), ("StatusCode", "StatusMessage")])
def test_a_code_means(code: int, sentence: str, expected: str, name: str, says: str) -> None:
    result, _requests = send(Answer(body={name: code, says: sentence, "data": {}}))
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert (result.code, result.detail) == (str(code), sentence)


def test_every_code_of_the_table_has_a_row() -> None:
    assert {str(code) for code, *_rest in MEANINGS} >= set(CODES)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(body=b"<html></html>"), "Temporary maybe_sent"),
        (Answer(body={}), "Temporary maybe_sent"),
        (Answer(status=404, body=b""), "Misconfigured"),
    ],
)
def test_an_answer_that_says_nothing(answer: Answer, expected: str) -> None:
    assert meaning(send(answer)[0]) == expected


@pytest.mark.parametrize(
    ("address", "taken"), [("group:ops", True), ("group:other", False), ("ops", False), ("ou_1", False)]
)
def test_a_robot_takes_its_own_group_alone(address: str, *, taken: bool) -> None:
    robot = provider.adapter("feishu_robot", CONFIG)
    assert robot.takes(outgoing("feishu", address, TEXT).address) is taken


@pytest.mark.parametrize("written", ["h-1", "https://open.feishu.cn/open-apis/bot/v2/hook/h-1", "/hook/h-1/"])
def test_the_whole_webhook_address_or_its_id_may_be_pasted(written: str) -> None:
    config = registry.adapter("feishu_robot").Config({"group": "ops", "hook": written})
    assert config.is_valid(), config.errors
    assert config.cleaned_data["hook"] == "h-1"
