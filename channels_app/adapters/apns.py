"""App push through Apple's Push Notification service, which speaks HTTP/2 only.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns

Apple reports nothing afterwards, and does not know a repetition by its ``apns-id``. So every notification has a
collapse id, of its own where the template gives none: one that is sent twice shows as one.
"""

import asyncio
import base64
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpcore2
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import PUSH, Notification, Streak, filled
from channels_app.codes import STALE_TOKEN, Meaning, StaleToken, with_token
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Capabilities,
    Misconfigured,
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
from channels_app.json_api import JsonApi, text_at, to_json
from channels_app.tokens import Token

PREFIX = "apns:"
SERVERS = {
    "production": "https://api.push.apple.com",
    "sandbox": "https://api.sandbox.push.apple.com",
}
ENVIRONMENTS = [
    ("production", _("Production (App Store, TestFlight)")),
    ("sandbox", _("Sandbox (apps run from Xcode)")),
]
#: Of a whole notification, in bytes.
MAX_PAYLOAD = 4096
#: Apple takes a token for an hour, and a new one every 20 minutes at the most. Kept for 45 minutes, it is renewed
#: after 40.
TOKEN_S, MINT_EVERY_S = 45 * 60, 20 * 60
#: No device has this token. With good credentials it is called bad, and with bad ones they are.
NOBODY = "00" * 32

#: ``reason`` in the answer.
CODES: Mapping[str, Meaning] = {
    # 400
    "BadDeviceToken": Unreachable,  # or one of the other environment
    "DeviceTokenNotForTopic": Unreachable,  # a token of another app
    "MissingDeviceToken": Unreachable,
    "BadCollapseId": Refused,
    "BadExpirationDate": Refused,
    "BadMessageId": Refused,
    "BadPriority": Refused,
    "DuplicateHeaders": Refused,
    "InvalidPushType": Refused,
    "PayloadEmpty": Refused,
    "BadTopic": Misconfigured,
    "MissingTopic": Misconfigured,
    "TopicDisallowed": Misconfigured,
    "IdleTimeout": Temporary,  # our request took too long to arrive
    # 403
    "BadCertificate": Misconfigured,
    "BadCertificateEnvironment": Misconfigured,
    "BadEnvironmentKeyIdInToken": Misconfigured,  # the key is for the other environment
    "ExpiredProviderToken": STALE_TOKEN,
    "Forbidden": Misconfigured,
    "InvalidProviderToken": Misconfigured,
    "MissingProviderToken": Misconfigured,
    "UnrelatedKeyIdInToken": Misconfigured,
    # 404, 405: not Apple's server
    "BadPath": Misconfigured,
    "MethodNotAllowed": Misconfigured,
    # 410
    "ExpiredToken": Unreachable,
    "Unregistered": Unreachable,
    # 413
    "PayloadTooLarge": Refused,
    # 429
    "TooManyProviderTokenUpdates": partial(Throttled, retry_after=MINT_EVERY_S),
    "TooManyRequests": partial(Throttled, retry_after=60, scope=Scope.ADDRESS),  # to this device
    # 500, 503. Apple would like us to wait 15 minutes; a lane's own pauses fit better to what a message is worth.
    "InternalServerError": Temporary,
    "ServiceUnavailable": Temporary,
    "Shutdown": Temporary,
}
#: Of an HTTP/2 stream that the server has not looked at (RFC 9113, 8.7).
REFUSED_STREAM = 7


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Apple's reason; for a device that is gone, since when."""
    reason = text_at(answer, "reason")
    since = answer.get("timestamp")
    if not isinstance(since, int | float) or isinstance(since, bool):
        return reason, reason
    try:
        moment = datetime.fromtimestamp(since / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return reason, reason
    return reason, f"{reason} since {moment:%Y-%m-%d %H:%M:%S} UTC"


def signing_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key in a .p8 file, also where its line breaks were lost on the way; raises ``ValueError``."""
    found = re.fullmatch(r"\s*-+BEGIN PRIVATE KEY-+(.+?)-+END PRIVATE KEY-+\s*", text, re.DOTALL)
    if not found:
        raise ValueError("not a key file")
    der = base64.b64decode("".join(found[1].split()), validate=True)
    key = serialization.load_der_private_key(der, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a key of the curve P-256")  # noqa: TRY004 (of the file, not of an argument)
    return key


def key_file(text: str) -> None:
    """Form validator."""
    try:
        signing_key(text)
    except ValueError:
        raise ValidationError(_("This is not the .p8 file with a key of Apple.")) from None


def sample_key() -> str:
    """A key as Apple would give it."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


class ApnsAdapter(Adapter):
    name = "apns"
    label = _("Apple Push Notification service")
    channel = PUSH
    # Apple lets about a hundred requests share a connection.
    capabilities = Capabilities(check=True, concurrency=100)
    api = JsonApi(verdict=verdict, codes=CODES, statuses={404: Misconfigured, 405: Misconfigured})
    specimen = Specimen(
        config={
            "signing_key": sample_key(),
            "key_id": "ABC123DEFG",
            "team_id": "DEF123GHIJ",
            "topic": "com.example.shop",
            "environment": "production",
        },
        address=PREFIX + "a0" * 32,
        content={"title": "Paid", "body": "Thank you"},
        answers={"/3/device/": b""},
    )

    class Config(forms.Form):
        signing_key = SecretField(
            validators=[key_file],
            label=_("Signing key (.p8)"),
            help_text=_(
                "In Apple's developer account: Certificates, Identifiers & Profiles > Keys. Paste the whole file."
            ),
        )
        key_id = forms.RegexField(
            r"^[A-Z0-9]{10}$", label=_("Key ID"), help_text=_("Ten characters, shown beside the key.")
        )
        team_id = forms.RegexField(
            r"^[A-Z0-9]{10}$", label=_("Team ID"), help_text=_("In Apple's developer account: Membership.")
        )
        topic = forms.RegexField(
            r"^[A-Za-z0-9.-]+$",
            max_length=255,
            label=_("Topic"),
            help_text=_("The app's bundle ID, such as com.example.shop."),
        )
        environment = forms.ChoiceField(
            choices=ENVIRONMENTS,
            initial="production",
            label=_("Environment"),
            help_text=_("A device token holds in one of them only."),
        )
        base_url = BaseURLField(SERVERS["production"])

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._key = signing_key(config["signing_key"])
        self._line = Line(guard=self.guard, is_secure=self.base_url.startswith("https:"))
        self._strangers = Streak(
            ["BadDeviceToken"], "all device tokens are bad: perhaps they belong to the other environment"
        )

    @property
    def base_url(self) -> str:
        given = super().base_url
        return SERVERS[self.config["environment"]] if given == SERVERS["production"] else given

    @property
    def guard(self) -> bool:
        return self.base_url not in SERVERS.values()

    def takes(self, address: Address) -> bool:
        return address.value.startswith(PREFIX)

    async def send(self, message: Outgoing) -> Sent:
        now = datetime.now(UTC)
        note = Notification.of(message, now=now)
        device = message.address.value.removeprefix(PREFIX)
        headers = {"apns-id": message.id, **options(note, now)}
        reply = await self._strangers.watch(self._push(device, headers, payload(note)))
        return Sent(provider_id=reply.headers.get("apns-id") or message.id)

    async def check(self) -> str:
        """Call a device that nobody has."""
        with suppress(Unreachable):
            await self._push(NOBODY, {"apns-push-type": "alert"}, to_json({"aps": {"alert": "check"}}))
        return _("Apple takes the key for the topic %(topic)s.") % {"topic": self.config["topic"]}

    async def close(self) -> None:
        await self._line.close()

    async def _push(self, device: str, headers: Mapping[str, str], body: bytes) -> http.Reply:
        url = f"{self.base_url}/3/device/{device}"
        named = {"apns-topic": self.config["topic"], "content-type": "application/json", **headers}

        async def work(token: str) -> http.Reply:
            try:
                return self._judge(
                    await self._line.post(url, {**named, "authorization": f"bearer {token}"}, body)
                )
            except StaleToken as error:
                if (
                    age_of(token) < MINT_EVERY_S
                ):  # another would be refused, too, and soon for being one too many
                    sentence = "Apple calls a new token expired: is this machine's clock right?"
                    raise Misconfigured(sentence, code=error.code) from None
                raise

        return await with_token(self.tokens, "provider", self._mint, work)

    def _judge(self, reply: http.Reply) -> http.Reply:
        """A success has no body."""
        if reply.status != 200 or reply.body:
            self.api.judge(reply)
            raise self.api.not_json("this is not an answer of Apple")
        return reply

    async def _mint(self) -> Token:
        claims = {"iss": self.config["team_id"], "iat": int(time.time())}
        value = jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self.config["key_id"]})
        return Token(value=value, seconds=TOKEN_S)


def age_of(token: str) -> float:
    """Seconds since we made it."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return time.time() - float(claims["iat"])


def options(note: Notification, now: datetime) -> dict[str, str]:
    """How the notification is to be handled, as headers."""
    return filled(
        **{
            "apns-push-type": "alert",
            "apns-priority": "10" if note.urgent else "5",
            "apns-expiration": "" if note.ttl is None else str(int(now.timestamp()) + note.ttl),
            "apns-collapse-id": note.replaces,
        }
    )


def payload(note: Notification) -> bytes:
    """The notification; data for the app stands beside ``aps``. Raises :class:`Refused`."""
    if "aps" in note.data:
        raise Refused("Apple keeps the name aps for itself", code="reserved_key")
    aps = {
        "alert": {"title": note.title, "body": note.body},
        "sound": note.sound,
        "badge": note.badge,
        "category": note.ios_category,
        "thread-id": note.ios_thread,
        # An image is fetched by the app's extension, which runs for such notifications only.
        "mutable-content": 1 if note.image else None,
    }
    body = to_json({**filled(link=note.link, image=note.image), **note.data, "aps": filled(**aps)})
    if len(body) > MAX_PAYLOAD:
        raise Refused(f"the notification takes more than {MAX_PAYLOAD} bytes", code="too_large")
    return body


# --- HTTP/2, which the shared client does not speak ---------------------------------------------------------


class CheckedNetwork(httpcore2.AnyIOBackend):
    """Connects to permitted addresses only: the SSRF guard for this client."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        async with asyncio.timeout(timeout):
            resolver = http.CheckedResolver(http.Reach.SECURE)
            found = await resolver.resolve(host, port, socket.AF_UNSPEC)
        return await super().connect_tcp(found[0]["host"], port, timeout, local_address, socket_options)


class Line:
    """The connection of one account, opened on first use and shared by all calls that are under way."""

    def __init__(self, *, guard: bool, is_secure: bool) -> None:
        self._guard = guard
        self._is_secure = is_secure
        self._open: tuple[asyncio.AbstractEventLoop, httpcore2.AsyncConnectionPool] | None = None

    def _pool(self) -> httpcore2.AsyncConnectionPool:
        loop = asyncio.get_running_loop()
        if self._open is None or self._open[0] is not loop:
            pool = httpcore2.AsyncConnectionPool(
                ssl_context=ssl.create_default_context() if self._is_secure else None,
                max_connections=20,
                # Apple wants connections to stay open; networks between forget those that are idle for longer.
                keepalive_expiry=240,
                # Without TLS, which only a test server of one's own does, there is no HTTP/2.
                http1=True,
                http2=True,
                network_backend=CheckedNetwork() if self._guard else None,
            )
            self._open = loop, pool
        return self._open[1]

    async def close(self) -> None:
        if self._open is not None:
            await self._open[1].aclose()
            self._open = None

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> http.Reply:
        """One request; raises :class:`Temporary` for a fault of the network."""
        timeouts = {"connect": 5.0, "pool": 5.0, "write": 15.0, "read": 15.0}
        try:
            async with self._pool().stream(
                "POST", url, headers=list(headers.items()), content=content, extensions={"timeout": timeouts}
            ) as response:
                named = {name.decode().lower(): value.decode() for name, value in response.headers}
                pause = http.parse_retry_after(named.get("retry-after", ""), now=datetime.now(UTC))
                body = await beginning(response)
                return http.Reply(status=response.status, headers=named, body=body, retry_after=pause)
        except (
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            OSError,
        ) as fault:
            raise meaning_of(fault) from fault


async def beginning(response: httpcore2.Response) -> bytes:
    """As much of the body as is ever read."""
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) >= http.MAX_BODY:
            break
    return bytes(body[: http.MAX_BODY])


def meaning_of(fault: Exception) -> Temporary:
    """Whether Apple can have got the message: not before there is a connection, nor where it says so itself."""
    match fault:
        case httpcore2.ConnectTimeout() | httpcore2.PoolTimeout() | TimeoutError():
            return Temporary("no connection in time", code="connect_timeout")
        case httpcore2.ConnectError() | OSError():
            return Temporary("no connection", code="connect")
        case httpcore2.TimeoutException():
            return Temporary("no answer in time", code="timeout", maybe_sent=True)
    return Temporary(
        f"the call broke off: {type(fault).__name__}",
        code="connection_lost",
        maybe_sent=not was_refused(fault),
    )


def was_refused(fault: Exception) -> bool:
    """Did the server say that it has not looked at the request: REFUSED_STREAM, or GOAWAY before the first?"""
    event = fault.args[0] if fault.args else None
    return getattr(event, "error_code", None) == REFUSED_STREAM or getattr(event, "last_stream_id", None) == 0
