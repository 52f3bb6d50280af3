"""Pagers: a channel that Push Center does not know, through a provider that it does not know."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.codes import Meaning
from channels_app.contract import (
    Adapter,
    BaseURLField,
    Callback,
    Capabilities,
    Channel,
    ForgedCallback,
    Outcome,
    Outgoing,
    Receipt,
    SecretField,
    Sent,
    Specimen,
    TextSource,
    Unreachable,
)
from channels_app.json_api import JsonApi, json_object, text_at

SIGNATURE = "x-pager-signature"
CODES: Mapping[str, Meaning] = {
    "no_such_pager": Unreachable,
}
OUTCOMES = {"shown": Outcome.DELIVERED, "lost": Outcome.UNDELIVERED}


class PagerContent(forms.Form):
    """What a pager shows: one line."""

    line = TextSource(max_length=200, max_chars=40, too_long="cut", label=_("Line"))
    beeps = forms.ChoiceField(choices=[("1", "1"), ("3", "3")], initial="1", label=_("Beeps"))


def pager_number(value: str) -> str:
    digits = value.replace("-", "").strip()
    if not digits.isdecimal() or len(digits) != 7:
        raise ValueError("A pager has a number of seven digits, such as 555-0142.")
    return digits


PAGER = Channel(
    name="pager",
    label=_("Pager"),
    address_kind="pager_number",
    content=PagerContent,
    normalise=pager_number,
)


def sign(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sample_receipt(config: Mapping[str, Any], provider_id: str) -> Callback:
    body = json.dumps({"page": provider_id, "state": "shown"}).encode()
    return Callback(headers={SIGNATURE: sign(config["secret"], body)}, query={}, body=body, url="")


class PagerAdapter(Adapter):
    name = "pager"
    label = _("Pager company")
    channel = PAGER
    capabilities = Capabilities(receipts=True, idempotent=True)
    api = JsonApi(verdict=lambda answer: (text_at(answer, "error"), ""), codes=CODES)
    specimen = Specimen(
        config={"secret": "pager-secret"},
        address="555-0142",
        content={"line": "Server room is warm", "beeps": "3"},
        answers={"/pages": {"page": "p-1"}},
        refusal={"error": "no_such_pager"},
        receipt=sample_receipt,
    )

    class Config(forms.Form):
        secret = SecretField(label=_("Secret"), help_text=_("On the contract's first page."))
        base_url = BaseURLField("https://api.pager.example")

    async def send(self, message: Outgoing) -> Sent:
        answer = await self.api.post(
            f"{self.base_url}/pages",
            {"to": message.address.value, "id": message.id, **message.content},
            headers={"authorization": f"Bearer {self.config['secret']}"},
            guard=self.guard,
        )
        return Sent(provider_id=text_at(answer.data, "page"))

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        expected = sign(self.config["secret"], callback.body)
        if not hmac.compare_digest(expected, callback.headers.get(SIGNATURE, "")):
            raise ForgedCallback("the signature does not fit")
        report = json_object(callback.body) or {}
        yield Receipt(
            provider_id=text_at(report, "page"),
            outcome=OUTCOMES.get(text_at(report, "state"), Outcome.UNKNOWN),
        )
