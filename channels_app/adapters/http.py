"""Signed webhooks by Standard Webhooks 1.0.0: https://www.standardwebhooks.com

The receiver verifies with any of that specification's libraries, and drops repetitions by ``webhook-id``.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import WEBHOOK
from channels_app.contract import (
    Adapter,
    Capabilities,
    Outgoing,
    Refused,
    Scope,
    SecretField,
    Sent,
    Specimen,
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.standard_webhooks import PREFIX, key_of, signature

MIN_SECRET, MAX_SECRET = 24, 64

# Every receiver has a URL of its own, so that what one of them answers never speaks of the account; and what
# its owner can mend (a lost key, a moved path, a redirect) is worth another attempt.
STATUS_MEANINGS: Mapping[int, http.Meaning] = {
    **dict.fromkeys((301, 302, 303, 307, 308), Temporary),
    401: Temporary,
    403: Temporary,
    404: Temporary,
    410: Unreachable,  # the receiver asks for no more
    429: partial(Throttled, scope=Scope.ADDRESS),
}


@lru_cache(maxsize=1024)
def secret_bytes(secret: str) -> bytes:
    """The key inside ``whsec_<base64>``; raises ``ValueError``."""
    key = key_of(secret)
    if not secret.startswith(PREFIX) or not MIN_SECRET <= len(key) <= MAX_SECRET:
        raise ValueError("not a signing secret")
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, as it stands in the header."""
    return signature(secret_bytes(secret), message_id, str(timestamp), body)


def signing_secret(value: str) -> None:
    """Form validator."""
    try:
        secret_bytes(value)
    except ValueError:
        raise ValidationError(_("Write whsec_ and then 24 to 64 random bytes in Base64.")) from None


class HttpAdapter(Adapter):
    name = "http"
    label = _("Webhook (Standard Webhooks)")
    channel = WEBHOOK
    capabilities = Capabilities(idempotent=True, timeout=35, one_provider=False, concurrency=200)
    specimen = Specimen(
        config={"secret": "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
        address="{base_url}/hooks",
        content={"event": "order.paid", "data": {"order": 7}},
        answers={"/hooks": b""},
    )

    class Config(forms.Form):
        secret = SecretField(
            validators=[signing_secret],
            label=_("Signing secret"),
            help_text=_("Receivers verify with it: whsec_ and then 24 to 64 random bytes in Base64."),
        )
        previous_secret = SecretField(
            required=False,
            validators=[signing_secret],
            label=_("Previous signing secret"),
            help_text=_("While it is set, calls carry both signatures, so that receivers can change over."),
        )
        timeout_s = forms.IntegerField(
            min_value=1,
            max_value=30,
            initial=15,
            label=_("Timeout"),
            help_text=_("Seconds within which the receiver has to answer."),
        )

    async def send(self, message: Outgoing) -> Sent:
        now = datetime.now(UTC)
        body = payload(message, now)
        reply = await http.call(
            "POST",
            message.address.value,
            headers=self._headers(message.id, int(now.timestamp()), body),
            body=body,
            timeout=self.config.get("timeout_s") or 15,
        )
        _raise_for_status(reply)
        return Sent(provider_id=message.id, final=True, note=f"HTTP status {reply.status}")

    def _headers(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        signatures = sign(self.config["secret"], message_id, timestamp, body)
        if previous := self.config.get("previous_secret"):
            signatures += " " + sign(previous, message_id, timestamp, body)
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures,
        }


#: Quick; but it writes null for what JSON cannot hold.
_quick = msgspec.json.Encoder().encode
_strict = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=msgspec.to_builtins
).encode


def payload(message: Outgoing, now: datetime) -> bytes:
    """The exact bytes that are signed and sent; raises :class:`Refused` for what JSON cannot hold."""
    content = {
        "type": message.content["event"],
        "timestamp": now,
        "data": message.content["data"],
    }
    try:
        body = _quick(content)
        return _strict(content).encode() if b"null" in body else body
    except ValueError:  # NaN, infinity, half a surrogate pair
        raise Refused("the data has a value that JSON cannot hold", code="content") from None


def _raise_for_status(reply: http.Reply) -> None:
    try:
        http.raise_for_status(reply, STATUS_MEANINGS)
    except Throttled as error:
        error.scope = Scope.ADDRESS  # a 503 with Retry-After, too, speaks of this receiver
        raise
