"""A custom robot in a chat of Feishu or Lark. Its webhook address is a secret; calls can be signed as well."""

import base64
import hmac
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import FEISHU, GroupField, WebhookField, group_of
from channels_app.chat_text import own_message
from channels_app.codes import Meaning
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Capabilities,
    Misconfigured,
    Outgoing,
    Refused,
    SecretField,
    Sent,
    Specimen,
    Throttled,
)
from channels_app.feishu import FeishuApi, card, speaks, text_message, verdict

#: In bytes; Feishu takes 20 KB of the whole message.
TEXT_BYTES = 18_500

#: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
CODES: Mapping[str, Meaning] = {
    "19001": Misconfigured,  # no such robot
    "19021": Misconfigured,  # a wrong secret, or our clock is wrong by more than an hour
    "19022": Misconfigured,  # our IP address is not on the list
    "19024": Refused,  # none of the robot's keywords is in the message
    "9499": Refused,  # a field is wrong
    "11232": partial(Throttled, retry_after=5),  # more than 5 in a second, or 100 in a minute
}


def sign(secret: str, timestamp: int) -> str:
    """Time and secret are the key, and the message is empty. DingTalk has it the other way round."""
    return base64.b64encode(hmac.digest(f"{timestamp}\n{secret}".encode(), b"", "sha256")).decode()


class FeishuRobotAdapter(Adapter):
    name = "feishu_robot"
    label = _("Feishu group robot")
    channel = FEISHU
    capabilities = Capabilities(rate=5, address_rate=100)
    api = FeishuApi(
        verdict=verdict, speaks=speaks, codes=CODES, statuses={404: Misconfigured, 410: Misconfigured}
    )
    specimen = Specimen(
        config={"group": "ops", "hook": "h-1", "secret": "s-1"},
        address="group:ops",
        content={"format": "text", "text": "Disk full."},
        answers={"": {"code": 0, "msg": "success", "data": {}}},
        refusal={"code": 19024, "msg": "Key Words Not Found"},
    )

    class Config(forms.Form):
        group = GroupField()
        hook = WebhookField(
            label=_("Webhook address"),
            help_text=_("In the chat's settings, under Bots, on the page of the robot: the whole address."),
        )
        secret = SecretField(
            required=False,
            label=_("Signing secret"),
            help_text=_("On the same page, where the signature verification is chosen."),
        )
        base_url = BaseURLField(
            "https://open.feishu.cn",
            help_text=_(
                "For Lark, https://open.larksuite.com; else change it only for a proxy or a test server."
            ),
        )

    def takes(self, address: Address) -> bool:
        return group_of(address) == self.config["group"]

    async def send(self, message: Outgoing) -> Sent:
        await self.api.post(
            f"{self.base_url}/open-apis/bot/v2/hook/{quote(self.config['hook'], safe='')}",
            {**self._signature(), **_message(message.content)},
            guard=self.guard,
        )
        return Sent(final=True)

    def _signature(self) -> dict[str, str]:
        secret = self.config.get("secret")
        if not secret:
            return {}
        now = int(time.time())
        return {"timestamp": str(now), "sign": sign(secret, now)}


def _message(content: Mapping[str, Any]) -> dict[str, Any]:
    own = own_message(content)
    if own is not None:
        return own
    if content.get("format") in {"card", "markdown"}:
        return {"msg_type": "interactive", "card": card(content, max_bytes=TEXT_BYTES - 2000)}
    return {"msg_type": "text", "content": text_message(content, max_bytes=TEXT_BYTES)}
