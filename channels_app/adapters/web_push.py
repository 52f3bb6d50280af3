"""Push to browsers: RFC 8030, encrypted by RFC 8291, with the sender named by RFC 8292 (VAPID).

The payload is a declarative push message of the W3C's Push API where it has a link, so that browsers which know them
show it by themselves; to the service worker of a site it is plain JSON in both cases.
"""

import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import http_ece
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import PUSH, Notification, Streak, filled, subscription_of
from channels_app.codes import MAX_DETAIL
from channels_app.contract import (
    Adapter,
    Address,
    Capabilities,
    Misconfigured,
    Outgoing,
    Refused,
    Scope,
    SecretField,
    Sent,
    Specimen,
    Temporary,
    Unreachable,
)
from channels_app.json_api import json_object, text_at, to_json

PREFIX = "webpush:"
#: Where the browsers of today get their messages; a point in front takes subdomains.
HOSTS = "fcm.googleapis.com .push.services.mozilla.com .notify.windows.com .push.apple.com"
#: RFC 8030 leaves it to the service; four weeks is what the largest keep.
MAX_TTL = 28 * 24 * 3600
#: A service takes 4,096 bytes, of which the encryption needs 103 (RFC 8291, 4).
MAX_PLAIN = 3993
#: A VAPID token may hold for 24 hours. Ours holds for 12, and serves for the first 6.
TOKEN_S, REUSE_S = 12 * 3600, 6 * 3600
#: More services than anybody has; the tokens are made anew then.
MAX_TOKENS = 100

#: One subscription, made with another key, causes these as well as a wrong key; many in a row speak of the key.
OF_THE_KEY = partial(Misconfigured, scope=Scope.SENDER)
STATUS_MEANINGS: Mapping[int, http.Meaning] = {
    **dict.fromkeys((301, 308), Unreachable),  # the subscription has moved for good, and we follow nobody
    **dict.fromkeys((302, 303, 307), Temporary),
    **dict.fromkeys((400, 401, 403), OF_THE_KEY),
    404: Unreachable,  # expired
    410: Unreachable,  # unsubscribed
    413: Refused,
}


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A key in PEM, or as the tools of Web Push write it: 32 bytes in base64url. Raises ``ValueError``."""
    if "BEGIN" in text:
        body = re.sub(r"-+[A-Z ]+-+|\s", "", text)
        key = serialization.load_der_private_key(base64.b64decode(body, validate=True), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("not a key of the curve P-256")
        return key
    number = unpadded(text.strip())
    if len(number) != 32:
        raise ValueError("not 32 bytes")
    return ec.derive_private_key(int.from_bytes(number), ec.SECP256R1())


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half, as a site gives it to ``PushManager.subscribe()``: ``applicationServerKey``."""
    return base64url(
        key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
    )


def new_key() -> str:
    """A fresh private key, as the tools of Web Push write it."""
    return base64url(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32))


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unpadded(text: str) -> bytes:
    """Raises ``ValueError``."""
    try:
        return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def sample_subscription() -> str:
    """One as a browser would give it."""
    keys = {"p256dh": public_key(ec.generate_private_key(ec.SECP256R1())), "auth": base64url(bytes(16))}
    return json.dumps({"endpoint": "{base_url}/push/1", "keys": keys})


class WebPushAdapter(Adapter):
    name = "web_push"
    label = _("Web Push (VAPID)")
    channel = PUSH
    capabilities = Capabilities(one_provider=False)
    specimen = Specimen(
        config={
            "contact": "ops@example.com",
            "private_key": new_key(),
            "hosts": "",
        },
        address=PREFIX + sample_subscription(),
        content={"title": "Paid", "body": "Thank you"},
        answers={"/push/": b""},
    )

    class Config(forms.Form):
        contact = forms.EmailField(
            label=_("Contact"), help_text=_("Where the push services write when something is wrong.")
        )
        private_key = SecretField(
            required=False,
            label=_("Private key (VAPID)"),
            help_text=_("Leave it blank to have a new pair of keys made."),
        )
        public_key = forms.CharField(
            required=False,
            max_length=200,
            label=_("Public key (VAPID)"),
            help_text=_(
                "Filled in by itself. Your site subscribes with it, as applicationServerKey; a subscription holds "
                "for this key only."
            ),
        )
        hosts = forms.CharField(
            required=False,
            initial=HOSTS,
            max_length=1000,
            label=_("Push services"),
            help_text=_(
                "Hosts that subscriptions may name, with blanks between; a point in front takes all hosts beneath. "
                "Blank for any."
            ),
        )

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            if not self.errors:
                self._complete(cleaned)
            return cleaned

        def _complete(self, cleaned: dict[str, Any]) -> None:
            """Make what was left blank, and see that the two keys belong together."""
            given = cleaned["private_key"]
            try:
                key = private_key(given or new_key())
            except ValueError:
                self.add_error("private_key", ValidationError(_("This is not a private key for VAPID.")))
                return
            if cleaned["public_key"] not in {"", public_key(key)}:
                sentence = _("It does not belong to the private key. Leave it blank to have it filled in.")
                self.add_error("public_key", ValidationError(sentence))
                return
            number = key.private_numbers().private_value.to_bytes(32)
            cleaned.update(private_key=base64url(number), public_key=public_key(key))

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._key = private_key(config["private_key"])
        self._public = public_key(self._key)
        self._hosts = tuple(str(config.get("hosts") or "").lower().split())
        self._tokens: dict[str, tuple[str, float]] = {}
        self._refusals = Streak(("400", "401", "403"), "push services refuse the VAPID key or its signature")

    def takes(self, address: Address) -> bool:
        return address.value.startswith(PREFIX)

    async def send(self, message: Outgoing) -> Sent:
        subscription = subscription_of(message.address.value)
        if subscription is None:
            raise Unreachable("this is not a browser's subscription", code="malformed")
        endpoint = str(subscription["endpoint"])
        self._refuse_strange_host(endpoint)
        note = Notification.of(message, now=datetime.now(UTC))
        body = encrypted(payload(note), subscription["keys"])
        headers = {**options(note), "authorization": self._authorization(endpoint)}
        return await self._refusals.watch(_hand_over(endpoint, headers, body))

    def _refuse_strange_host(self, endpoint: str) -> None:
        host = (urlsplit(endpoint).hostname or "").lower()
        known = any(host == each or (each[0] == "." and host.endswith(each)) for each in self._hosts)
        if self._hosts and not known:
            raise Refused(f"{host[:100]} is not among the push services of this account", code="host")

    def _authorization(self, endpoint: str) -> str:
        """One signature for each service, used for some hours: making it costs more than all the rest."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        now = time.time()
        token, until = self._tokens.get(origin, ("", 0.0))
        if now >= until:
            claims = {"aud": origin, "exp": int(now) + TOKEN_S, "sub": f"mailto:{self.config['contact']}"}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            if len(self._tokens) >= MAX_TOKENS:
                self._tokens.clear()
            self._tokens[origin] = token, now + REUSE_S
        return f"vapid t={token}, k={self._public}"


async def _hand_over(endpoint: str, headers: Mapping[str, str], body: bytes) -> Sent:
    reply = await http.call("POST", endpoint, headers=headers, body=body)
    said = json_object(reply.body) or {}
    http.raise_for_status(
        reply, STATUS_MEANINGS, detail=(text_at(said, "message") or text_at(said, "reason"))[:MAX_DETAIL]
    )
    return Sent(provider_id=reply.headers.get("location", "")[:300], note=f"HTTP status {reply.status}")


def options(note: Notification) -> dict[str, str]:
    """How the message is to be handled, as headers."""
    return {
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(MAX_TTL if note.ttl is None else min(note.ttl, MAX_TTL)),
        "urgency": "high" if note.urgent else "normal",
        # 32 characters of base64url: a later message with the same topic replaces one that waits.
        "topic": base64url(hashlib.sha256(note.replaces.encode()).digest())[:32],
    }


def payload(note: Notification) -> bytes:
    """The message as JSON; raises :class:`Refused` where it is too long."""
    shown = filled(
        title=note.title,
        body=note.body,
        navigate=note.link,
        image=note.image,
        tag=note.replaces,
        data=dict(note.data),
    )
    declarative = {"web_push": 8030, "mutable": True} if note.link else {}
    body = to_json({**declarative, "notification": shown, **filled(app_badge=note.badge)})
    if len(body) > MAX_PLAIN:
        raise Refused(f"the message takes more than {MAX_PLAIN} bytes", code="too_large")
    return body


def encrypted(plain: bytes, keys: Mapping[str, str]) -> bytes:
    """For this browser alone, in one record; raises :class:`Unreachable` where its key is none."""
    try:
        return http_ece.encrypt(
            plain,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=unpadded(keys["p256dh"]),
            auth_secret=unpadded(keys["auth"]),
            version="aes128gcm",
        )
    except (ValueError, http_ece.ECEException):  # a point that is not on the curve
        raise Unreachable("the subscription's key is no key", code="malformed") from None
