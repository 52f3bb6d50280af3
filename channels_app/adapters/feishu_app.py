"""Messages of an app's bot in Feishu or Lark, to people and to chats.

Our id goes with each message: the same id reaches the same place once within an hour. Events say who has read a
message and who has used the buttons of a card; they are signed and encrypted.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import FEISHU, group_of
from channels_app.chat_text import own_message
from channels_app.codes import STALE_TOKEN, Meaning, with_token
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Callback,
    Capabilities,
    ChannelError,
    ForgedCallback,
    HttpReply,
    Misconfigured,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Scope,
    SecretField,
    Sent,
    Specimen,
    Throttled,
    Unreachable,
)
from channels_app.feishu import FeishuApi, card, speaks, text_message, verdict
from channels_app.json_api import Answer, json_object, text_at, to_json, token_in
from channels_app.tokens import Token

#: In bytes; Feishu takes 150 KB of text, and 30 KB of a card with all its JSON.
TEXT_BYTES, CARD_BYTES = 100_000, 20_000
JSON_TYPE = "application/json"
IV = 16
#: How an id begins, and what kind it is then; any other is an id of the enterprise's own.
KINDS = {"ou_": "open_id", "on_": "union_id", "oc_": "chat_id"}


def bad_parameter(detail: str = "", *, code: str = "") -> ChannelError:
    """The code for every wrong parameter; only the sentence tells a wrong address from a wrong content."""
    return (Unreachable if "receive_id" in detail else Refused)(detail, code=code)


#: https://open.feishu.cn/document/server-docs/im-v1/message/create
CODES: Mapping[str, Meaning] = {
    "99991400": partial(Throttled, retry_after=1),  # a header says how long
    "230020": partial(Throttled, retry_after=1, scope=Scope.ADDRESS),  # five a second to one person or chat
    "11232": partial(Throttled, retry_after=5),
    "230001": bad_parameter,
    "99992351": Unreachable,  # no open_id of this app
    "230013": Unreachable,  # the person may not see the bot
    "230002": Unreachable,  # the bot is not in the chat
    "230025": Refused,  # too long
    "230028": Refused,  # the enterprise's own rules against leaks
    "230099": Refused,  # the card is wrong
    "99991661": STALE_TOKEN,
    "99991663": STALE_TOKEN,
    "99991664": STALE_TOKEN,
    "99991672": Misconfigured,  # the app lacks a permission
    "230006": Misconfigured,  # the app's bot is switched off
    "230027": Misconfigured,  # the app lacks a permission
    "10003": Misconfigured,  # no such app
    "10014": Misconfigured,  # a wrong secret
}


def sign(encrypt_key: str, timestamp: str, nonce: str, body: bytes) -> str:
    return hashlib.sha256(f"{timestamp}{nonce}{encrypt_key}".encode() + body).hexdigest()


def _cipher(encrypt_key: str, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES256(hashlib.sha256(encrypt_key.encode()).digest()), modes.CBC(iv))


def decrypt(encrypt_key: str, sealed: str) -> bytes:
    """Raises :class:`ForgedCallback`."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        decryptor, unpadder = _cipher(encrypt_key, raw[:IV]).decryptor(), padding.PKCS7(128).unpadder()
        plain = decryptor.update(raw[IV:]) + decryptor.finalize()
        return unpadder.update(plain) + unpadder.finalize()
    except (ValueError, binascii.Error):
        raise ForgedCallback("it cannot be deciphered") from None


def encrypt(encrypt_key: str, plain: bytes) -> str:
    iv, padder = secrets.token_bytes(IV), padding.PKCS7(128).padder()
    encryptor = _cipher(encrypt_key, iv).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(iv + encryptor.update(padded) + encryptor.finalize()).decode()


def sample_event(config: Mapping[str, Any], provider_id: str) -> Callback:
    event = {
        "schema": "2.0",
        "header": {
            "event_id": "e-1",
            "event_type": "im.message.message_read_v1",
            "token": config["verification_token"],
        },
        "event": {
            "reader": {"reader_id": {"open_id": "ou_1"}, "read_time": "1764057600000"},
            "message_id_list": [provider_id],
        },
    }
    body = to_json({"encrypt": encrypt(config["encrypt_key"], to_json(event))})
    headers = {
        "x-lark-request-timestamp": "1764057600",
        "x-lark-request-nonce": "n-1",
        "x-lark-signature": sign(config["encrypt_key"], "1764057600", "n-1", body),
    }
    return Callback(headers=headers, query={}, body=body, url="")


class FeishuAppAdapter(Adapter):
    name = "feishu_app"
    label = _("Feishu app")
    channel = FEISHU
    # 1,000 calls in a minute for each app.
    capabilities = Capabilities(receipts=True, idempotent=True, check=True, recall=True, rate=16)
    api = FeishuApi(
        verdict=verdict,
        speaks=speaks,
        codes=CODES,
        statuses={404: Misconfigured, 410: Misconfigured},
        timeout=10,
    )
    specimen = Specimen(
        config={"app_id": "cli_1", "app_secret": "s-1", "encrypt_key": "e-1", "verification_token": "v-1"},
        address="ou_7d8a6e6df7621556ce0d21922b676706",
        content={"format": "text", "title": "Paid", "text": "Order 7 is paid."},
        answers={
            "tenant_access_token": {"code": 0, "msg": "ok", "tenant_access_token": "t-1", "expire": 7200},
            "": {"code": 0, "msg": "success", "data": {"message_id": "om_1"}},
        },
        refusal={"code": 230025, "msg": "The length of the message content reaches its limit."},
        receipt=sample_event,
    )

    class Config(forms.Form):
        app_id = forms.CharField(
            max_length=60,
            label=_("App ID"),
            help_text=_(
                "In the developer console, on the page Credentials and basic information of the app."
            ),
        )
        app_secret = SecretField(label=_("App Secret"), help_text=_("On the same page."))
        encrypt_key = SecretField(
            required=False,
            label=_("Encrypt Key"),
            help_text=_(
                "Under Events and callbacks > Encryption strategy. Signs and encrypts what Feishu reports."
            ),
        )
        verification_token = SecretField(
            required=False,
            label=_("Verification Token"),
            help_text=_("On the same page. Protects reports alone, where there is no Encrypt Key."),
        )
        base_url = BaseURLField(
            "https://open.feishu.cn",
            help_text=_(
                "For Lark, https://open.larksuite.com; else change it only for a proxy or a test server."
            ),
        )

    def takes(self, address: Address) -> bool:
        return not group_of(address)

    async def send(self, message: Outgoing) -> Sent:
        return await with_token(self.tokens, "tenant", self._fetch, partial(self._send, message))

    async def _fetch(self) -> Token:
        answer = await self.api.post(
            f"{self.base_url}/open-apis/auth/v3/tenant_access_token/internal",
            {"app_id": self.config["app_id"], "app_secret": self.config["app_secret"]},
            guard=self.guard,
        )
        return token_in(answer, "tenant_access_token", "expire")

    async def _send(self, message: Outgoing, token: str) -> Sent:
        kind, content = _message(message.content)
        answer = await self.api.post(
            f"{self.base_url}/open-apis/im/v1/messages",
            {
                "receive_id": message.address.value,
                "msg_type": kind,
                "content": content,
                "uuid": message.id,
            },
            query={"receive_id_type": id_kind(message.address.value)},
            headers={"authorization": f"Bearer {token}"},
            guard=self.guard,
        )
        return Sent(provider_id=text_at(answer.data, "data", "message_id"))

    async def recall(self, provider_id: str) -> None:
        """For as long as the enterprise's own rules permit."""
        await with_token(self.tokens, "tenant", self._fetch, partial(self._recall, provider_id))

    async def _recall(self, provider_id: str, token: str) -> Answer:
        return await self.api.send(
            "DELETE",
            f"{self.base_url}/open-apis/im/v1/messages/{quote(provider_id, safe='')}",
            body=b"",
            headers={"authorization": f"Bearer {token}"},
            guard=self.guard,
        )

    async def check(self) -> str:
        await self._fetch()
        return str(_("Feishu gives a token for this app."))

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        yield from _receipts(self._opened(callback))

    def _opened(self, callback: Callback) -> Mapping[str, Any]:
        """The event inside a call, verified by the key, or else by the token."""
        outer = json_object(callback.body) or {}
        key, token = self.config.get("encrypt_key") or "", self.config.get("verification_token") or ""
        event = outer
        if key:
            event = json_object(decrypt(key, text_at(outer, "encrypt"))) or {}
        elif not token:
            raise ForgedCallback("this account takes no events: neither key nor token is set")
        given = text_at(event, "header", "token") or text_at(event, "token")
        if token and not _same(token, given):
            raise ForgedCallback("the token does not fit")
        if key and not _is_challenge(event):  # a challenge proves itself by the key, and is not signed
            _verify(key, callback)
        return event

    def reply(self, callback: Callback) -> HttpReply:
        try:
            event = self._opened(callback)
        except ForgedCallback:
            event = {}
        answer = {"challenge": text_at(event, "challenge")} if _is_challenge(event) else {}
        return HttpReply(body=to_json(answer), content_type=JSON_TYPE)


def _verify(key: str, callback: Callback) -> None:
    headers = callback.headers
    timestamp, nonce = headers.get("x-lark-request-timestamp", ""), headers.get("x-lark-request-nonce", "")
    if not _same(sign(key, timestamp, nonce, callback.body), headers.get("x-lark-signature", "")):
        raise ForgedCallback("the signature does not fit")


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _is_challenge(event: Mapping[str, Any]) -> bool:
    return text_at(event, "type") == "url_verification"


def id_kind(value: str) -> str:
    """What kind of id an address is."""
    if "@" in value:
        return "email"
    return KINDS.get(value[:3], "user_id")


def _message(content: Mapping[str, Any]) -> tuple[str, str]:
    """Type and content; the content is a text, even where it is JSON inside."""
    own = own_message(content)
    if own is not None:
        inner = own.get("content")
        return text_at(own, "msg_type"), inner if isinstance(inner, str) else _inner(inner)
    if content.get("format") in {"card", "markdown"}:
        return "interactive", _inner(card(content, max_bytes=CARD_BYTES))
    return "text", _inner(text_message(content, max_bytes=TEXT_BYTES))


def _inner(value: Any) -> str:
    return to_json(value).decode()


def _receipts(event: Mapping[str, Any]) -> Iterable[Receipt]:
    kind, event_id = text_at(event, "header", "event_type"), text_at(event, "header", "event_id")
    inner = event.get("event")
    if not isinstance(inner, dict):
        return
    if kind == "im.message.message_read_v1":
        ids = inner.get("message_id_list")
        for message_id in ids if isinstance(ids, list) else []:
            yield Receipt(
                provider_id=str(message_id),
                outcome=Outcome.OPENED,
                at=_moment(text_at(inner, "reader", "read_time")),
                code="read",
                event_id=f"{event_id}:{message_id}",
            )
    elif kind == "card.action.trigger":
        yield Receipt(
            provider_id=text_at(inner, "context", "open_message_id"),
            outcome=Outcome.CLICKED,
            code="card",
            event_id=event_id,
        )


def _moment(milliseconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
