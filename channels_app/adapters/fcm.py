"""App push through Firebase Cloud Messaging, HTTP v1.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send

Firebase reports nothing afterwards: what it accepts stays ``sent``, and the app itself tells when it is opened.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from channels_app.channels import PUSH, Notification, Streak, filled
from channels_app.codes import STALE_TOKEN, Meaning, with_token
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
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.json_api import JsonApi, text_at, to_json
from channels_app.tokens import Token

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 (no secret)
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: What Firebase keeps a message for at the most, in seconds.
MAX_TTL = 28 * 24 * 3600
#: Notification and data together, in bytes.
MAX_PAYLOAD = 4096
#: Prefixes of addresses: a registration token, an installation id. A token without any is of the first kind.
TOKEN, INSTALLATION = "fcm:", "fid:"

#: ``errorCode`` in ``error.details``, else ``error.status``. INTERNAL and UNAVAILABLE are not here: their status
#: 500 and 503 says as much, and a Retry-After goes with it.
CODES: Mapping[str, Meaning] = {
    "UNREGISTERED": Unreachable,  # the app is gone from the device
    "SENDER_ID_MISMATCH": Unreachable,  # a token of another project's app
    "BAD_ADDRESS": Unreachable,  # INVALID_ARGUMENT, and the argument is the token
    "INVALID_ARGUMENT": Refused,
    "QUOTA_EXCEEDED": partial(Throttled, retry_after=60),
    "RESOURCE_EXHAUSTED": partial(Throttled, retry_after=60),
    "UNAUTHENTICATED": STALE_TOKEN,
    "THIRD_PARTY_AUTH_ERROR": Misconfigured,  # the key for APNs or Web Push that is stored at Firebase
    "PERMISSION_DENIED": Misconfigured,
    "NOT_FOUND": Misconfigured,  # without UNREGISTERED it is the project that is not found
}


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Code and sentence; ``INVALID_ARGUMENT`` can mean the content or the address, which is a great difference."""
    error = answer.get("error")
    if not isinstance(error, Mapping):
        return "", ""
    found = error.get("details")
    details = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    code = next(filter(None, (text_at(each, "errorCode") for each in details)), "") or text_at(
        error, "status"
    )
    sentence = text_at(error, "message")
    if code == "INVALID_ARGUMENT" and (_blames_address(details) or "registration token" in sentence):
        code = "BAD_ADDRESS"
    return code or "error", sentence


def _blames_address(details: list[Mapping[str, Any]]) -> bool:
    fields = set()
    for each in details:
        violations = each.get("fieldViolations")
        if isinstance(violations, list):
            fields |= {text_at(one, "field") for one in violations if isinstance(one, Mapping)}
    return bool(fields & {"message.token", "message.fid"})


def oauth_verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """What Google's token endpoint says (RFC 6749, 5.2); its errors are all about the key."""
    if text_at(answer, "access_token"):
        return "", ""
    return text_at(answer, "error") or "no_token", text_at(answer, "error_description")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """What we need of Google's key file."""

    project_id: str
    client_email: str
    key: rsa.RSAPrivateKey
    key_id: str
    token_url: str

    @classmethod
    def parse(cls, text: str) -> "ServiceAccount":
        """Raises ``ValueError`` where the text is no such file."""
        value = json.loads(text)
        needed = ("project_id", "client_email", "private_key")
        if not isinstance(value, dict) or not all(text_at(value, name) for name in needed):
            raise ValueError("not a key file")
        return cls(
            project_id=text_at(value, "project_id"),
            client_email=text_at(value, "client_email"),
            key=private_key(text_at(value, "private_key")),
            key_id=text_at(value, "private_key_id"),
            token_url=text_at(value, "token_uri") or TOKEN_URL,
        )


@lru_cache(maxsize=32)  # reading a key takes tens of milliseconds
def private_key(pem: str) -> rsa.RSAPrivateKey:
    """An RSA key; raises ``ValueError``."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 (of the file, not of an argument)
    return key


def key_file(text: str) -> None:
    """Form validator."""
    try:
        ServiceAccount.parse(text)
    except (ValueError, TypeError, RecursionError):
        raise ValidationError(_("This is not the JSON file with a key of a service account.")) from None


def _specimen_config() -> dict[str, Any]:
    """Made when it is asked for: a key takes a while."""
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "shop-1",
        "client_email": "push@shop-1.iam.gserviceaccount.com",
        "private_key": pem.decode(),
        "token_uri": "{base_url}/token",
    }
    return {"service_account": json.dumps(account), "project_id": ""}


class FcmAdapter(Adapter):
    name = "fcm"
    label = _("Firebase Cloud Messaging")
    channel = PUSH
    capabilities = Capabilities(check=True, concurrency=200)
    api = JsonApi(verdict=verdict, codes=CODES, statuses={401: STALE_TOKEN, 404: Misconfigured})
    oauth = JsonApi(
        verdict=oauth_verdict,
        codes={},
        statuses={400: Misconfigured, 404: Misconfigured},
        default=Misconfigured,
        not_json=partial(Temporary, code="not_json"),
    )
    specimen = Specimen(
        config=cast("Mapping[str, Any]", SimpleLazyObject(_specimen_config)),
        address="fid:dXyz-1_abcdefghijklmnop",
        content={"title": "Paid", "body": "Thank you"},
        answers={
            "/token": {"access_token": "ya29.sample", "expires_in": 3599, "token_type": "Bearer"},
            "messages:send": {"name": "projects/shop-1/messages/0:1500415314455276%31bd1c96"},
        },
    )

    class Config(forms.Form):
        service_account = SecretField(
            validators=[key_file],
            label=_("Key of a service account (JSON)"),
            help_text=_(
                "In the Firebase console: Project settings > Service accounts > Generate new private key. "
                "Paste the whole file."
            ),
        )
        project_id = forms.RegexField(
            r"^[a-z0-9.:-]+$",
            required=False,
            max_length=100,
            label=_("Project ID"),
            help_text=_(
                "Where it is not the service account's own. In the Firebase console: Project settings > General."
            ),
        )
        base_url = BaseURLField("https://fcm.googleapis.com")

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._account = ServiceAccount.parse(config["service_account"])
        self._strangers = Streak(
            ["SENDER_ID_MISMATCH"], "all tokens belong to apps of another project than the key does"
        )

    def takes(self, address: Address) -> bool:
        """All that has no other provider's prefix: Firebase gives its tokens without one."""
        return not address.value.startswith(("apns:", "webpush:"))

    async def send(self, message: Outgoing) -> Sent:
        body = {"message": payload(message, now=datetime.now(UTC))}
        answer = await self._strangers.watch(self._post(body))
        return Sent(provider_id=text_at(answer, "name"))

    async def check(self) -> str:
        """A dry run to a topic that nobody has subscribed to."""
        message = {"topic": "push-center-check", "data": {"check": "1"}}
        await self._post({"validateOnly": True, "message": message})
        return _("Firebase takes the key for the project %(project)s.") % {"project": self._project}

    @property
    def _project(self) -> str:
        return str(self.config.get("project_id") or self._account.project_id)

    async def _post(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        url = f"{self.base_url}/v1/projects/{self._project}/messages:send"

        async def work(token: str) -> Mapping[str, Any]:
            headers = {"authorization": f"Bearer {token}"}
            return (await self.api.post(url, body, headers=headers, guard=self.guard)).data

        return await with_token(self.tokens, "access", self._fetch, work)

    async def _fetch(self) -> Token:
        url = self._account.token_url
        form = {"grant_type": GRANT, "assertion": assertion(self._account, now=int(time.time()))}
        answer = await self.oauth.post_form(url, form, guard=url != TOKEN_URL)
        return Token(
            value=text_at(answer.data, "access_token"), seconds=_seconds(answer.data.get("expires_in"))
        )


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else 300.0


def assertion(account: ServiceAccount, *, now: int) -> str:
    """What is exchanged for an access token (RFC 7523), signed with the service account's key."""
    claims = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": account.token_url,
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(
        claims, account.key, algorithm="RS256", headers={"kid": account.key_id} if account.key_id else None
    )


def payload(message: Outgoing, *, now: datetime) -> dict[str, Any]:
    """Firebase's ``Message``; raises :class:`Refused` for what it would not take."""
    note = Notification.of(message, now=now)
    shown = filled(title=note.title, body=note.body, image=note.image)
    data = {**({"link": note.link} if note.link else {}), **note.texts()}
    _refuse_unfit(shown, data)
    return {
        **_target(message.address.value),
        "notification": shown,
        **filled(data=data, android=_android(note), apns=_apns(note, now), webpush=_webpush(note)),
    }


def _target(address: str) -> dict[str, str]:
    """``token`` is deprecated, but it is the only field that takes registration tokens."""
    if address.startswith(INSTALLATION):
        return {"fid": address.removeprefix(INSTALLATION)}
    return {"token": address.removeprefix(TOKEN)}


def _refuse_unfit(shown: Mapping[str, str], data: Mapping[str, str]) -> None:
    for name in data:
        if name in {"from", "message_type"} or name.startswith(("google", "gcm")):
            raise Refused("Firebase keeps names like from, google… and gcm… for itself", code="reserved_key")
    if len(to_json([shown, data])) > MAX_PAYLOAD:
        raise Refused(f"notification and data take more than {MAX_PAYLOAD} bytes", code="too_large")


def _android(note: Notification) -> dict[str, Any]:
    return filled(
        priority="HIGH" if note.urgent else "NORMAL",
        collapseKey=note.collapse_key,
        ttl="" if note.ttl is None else f"{min(note.ttl, MAX_TTL)}s",
        notification=filled(
            channelId=note.android_channel,
            sound=note.sound,
            notificationCount=note.badge,
            tag=note.replaces,
        ),
    )


def _apns(note: Notification, now: datetime) -> dict[str, Any]:
    ends = "" if note.ttl is None else str(int(now.timestamp()) + note.ttl)
    headers = {
        "apns-priority": "10" if note.urgent else "5",
        "apns-collapse-id": note.replaces,
        "apns-expiration": ends,
    }
    aps = {
        "sound": note.sound,
        "badge": note.badge,
        "category": note.ios_category,
        "thread-id": note.ios_thread,
    }
    return filled(headers=filled(**headers), payload=filled(aps=filled(**aps)))


def _webpush(note: Notification) -> dict[str, Any]:
    headers = {
        "TTL": "" if note.ttl is None else str(min(note.ttl, MAX_TTL)),
        "Urgency": "high" if note.urgent else "normal",
    }
    # Firebase takes no other scheme for it.
    link = note.link if note.link.startswith("https://") else ""
    return filled(headers=filled(**headers), fcmOptions=filled(link=link))
