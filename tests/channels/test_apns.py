"""Apple's service: its answers from a server of our own, its protocol from Node's HTTP/2 and cryptography."""

import asyncio
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from channels_app.adapters.apns import ApnsAdapter, options, payload, sample_key, signing_key
from channels_app.channels import Notification
from channels_app.contract import (
    Address,
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.tokens import Token
from tests.channels.provider import Answer, Request, Script, adapter, outgoing, play
from tests.flow.world import free_port
from tests.judges import HERE

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DELIVERY = "0191e2a0-0000-7000-8000-000000000001"
DEVICE, GONE, OTHER = "a0" * 32, "b0" * 32, "c0" * 32
KEY = sample_key()
CONFIG = {
    "signing_key": KEY,
    "key_id": "ABC123DEFG",
    "team_id": "DEF123GHIJ",
    "topic": "com.example.shop",
    "environment": "production",
}
PLAIN = {"title": "Paid", "body": "Thank you"}
FULL = {
    **PLAIN,
    "link": "https://shop.example.com/orders/42",
    "image": "https://shop.example.com/42.png",
    "data": {"order": 42},
    "sound": "default",
    "badge": "0",
    "ttl": "3600",
    "collapse_key": "order-42",
    "urgent": True,
    "ios_category": "ORDER",
    "ios_thread": "orders",
}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(content: Mapping[str, Any] = PLAIN, device: str = DEVICE, **fields: Any) -> Outgoing:
    return outgoing("push_token", f"apns:{device}", content, **{"id": DELIVERY, **fields})


def push(script: Script, messages: int = 1) -> tuple[list[Sent | ChannelError], list[Request]]:
    """What comes of messages, one after the other, where Apple answers like this."""

    async def work(base_url: str) -> list[Sent | ChannelError]:
        apns = adapter("apns", CONFIG, base_url)
        try:
            return [each for _ in range(messages) for each in await apns.send_many([message()])]
        finally:
            await apns.close()

    return play(script, work)


def error(answer: Answer) -> ChannelError:
    [result], _asked = push({"/3/device/": answer})
    assert isinstance(result, ChannelError)
    return result


# --- Answers ----------------------------------------------------------------------------------------------

REASONS: list[tuple[int, str, type[ChannelError]]] = [
    (400, "BadCollapseId", Refused),
    (400, "BadDeviceToken", Unreachable),
    (400, "BadExpirationDate", Refused),
    (400, "BadMessageId", Refused),
    (400, "BadPriority", Refused),
    (400, "BadTopic", Misconfigured),
    (400, "DeviceTokenNotForTopic", Unreachable),
    (400, "DuplicateHeaders", Refused),
    (400, "IdleTimeout", Temporary),
    (400, "InvalidPushType", Refused),
    (400, "MissingDeviceToken", Unreachable),
    (400, "MissingTopic", Misconfigured),
    (400, "PayloadEmpty", Refused),
    (400, "TopicDisallowed", Misconfigured),
    (403, "BadCertificate", Misconfigured),
    (403, "BadCertificateEnvironment", Misconfigured),
    (403, "BadEnvironmentKeyIdInToken", Misconfigured),
    (403, "ExpiredProviderToken", Misconfigured),
    (403, "Forbidden", Misconfigured),
    (403, "InvalidProviderToken", Misconfigured),
    (403, "MissingProviderToken", Misconfigured),
    (403, "UnrelatedKeyIdInToken", Misconfigured),
    (404, "BadPath", Misconfigured),
    (405, "MethodNotAllowed", Misconfigured),
    (410, "ExpiredToken", Unreachable),
    (410, "Unregistered", Unreachable),
    (413, "PayloadTooLarge", Refused),
    (429, "TooManyProviderTokenUpdates", Throttled),
    (429, "TooManyRequests", Throttled),
    (500, "InternalServerError", Temporary),
    (503, "ServiceUnavailable", Temporary),
    (503, "Shutdown", Temporary),
    (400, "NeverHeardOf", Refused),
    (403, "NeverHeardOf", Misconfigured),
    (500, "NeverHeardOf", Temporary),
]


@pytest.mark.parametrize(("status", "reason", "kind"), REASONS)
def test_a_reason_has_one_meaning(status: int, reason: str, kind: type[ChannelError]) -> None:
    found = error(Answer(status=status, body={"reason": reason}))
    assert type(found) is kind
    assert found.code == reason
    assert getattr(found, "scope", Scope.ACCOUNT) in {Scope.ACCOUNT, Scope.ADDRESS}
    assert not getattr(found, "maybe_sent", False)
    assert not getattr(found, "opted_out", False)


@pytest.mark.parametrize(
    ("reason", "pause", "scope"),
    [("TooManyProviderTokenUpdates", 1200, Scope.ACCOUNT), ("TooManyRequests", 60, Scope.ADDRESS)],
)
def test_too_many_of_what(reason: str, pause: float, scope: Scope) -> None:
    found = error(Answer(status=429, body={"reason": reason}))
    assert isinstance(found, Throttled)
    assert (found.retry_after, found.scope) == (pause, scope)


def test_a_pause_that_is_asked_for_is_kept() -> None:
    found = error(Answer(status=429, body={"reason": "TooManyRequests"}, headers={"retry-after": "7"}))
    assert isinstance(found, Throttled)
    assert found.retry_after == 7


@pytest.mark.parametrize(
    ("timestamp", "detail"),
    [
        (1_772_366_400_000, "Unregistered since 2026-03-01 12:00:00 UTC"),
        (1e300, "Unregistered"),
        (True, "Unregistered"),
        ("soon", "Unregistered"),
    ],
)
def test_a_device_that_is_gone_may_be_gone_since_a_time(timestamp: Any, detail: str) -> None:
    found = error(Answer(status=410, body={"reason": "Unregistered", "timestamp": timestamp}))
    assert isinstance(found, Unreachable)
    assert found.detail == detail


@pytest.mark.parametrize(
    ("status", "body", "kind", "maybe_sent"),
    [
        (200, b"<html>Welcome</html>", Temporary, True),
        (200, {"reason": ""}, Temporary, True),
        (502, b"<html>Bad Gateway</html>", Temporary, True),
        (503, b"", Temporary, False),
        (302, b"", Misconfigured, False),
        (404, b"<html>Not Found</html>", Misconfigured, False),
        (410, b"", Unreachable, False),
        (400, {"reason": ["odd"]}, Refused, False),
    ],
)
def test_what_is_no_answer_of_apple_is_judged_by_its_status(
    status: int, body: Any, kind: type[ChannelError], maybe_sent: bool
) -> None:
    found = error(Answer(status=status, body=body))
    assert isinstance(found, kind)
    assert getattr(found, "maybe_sent", False) is maybe_sent


def test_bad_device_tokens_in_a_row_speak_of_the_environment() -> None:
    bad = Answer(status=400, body={"reason": "BadDeviceToken"})
    results, _asked = push({"/3/device/": bad}, messages=21)
    assert [type(each) for each in results] == [Unreachable] * 19 + [Misconfigured] * 2
    assert "environment" in str(results[-1])


def test_where_nobody_listens_nothing_was_sent() -> None:
    apns = adapter("apns", CONFIG, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Temporary) as caught:
        asyncio.run(apns.send(message()))
    assert (caught.value.code, caught.value.maybe_sent) == ("connect", False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_server_of_ones_own_is_behind_the_guard(host: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    apns = adapter("apns", CONFIG, f"https://{host}:{free_port()}")
    with pytest.raises(Refused) as caught:
        asyncio.run(apns.send(message()))
    assert caught.value.code == "destination_denied"


# --- Tokens -----------------------------------------------------------------------------------------------

EXPIRED = Answer(status=403, body={"reason": "ExpiredProviderToken"})
TAKEN = Answer(body=b"")


def issued(asked: Request) -> int:
    token = asked.headers["authorization"].removeprefix("bearer ")
    return int(jwt.decode(token, options={"verify_signature": False})["iat"])


def test_one_token_serves_many_messages() -> None:
    results, asked = push({"/3/device/": TAKEN}, messages=3)
    assert [type(each) for each in results] == [Sent] * 3
    assert len({each.headers["authorization"] for each in asked}) == 1


def test_a_token_is_renewed_after_forty_minutes_and_before_an_hour() -> None:
    token: Token = asyncio.run(ApnsAdapter(CONFIG)._mint())
    assert token.renew_after == 40 * 60
    assert token.seconds < 3600


def test_an_expired_token_is_made_anew_once() -> None:
    old = jwt.encode({"iss": "DEF123GHIJ", "iat": 1_700_000_000}, signing_key(KEY), algorithm="ES256")

    async def work(base_url: str) -> Sent:
        apns = adapter("apns", CONFIG, base_url)

        async def long_ago() -> Token:
            return Token(value=old, seconds=9999)

        await apns.tokens.get("provider", long_ago)
        try:
            return await apns.send(message())
        finally:
            await apns.close()

    _sent, asked = play({"/3/device/": [EXPIRED, TAKEN]}, work)
    assert issued(asked[0]) == 1_700_000_000
    assert issued(asked[1]) > 1_700_000_000


def test_a_new_token_that_is_called_expired_is_not_made_anew_all_the_time() -> None:
    [result], asked = push({"/3/device/": EXPIRED})
    assert isinstance(result, Misconfigured)
    assert "clock" in result.detail
    assert len(asked) == 1


# --- The notification -------------------------------------------------------------------------------------


def note(content: Mapping[str, Any], **fields: Any) -> Notification:
    return Notification.of(message(content, **fields), now=NOW)


def test_every_field_has_its_place() -> None:
    assert json.loads(payload(note(FULL))) == {
        "aps": {
            "alert": {"title": "Paid", "body": "Thank you"},
            "sound": "default",
            "badge": 0,
            "category": "ORDER",
            "thread-id": "orders",
            "mutable-content": 1,
        },
        "link": "https://shop.example.com/orders/42",
        "image": "https://shop.example.com/42.png",
        "order": 42,
    }
    assert options(note(FULL), NOW) == {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int((NOW + timedelta(hours=1)).timestamp())),
        "apns-collapse-id": "order-42",
    }


def test_a_plain_one_has_no_more_than_it_needs() -> None:
    assert json.loads(payload(note(PLAIN))) == {"aps": {"alert": PLAIN}}
    # A repetition replaces the first on the device.
    assert options(note(PLAIN), NOW) == {
        "apns-push-type": "alert",
        "apns-priority": "5",
        "apns-collapse-id": DELIVERY,
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": {"aps": {}}}, "reserved_key"),
        ({"data": {"x": "x" * 4096}}, "too_large"),
        ({"body": "字" * 1366}, "too_large"),
        ({"body": "\ud800"}, "content"),
    ],
)
def test_what_apple_would_not_take_is_not_sent(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        payload(note({**PLAIN, **changes}))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("address", "takes"), [(f"apns:{DEVICE}", True), (DEVICE, False), ("fcm:x", False), ("webpush:{}", False)]
)
def test_it_takes_device_tokens_of_apple(address: str, takes: bool) -> None:
    assert ApnsAdapter(CONFIG).takes(Address(kind="push_token", value=address)) is takes


# --- Settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "given", "url", "guard"),
    [
        ("production", "", "https://api.push.apple.com", False),
        ("sandbox", "", "https://api.sandbox.push.apple.com", False),
        ("sandbox", "https://proxy.example.com/", "https://proxy.example.com", True),
    ],
)
def test_the_environment_chooses_the_server(environment: str, given: str, url: str, guard: bool) -> None:
    found = adapter("apns", {**CONFIG, "environment": environment, "base_url": given})
    assert (found.base_url, found.guard) == (url, guard)


def test_a_key_may_have_lost_its_line_breaks() -> None:
    numbers = signing_key(KEY).private_numbers()
    for text in (KEY.replace("\n", ""), KEY.replace("\n", "\r\n"), f"\n {KEY}\n"):
        assert signing_key(text).private_numbers() == numbers


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"signing_key": "secret"}, "signing_key"),
        ({"signing_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "signing_key"),
        ({"signing_key": "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----"}, "signing_key"),
        ({"key_id": "abc"}, "key_id"),
        ({"team_id": "TOO-LONG-TEAM"}, "team_id"),
        ({"topic": "com example"}, "topic"),
        ({"environment": "moon"}, "environment"),
    ],
)
def test_a_bad_setting_is_named(changes: dict[str, str], name: str) -> None:
    assert list(ApnsAdapter.Config({**CONFIG, **changes}).errors) == [name]


def test_a_key_of_another_curve_is_none() -> None:
    key = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert list(ApnsAdapter.Config({**CONFIG, "signing_key": key.decode()}).errors) == ["signing_key"]


# --- HTTP/2, judged by Node -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 together with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apple.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "apple.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(encoding))
    return path


@dataclass(slots=True)
class Apple:
    """The judge, and what it has been asked; ``devices`` has a reason, ``reset`` or ``refuse`` for some."""

    certificate: Path
    devices: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=lambda: CONFIG)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def push(self, *waves: list[str]) -> list[Sent | ChannelError]:
        """What comes of messages to these devices: those of one wave at once."""
        with self._running() as base_url:
            return asyncio.run(self._push(base_url, waves))

    async def _push(self, base_url: str, waves: tuple[list[str], ...]) -> list[Sent | ChannelError]:
        apns = adapter("apns", self.config, base_url)
        try:
            results = []
            for wave in waves:
                results += await apns.send_many([message(FULL, device) for device in wave])
            return results
        finally:
            await apns.close()

    def check(self) -> str:
        async def work(base_url: str) -> str:
            apns = adapter("apns", self.config, base_url)
            try:
                return await apns.check()
            finally:
                await apns.close()

        with self._running() as base_url:
            return asyncio.run(work(base_url))

    @contextmanager
    def _running(self) -> Iterator[str]:
        public = (
            signing_key(KEY)
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        question = {
            "certificate": str(self.certificate),
            "publicKey": public.decode(),
            "keyId": CONFIG["key_id"],
            "teamId": CONFIG["team_id"],
            "topic": CONFIG["topic"],
            "devices": self.devices,
        }
        command = ["node", "apns.js", json.dumps(question)]
        with subprocess.Popen(
            command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as node:
            assert node.stdout is not None
            port = json.loads(node.stdout.readline())["port"]
            yield f"https://127.0.0.1:{port}"
            said, _ = node.communicate(timeout=20)
        self.asked += [json.loads(line) for line in said.splitlines()]


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.mark.node
def test_a_hundred_messages_at_once_share_one_connection_and_one_token(trusted: Path) -> None:
    apple = Apple(trusted)
    assert apple.push([DEVICE] * 100) == [Sent(provider_id=DELIVERY)] * 100
    assert len(apple.asked) == 100
    assert {each["session"] for each in apple.asked} == {0}
    assert len({each["headers"]["authorization"] for each in apple.asked}) == 1
    assert json.loads(apple.asked[0]["body"])["aps"]["alert"] == PLAIN


@pytest.mark.node
def test_apple_says_of_each_device_what_it_knows(trusted: Path) -> None:
    apple = Apple(trusted, {GONE: [410, "Unregistered", 1_772_366_400_000], OTHER: [400, "BadDeviceToken"]})
    results = apple.push([DEVICE, GONE, OTHER])
    assert [type(each) for each in results] == [Sent, Unreachable, Unreachable]
    assert "since 2026-03-01" in str(results[1])


@pytest.mark.node
def test_the_check_asks_for_a_device_that_nobody_has(trusted: Path) -> None:
    apple = Apple(trusted, {"00" * 32: [400, "BadDeviceToken"]})
    assert "com.example.shop" in apple.check()
    assert [each["device"] for each in apple.asked] == ["00" * 32]


@pytest.mark.node
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signing_key": sample_key()}, "InvalidProviderToken"),
        ({"key_id": "XXXXXXXXXX"}, "InvalidProviderToken"),
        ({"team_id": "XXXXXXXXXX"}, "InvalidProviderToken"),
        ({"topic": "com.example.other"}, "TopicDisallowed"),
    ],
)
def test_wrong_credentials_are_found_by_the_check(
    trusted: Path, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(Misconfigured) as caught:
        Apple(trusted, config={**CONFIG, **changes}).check()
    assert caught.value.code == reason


@pytest.mark.node
def test_after_a_farewell_the_next_message_takes_another_connection(trusted: Path) -> None:
    apple = Apple(trusted, {GONE: [503, "Shutdown", 0, "goaway"]})
    results = apple.push([GONE], [DEVICE, DEVICE])
    assert [type(each) for each in results] == [Temporary, Sent, Sent]
    assert [each["session"] for each in apple.asked] == [0, 1, 1]


@pytest.mark.node
def test_a_stream_that_breaks_off_leaves_doubt_and_one_that_is_refused_does_not(trusted: Path) -> None:
    results = Apple(trusted, {GONE: "reset", OTHER: "refuse"}).push([GONE], [OTHER], [DEVICE])
    doubts = [each.maybe_sent for each in results if isinstance(each, Temporary)]
    assert doubts == [True, False]
    assert isinstance(results[-1], Sent)


@pytest.mark.node
def test_nothing_goes_to_a_server_whose_certificate_is_not_trusted(certificate: Path) -> None:
    apple = Apple(certificate)
    [error] = apple.push([DEVICE])
    assert isinstance(error, Temporary)
    assert (error.code, error.maybe_sent) == ("connect", False)
    assert apple.asked == []
