"""An adapter that reports by signed calls, for the tests of the receipt endpoint."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from channels_app.channels import SMS
from channels_app.contract import (
    Adapter,
    Callback,
    Capabilities,
    ForgedCallback,
    HttpReply,
    Outcome,
    Outgoing,
    Receipt,
    SecretField,
    Sent,
)

SIGNATURE = "x-signature"
# What the carrier calls it; an unknown word is a value, too.
OUTCOMES: Mapping[str, Outcome] = {each.value: each for each in Outcome}


class CarrierAdapter(Adapter):
    name = "carrier"
    label = "Carrier"
    channel = SMS
    capabilities = Capabilities(receipts=True)

    class Config(forms.Form):
        secret = SecretField()

    async def send(self, message: Outgoing) -> Sent:
        return Sent(provider_id=f"carrier-{message.id}")

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        if callback.headers.get(SIGNATURE) != self.config["secret"]:
            raise ForgedCallback("another signature")
        for each in json.loads(callback.body) if callback.method == "POST" else ():
            yield self._receipt(each)

    def _receipt(self, each: Mapping[str, Any]) -> Receipt:
        return Receipt(
            provider_id=each["id"],
            delivery_id=each.get("reference", ""),
            address=each.get("to", ""),
            outcome=OUTCOMES.get(each["status"], Outcome.UNKNOWN),
            code=each.get("code", ""),
            event_id=each.get("event", ""),
        )

    def reply(self, callback: Callback) -> HttpReply:
        if callback.method == "GET":
            return HttpReply(body=callback.query["challenge"].encode())
        return HttpReply(body=b"<ok/>", content_type="text/xml")
