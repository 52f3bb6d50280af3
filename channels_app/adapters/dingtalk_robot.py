"""A robot in a group of DingTalk. Its webhook address is a secret; calls can be signed as well.

One code stands for three faults, which only the sentence tells apart. More than 20 messages in a minute close the
robot for ten minutes.
"""

import base64
import hmac
import re
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import DINGTALK, GroupField, WebhookField, group_of
from channels_app.chat_text import EVERYBODY, markdown, mentions, own_message, part, plain
from channels_app.codes import Meaning
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Capabilities,
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    SecretField,
    Sent,
    Specimen,
    Temporary,
    Throttled,
)
from channels_app.json_api import JsonApi, text_at

#: The robot takes 20,000 bytes for the whole message.
TEXT_BYTES = 18_000
MOBILE = re.compile(r"1\d{10}")
banned = partial(Throttled, code="ip_limit", retry_after=300)
#: What the sentence beside 310000 contains, in lower case; the order counts.
SENTENCES: Mapping[str, Meaning] = {
    "timestamp": Temporary,  # our clock is wrong by more than an hour
    "sign": Misconfigured,  # another secret
    "签名": Misconfigured,
    "whitelist": Misconfigured,  # our IP address is not on the list
    "keyword": Refused,  # none of the robot's keywords is in the message
    "关键词": Refused,
}


def rejected(detail: str = "", *, code: str = "") -> ChannelError:
    said = detail.lower()
    meaning = next((meaning for word, meaning in SENTENCES.items() if word in said), Refused)
    return meaning(detail, code=code)


#: https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages
CODES: Mapping[str, Meaning] = {
    "310000": rejected,
    "300001": Misconfigured,  # no such robot
    "300005": Misconfigured,  # no such token
    "130101": partial(Throttled, retry_after=600),  # more than 20 in a minute
    "90018": partial(Throttled, retry_after=5),
    "-1": Temporary,  # busy
}


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    code, detail = text_at(answer, "errcode"), text_at(answer, "errmsg")
    if "token is not exist" in detail:
        return "300005", detail
    return ("" if code == "0" else code), detail


def sign(secret: str, timestamp_ms: int) -> str:
    """The secret is the key and, behind the time, the message, too. Feishu has it the other way round."""
    message = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), message, "sha256")).decode()


class DingtalkRobotAdapter(Adapter):
    name = "dingtalk_robot"
    label = _("DingTalk group robot")
    channel = DINGTALK
    capabilities = Capabilities(address_rate=20)
    api = JsonApi(
        verdict=verdict,
        speaks=lambda answer: "errcode" in answer,
        codes=CODES,
        statuses={403: banned, 404: Misconfigured, 410: Misconfigured},
        not_json=lambda detail="", **_fields: banned(detail),
    )
    specimen = Specimen(
        config={"group": "ops", "access_token": "a-1", "secret": "SEC1"},
        address="group:ops",
        content={"format": "text", "text": "Disk full."},
        answers={"": {"errcode": 0, "errmsg": "ok"}},
        refusal={"errcode": 310000, "errmsg": "keywords not in content"},
    )

    class Config(forms.Form):
        group = GroupField()
        access_token = WebhookField(
            parameter="access_token",
            label=_("Webhook address"),
            help_text=_(
                "In the group's settings, under Bots, on the page of the robot: the whole address, or its token."
            ),
        )
        secret = SecretField(
            required=False,
            label=_("Signing secret"),
            help_text=_("On the same page, where the additional signature is chosen; it begins with SEC."),
        )
        base_url = BaseURLField("https://oapi.dingtalk.com")

    def takes(self, address: Address) -> bool:
        return group_of(address) == self.config["group"]

    async def send(self, message: Outgoing) -> Sent:
        await self.api.post(
            f"{self.base_url}/robot/send", _message(message.content), query=self._query(), guard=self.guard
        )
        return Sent(final=True)

    def _query(self) -> dict[str, str]:
        query, secret = {"access_token": self.config["access_token"]}, self.config.get("secret")
        if secret:
            now = time.time_ns() // 1_000_000
            query |= {"timestamp": str(now), "sign": sign(secret, now)}
        return query


def _message(content: Mapping[str, Any]) -> dict[str, Any]:
    own = own_message(content)
    if own is not None:
        return own
    people = mentions(content)
    at = {
        "atUserIds": [each for each in people if each != EVERYBODY and not MOBILE.fullmatch(each)],
        "atMobiles": [each for each in people if MOBILE.fullmatch(each)],
        "isAtAll": EVERYBODY in people,
    }
    named = " ".join(f"@{each}" for each in people if each != EVERYBODY)
    return {**_body(content, named), "at": at}


def _body(content: Mapping[str, Any], named: str) -> dict[str, Any]:
    if content.get("format") not in {"card", "markdown"}:
        return {"msgtype": "text", "text": {"content": plain(content, max_bytes=TEXT_BYTES, tail=named)}}
    title = part(content, "title") or part(content, "text")[:20]
    if content.get("format") == "card" and content.get("link"):
        text = markdown({**content, "link": ""}, max_bytes=TEXT_BYTES, tail=named)
        label = part(content, "link_label") or title
        card = {"title": title, "text": text, "singleTitle": label, "singleURL": part(content, "link")}
        return {"msgtype": "actionCard", "actionCard": card}
    text = markdown(content, max_bytes=TEXT_BYTES, tail=named)
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}
