"""Web Push: our own server for the answers of services, and one from npm that decrypts and verifies."""

import asyncio
import base64
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request as Question
from urllib.request import urlopen

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from pytest_django import Settings

from channels_app.account_form import form_for
from channels_app.adapters.web_push import (
    WebPushAdapter,
    base64url,
    encrypted,
    new_key,
    private_key,
    public_key,
)
from channels_app.channels import PUSH
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
from channels_app.models import Account
from tests.channels.provider import Answer, Request, adapter, outgoing, play
from tests.judges import HERE

BROWSER = ec.generate_private_key(ec.SECP256R1())
AUTH = bytes(range(16))
KEYS = {"p256dh": public_key(BROWSER), "auth": base64url(AUTH)}
CONFIG = {"contact": "ops@example.com", "private_key": new_key(), "hosts": ""}
PLAIN = {"title": "Paid", "body": "Thank you"}
FULL = {
    **PLAIN,
    "link": "https://shop.example.com/orders/42",
    "image": "https://shop.example.com/42.png",
    "data": {"order": 42},
    "badge": "3",
    "ttl": "3600",
    "collapse_key": "order-42",
    "urgent": True,
}
TAKEN = Answer(status=201, body=b"", headers={"location": "https://push.example.com/m/7"})


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def address(endpoint: str, keys: Mapping[str, str] = KEYS) -> str:
    return PUSH.normalise(json.dumps({"endpoint": endpoint, "keys": keys}))


def message(endpoint: str, content: Mapping[str, Any] = PLAIN, **fields: Any) -> Outgoing:
    return outgoing("push_token", address(endpoint), content, **fields)


def push(
    *answers: Answer,
    content: Mapping[str, Any] = PLAIN,
    fields: Mapping[str, Any] | None = None,
    **config: Any,
) -> tuple[list[Sent | ChannelError], list[Request]]:
    """What comes of messages, one for each answer and one after the other."""

    async def work(base_url: str) -> list[Sent | ChannelError]:
        web_push = adapter("web_push", {**CONFIG, **config})
        one = message(f"{base_url}/p/1", content, **(fields or {}))
        return [each for _ in answers for each in await web_push.send_many([one])]

    return play({"/p/": answers}, work)


def decrypted(body: bytes) -> Any:
    plain = http_ece.decrypt(body, private_key=BROWSER, auth_secret=AUTH, version="aes128gcm")
    return json.loads(plain)


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# --- The call ---------------------------------------------------------------------------------------------


def test_the_browser_alone_can_read_it() -> None:
    [sent], [asked] = push(TAKEN, content=FULL)
    assert sent == Sent(provider_id="https://push.example.com/m/7", note="HTTP status 201")
    assert decrypted(asked.body) == {
        "web_push": 8030,
        "mutable": True,
        "notification": {
            "title": "Paid",
            "body": "Thank you",
            "navigate": "https://shop.example.com/orders/42",
            "image": "https://shop.example.com/42.png",
            "tag": "order-42",
            "data": {"order": 42},
        },
        "app_badge": 3,
    }


def test_the_headers_say_how_it_is_to_be_handled() -> None:
    _results, [asked] = push(TAKEN, content=FULL)
    assert asked.headers["content-encoding"] == "aes128gcm"
    assert asked.headers["content-type"] == "application/octet-stream"
    assert asked.headers["ttl"] == "3600"
    assert asked.headers["urgency"] == "high"
    assert len(unpadded(asked.headers["topic"])) == 24


def test_a_plain_one_replaces_only_its_own_repetition() -> None:
    _results, asked = push(TAKEN, TAKEN, fields={"id": "d-9"})
    _others, [other] = push(TAKEN, fields={"id": "d-8"})
    assert decrypted(asked[0].body) == {"notification": {**PLAIN, "tag": "d-9"}}
    assert asked[0].headers["urgency"] == "normal"
    assert asked[0].headers["ttl"] == "2419200"
    assert asked[0].headers["topic"] == asked[1].headers["topic"] != other.headers["topic"]


def test_nothing_is_kept_beyond_the_messages_own_end() -> None:
    ends = datetime.now(UTC) + timedelta(seconds=90)
    _results, [asked] = push(TAKEN, content=FULL, fields={"expires_at": ends})
    assert 80 <= int(asked.headers["ttl"]) <= 90


def test_the_sender_names_itself_by_a_signature_for_this_service() -> None:
    _results, asked = push(TAKEN, TAKEN)
    assert asked[0].headers["authorization"] == asked[1].headers["authorization"]
    scheme, token, key = asked[0].headers["authorization"].replace(",", "").split()
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpadded(key.removeprefix("k=")))
    head, body, signature = token.removeprefix("t=").split(".")
    verify(public, f"{head}.{body}", unpadded(signature))
    claims = json.loads(unpadded(body))
    assert scheme == "vapid"
    assert json.loads(unpadded(head)) == {"alg": "ES256", "typ": "JWT"}
    assert claims["aud"] == f"http://{asked[0].headers['host']}"
    assert claims["sub"] == "mailto:ops@example.com"
    assert 0 < claims["exp"] - time.time() <= 24 * 3600


def verify(key: ec.EllipticCurvePublicKey, signed: str, signature: bytes) -> None:
    """With ``cryptography`` alone: the two numbers stand one after the other (RFC 7518, 3.4)."""
    first, second = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    key.verify(utils.encode_dss_signature(first, second), signed.encode(), ec.ECDSA(SHA256()))


def test_each_service_has_a_signature_of_its_own_and_they_do_not_grow_for_ever() -> None:
    web_push = WebPushAdapter(CONFIG)
    headers = {web_push._authorization(f"https://push-{number}.example.com/x") for number in range(150)}
    assert len(headers) == 150
    assert len(web_push._tokens) <= 100


# --- Answers ----------------------------------------------------------------------------------------------

STATUSES: list[tuple[int, type[ChannelError]]] = [
    (301, Unreachable),
    (302, Temporary),
    (307, Temporary),
    (308, Unreachable),
    (400, Misconfigured),
    (401, Misconfigured),
    (403, Misconfigured),
    (404, Unreachable),
    (410, Unreachable),
    (413, Refused),
    (429, Throttled),
    (418, Refused),
    (500, Temporary),
    (502, Temporary),
    (503, Temporary),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_status_has_one_meaning(status: int, kind: type[ChannelError]) -> None:
    [error], _asked = push(Answer(status=status, body=b"no"))
    assert type(error) is kind
    assert error.code == str(status)
    assert getattr(error, "maybe_sent", False) is (status == 502)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_status_of_success_is_one(status: int) -> None:
    [sent], _asked = push(Answer(status=status, body=b""))
    assert sent == Sent(note=f"HTTP status {status}")


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_sets_the_pause(status: int) -> None:
    [error], _asked = push(Answer(status=status, headers={"retry-after": "120"}))
    assert isinstance(error, Throttled)
    assert error.retry_after == 120


@pytest.mark.parametrize(
    "body",
    [
        {"code": 401, "errno": 109, "error": "Unauthorized", "message": "the keys do not match"},
        {"reason": "the keys do not match"},
    ],
)
def test_one_subscription_with_another_key_does_not_speak_of_the_account(body: dict[str, Any]) -> None:
    refused = Answer(status=401, body=body)
    results, _asked = push(refused, TAKEN, refused)
    assert [getattr(each, "scope", None) for each in results] == [Scope.SENDER, None, Scope.SENDER]
    assert str(results[0]) == "the keys do not match"


def test_many_in_a_row_do() -> None:
    results, _asked = push(*[Answer(status=403, body=b"")] * 21)
    assert [getattr(each, "scope", None) for each in results] == [Scope.SENDER] * 19 + [Scope.ACCOUNT] * 2


# --- What is not sent -------------------------------------------------------------------------------------


def error(value: str, content: Mapping[str, Any] = PLAIN, **config: Any) -> ChannelError:
    web_push = adapter("web_push", {**CONFIG, **config})
    with pytest.raises(ChannelError) as caught:
        asyncio.run(web_push.send(outgoing("push_token", value, content)))
    return caught.value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (
            address(
                "https://push.example.com/1", {"p256dh": base64url(b"\4" + bytes(64)), "auth": KEYS["auth"]}
            ),
            "malformed",
        ),
        ("fcm:APA91bH", "malformed"),
    ],
)
def test_what_is_no_subscription_cannot_be_reached(value: str, code: str) -> None:
    found = error(value)
    assert isinstance(found, Unreachable)
    assert found.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": {"x": "x" * 3993}}, "too_large"),
        ({"body": "字" * 1331}, "too_large"),
        ({"data": ["x"]}, "content"),
        ({"badge": "many"}, "content"),
        ({"body": "\ud800"}, "content"),
    ],
)
def test_what_a_service_would_not_take_is_not_sent(changes: dict[str, Any], code: str) -> None:
    found = error(address("https://push.example.com/1"), {**PLAIN, **changes})
    assert isinstance(found, Refused)
    assert found.code == code


def test_the_largest_message_fills_one_record_of_4096_bytes() -> None:
    assert len(encrypted(b"x" * 3993, KEYS)) == 4096


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/1", "https://127.0.0.1:9/1", "https://10.0.0.1/1"])
def test_a_subscription_never_leads_into_a_network_of_ones_own(endpoint: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    found = error(address(endpoint))
    assert isinstance(found, Refused)
    assert found.code == "destination_denied"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("fcm.googleapis.com", True),
        ("FCM.googleapis.com", True),
        ("updates.push.services.mozilla.com", True),
        ("wns2-par02p.notify.windows.com", True),
        ("web.push.apple.com", True),
        ("googleapis.com", False),
        ("evil-fcm.googleapis.com", False),
        ("fcm.googleapis.com.example.com", False),
        ("evilpush.apple.com", False),
    ],
)
def test_only_the_services_of_the_account_are_called(host: str, known: bool) -> None:
    web_push = adapter("web_push", {"contact": "ops@example.com"})
    assert isinstance(web_push, WebPushAdapter)
    if known:
        web_push._refuse_strange_host(f"https://{host}/x")
        return
    with pytest.raises(Refused) as caught:
        web_push._refuse_strange_host(f"https://{host}/x")
    assert caught.value.code == "host"


@pytest.mark.parametrize(("value", "takes"), [("webpush:{}", True), ("fcm:x", False), ("apns:a0", False)])
def test_it_takes_subscriptions(value: str, takes: bool) -> None:
    assert WebPushAdapter(CONFIG).takes(Address(kind="push_token", value=value)) is takes


# --- Settings ---------------------------------------------------------------------------------------------


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_keys_that_are_left_blank_are_made() -> None:
    form = WebPushAdapter.Config({"contact": "ops@example.com"})
    assert form.is_valid(), form.errors
    made = form.cleaned_data
    assert made["public_key"] == public_key(private_key(made["private_key"]))
    assert len(unpadded(made["public_key"])) == 65


@pytest.mark.parametrize("written", ["pem", "one line", "base64url"])
def test_a_key_that_is_there_already_is_taken(written: str) -> None:
    key = private_key(new_key())
    number = base64url(key.private_numbers().private_value.to_bytes(32))
    text = {"pem": pem(key), "one line": pem(key).replace("\n", ""), "base64url": number}[written]
    form = WebPushAdapter.Config({"contact": "ops@example.com", "private_key": text})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["private_key"] == number
    assert form.cleaned_data["public_key"] == public_key(key)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"private_key": "?"}, "private_key"),
        ({"private_key": "AAAA"}, "private_key"),
        ({"private_key": base64url(bytes(32))}, "private_key"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----"}, "private_key"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP384R1()))}, "private_key"),
        ({"public_key": public_key(BROWSER)}, "public_key"),
        ({"contact": "nobody"}, "contact"),
    ],
)
def test_a_bad_setting_is_named(changes: dict[str, str], name: str) -> None:
    assert list(WebPushAdapter.Config({**CONFIG, **changes}).errors) == [name]


@pytest.mark.django_db
def test_the_console_makes_the_keys_once_and_shows_the_public_one() -> None:
    form_class = form_for(WebPushAdapter, channel="push")
    data = {"name": "Browsers", "priority": "10", "weight": "1", "config-contact": "ops@example.com"}
    form_class(data).save()
    account = Account.objects.get()
    made = account.secret_values()["private_key"]
    assert account.config["public_key"] == public_key(private_key(made))

    again = form_class(
        {**data, "config-contact": "push@example.com", "config-public_key": account.config["public_key"]},
        instance=account,
    )
    again.save()
    account = Account.objects.get()
    assert account.secret_values()["private_key"] == made
    assert account.config["contact"] == "push@example.com"


# --- Judged by web-push-testing ---------------------------------------------------------------------------


class Service:
    """The judge: a browser's push service and the browser itself."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def subscribe(self, key: str) -> dict[str, Any]:
        found = self._ask("/subscribe", {"userVisibleOnly": "true", "applicationServerKey": key})
        assert isinstance(found, dict)
        return found

    def shown(self, subscription: Mapping[str, Any]) -> list[Any]:
        found = self._ask("/get-notifications", {"clientHash": subscription["clientHash"]})
        return [json.loads(each) for each in found["messages"]]

    def expire(self, subscription: Mapping[str, Any]) -> None:
        self._post(f"/expire-subscription/{subscription['clientHash']}", {})

    def _ask(self, path: str, value: Mapping[str, str]) -> Any:
        return json.loads(self._post(path, value))["data"]

    def _post(self, path: str, value: Mapping[str, str]) -> bytes:
        question = Question(
            self.url + path, json.dumps(value).encode(), {"content-type": "application/json"}, method="POST"
        )
        with urlopen(question, timeout=10) as answer:
            return bytes(answer.read())


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with subprocess.Popen(
        ["node", "web_push.js"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as node:
        assert node.stdout is not None
        yield Service(json.loads(node.stdout.readline())["port"])
        node.communicate(timeout=20)


def deliver(subscription: Mapping[str, Any], content: Mapping[str, Any] = PLAIN) -> Sent | ChannelError:
    async def work(_url: str) -> Sent | ChannelError:
        one = message(subscription["endpoint"], content)
        value = address(subscription["endpoint"], subscription["keys"])
        [result] = await adapter("web_push", CONFIG).send_many([outgoing("push_token", value, one.content)])
        return result

    return play({}, work)[0]


@pytest.mark.node
@pytest.mark.parametrize("content", [PLAIN, FULL, {**PLAIN, "body": "订单已付款 🎉"}])
def test_a_browser_shows_what_was_sent(service: Service, content: dict[str, Any]) -> None:
    subscription = service.subscribe(public_key(private_key(CONFIG["private_key"])))
    assert isinstance(deliver(subscription, content), Sent)
    [shown] = service.shown(subscription)
    assert shown["notification"]["body"] == content["body"]


@pytest.mark.node
def test_a_subscription_for_another_key_is_refused(service: Service) -> None:
    subscription = service.subscribe(public_key(private_key(new_key())))
    found = deliver(subscription)
    assert isinstance(found, Misconfigured)
    assert (found.code, found.scope) == ("400", Scope.SENDER)
    assert service.shown(subscription) == []


@pytest.mark.node
def test_a_browser_that_has_left_cannot_be_reached(service: Service) -> None:
    subscription = service.subscribe(public_key(private_key(CONFIG["private_key"])))
    service.expire(subscription)
    found = deliver(subscription)
    assert isinstance(found, Unreachable)
    assert found.code == "410"
