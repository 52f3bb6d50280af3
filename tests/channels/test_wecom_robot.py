"""A robot in a group of WeCom: what is posted, and codes."""

from typing import Any

import pytest

from channels_app import registry
from channels_app.adapters.wecom_robot import CODES
from channels_app.contract import ChannelError, SecretField, Sent
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"group": "ops", "key": "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"}
TEXT = {"format": "text", "title": "Disk", "text": "Disk is full."}
LINK = {"link": "https://example.com/7", "link_label": "Open"}
OK = Answer(body={"errcode": 0, "errmsg": "ok"})

MEANINGS = [
    (45009, "api freq out of limit", "Throttled 60"),
    (93000, "invalid webhook url", "Misconfigured"),
    (-1, "system busy", "Temporary"),
    (40008, "invalid message type", "Refused"),
    (40058, "invalid request parameter", "Refused"),
    (44004, "text content is empty", "Refused"),
    (45002, "content size out of limit", "Refused"),
    (99999, "nobody knows", "Refused"),
]


def send(answer: Answer, content: dict[str, Any] = TEXT) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("wecom_robot", CONFIG, outgoing("wecom", "group:ops", content), {"": answer})


def posted(content: dict[str, Any]) -> Any:
    result, (request,) = send(OK, content)
    assert result == Sent(final=True)
    return request.json


def test_a_text_is_posted_with_the_key_and_mentions() -> None:
    sent, (request,) = send(OK, {**TEXT, "mentions": "zhangsan, all"})
    assert sent == Sent(final=True)
    assert (request.path, request.query) == ("/cgi-bin/webhook/send", {"key": CONFIG["key"]})
    assert request.json == {
        "msgtype": "text",
        "text": {"content": "Disk\nDisk is full.", "mentioned_list": ["zhangsan", "@all"]},
    }


def test_markdown_is_coloured_and_names_people() -> None:
    content = {**TEXT, "format": "markdown", "severity": "success", "mentions": "zhangsan"}
    assert posted(content) == {
        "msgtype": "markdown",
        "markdown": {"content": '### <font color="info">Disk</font>\n\nDisk is full.\n\n<@zhangsan>'},
    }
    assert posted({**TEXT, "format": "card"})["markdown"]["content"].startswith("### Disk")
    assert posted({**TEXT, "format": "markdown", "title": ""})["markdown"]["content"] == "Disk is full."


def test_a_card_with_a_link_is_an_article_within_its_bytes() -> None:
    content = {**TEXT, **LINK, "format": "card", "title": "字" * 100, "text": "字" * 600}
    (article,) = posted(content)["news"]["articles"]
    assert 120 < len(article["title"].encode()) <= 128
    assert 500 < len(article["description"].encode()) <= 512
    assert article["url"] == "https://example.com/7"


@pytest.mark.parametrize(("kind", "limit"), [("text", 2048), ("markdown", 4096)])
def test_the_limit_is_in_bytes(kind: str, limit: int) -> None:
    content = posted({**TEXT, **LINK, "format": kind, "text": "字" * 2000})[kind]["content"]
    assert limit - 4 < len(content.encode()) <= limit
    assert "https://example.com/7" in content


def test_a_message_of_the_providers_own_goes_out_as_it_is() -> None:
    own = {"msgtype": "template_card", "template_card": {"card_type": "text_notice"}}
    assert posted({"payload": own}) == own


@pytest.mark.parametrize(("code", "sentence", "expected"), MEANINGS)
def test_a_code_means(code: int, sentence: str, expected: str) -> None:
    result, _requests = send(Answer(body={"errcode": code, "errmsg": sentence}))
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
    ("address", "taken"), [("group:ops", True), ("group:other", False), ("ops", False), ("zhangsan", False)]
)
def test_a_robot_takes_its_own_group_alone(address: str, *, taken: bool) -> None:
    robot = provider.adapter("wecom_robot", CONFIG)
    assert robot.takes(outgoing("wecom", address, TEXT).address) is taken


@pytest.mark.parametrize(
    "written", ["k-1", " k-1 ", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k-1", "?a=b&key=k-1"]
)
def test_the_whole_webhook_address_or_its_key_may_be_pasted(written: str) -> None:
    config = registry.adapter("wecom_robot").Config({"group": "ops", "key": written})
    assert config.is_valid(), config.errors
    assert config.cleaned_data["key"] == "k-1"
    assert isinstance(config.fields["key"], SecretField)
