"""A robot in a group of WeCom. Its webhook address is the secret: whoever knows it can post."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import WECOM, GroupField, WebhookField, group_of
from channels_app.chat_text import EVERYBODY, cut, markdown, mentions, own_message, part, plain
from channels_app.codes import Meaning
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Capabilities,
    Misconfigured,
    Outgoing,
    Refused,
    Sent,
    Specimen,
    Temporary,
    Throttled,
)
from channels_app.json_api import JsonApi
from channels_app.wecom import heading
from channels_app.weixin import speaks, verdict

#: In bytes of UTF-8.
TEXT_BYTES, MARKDOWN_BYTES = 2048, 4096
NEWS_TITLE, NEWS_TEXT = 128, 512

#: https://developer.work.weixin.qq.com/document/path/90313
CODES: Mapping[str, Meaning] = {
    "-1": Temporary,  # busy
    "45009": partial(Throttled, retry_after=60),  # more than 20 in a minute
    "93000": Misconfigured,  # no such robot
    "40008": Refused,  # no such type of message
    "40058": Refused,  # a field is wrong
    "44004": Refused,  # nothing in it
    "45002": Refused,  # too long
}


class WecomRobotAdapter(Adapter):
    name = "wecom_robot"
    label = _("WeCom group robot")
    channel = WECOM
    capabilities = Capabilities(address_rate=20)
    api = JsonApi(
        verdict=verdict, speaks=speaks, codes=CODES, statuses={404: Misconfigured, 410: Misconfigured}
    )
    specimen = Specimen(
        config={"group": "ops", "key": "k-1"},
        address="group:ops",
        content={"format": "text", "text": "Disk full."},
        answers={"": {"errcode": 0, "errmsg": "ok"}},
        refusal={"errcode": 44004, "errmsg": "text content is empty"},
    )

    class Config(forms.Form):
        group = GroupField()
        key = WebhookField(
            parameter="key",
            label=_("Webhook address"),
            help_text=_(
                "In the group, under Group robots, on the page of the robot: the whole address, or its key."
            ),
        )
        base_url = BaseURLField("https://qyapi.weixin.qq.com")

    def takes(self, address: Address) -> bool:
        return group_of(address) == self.config["group"]

    async def send(self, message: Outgoing) -> Sent:
        await self.api.post(
            f"{self.base_url}/cgi-bin/webhook/send",
            _message(message.content),
            query={"key": self.config["key"]},
            guard=self.guard,
        )
        return Sent(final=True)


def _message(content: Mapping[str, Any]) -> dict[str, Any]:
    own = own_message(content)
    if own is not None:
        return own
    if content.get("format") == "card" and content.get("link"):
        return {"msgtype": "news", "news": {"articles": [_article(content)]}}
    if content.get("format") in {"card", "markdown"}:
        named = " ".join(f"<@{each}>" for each in _mentioned(content))
        text = markdown(content, max_bytes=MARKDOWN_BYTES, title=heading(content), tail=named)
        return {"msgtype": "markdown", "markdown": {"content": text}}
    shown = plain(content, max_bytes=TEXT_BYTES)
    return {"msgtype": "text", "text": {"content": shown, "mentioned_list": _mentioned(content)}}


def _mentioned(content: Mapping[str, Any]) -> list[str]:
    return ["@all" if each == EVERYBODY else each for each in mentions(content)]


def _article(content: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": cut(part(content, "title"), max_bytes=NEWS_TITLE),
        "description": cut(part(content, "text"), max_bytes=NEWS_TEXT),
        "url": part(content, "link"),
    }
