"""Firebase Cloud Messaging: a server of our own for the protocol, and Google's own schema for the message."""

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pytest_django import Settings

from channels_app.adapters.fcm import FcmAdapter, ServiceAccount, payload
from channels_app.contract import (
    Address,
    ChannelError,
    Misconfigured,
    Outgoing,
    Refused,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from tests.channels.provider import Answer, Request, Script, adapter, outgoing, play

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLAIN = {"title": "Paid", "body": "Thank you"}
FULL = {
    **PLAIN,
    "link": "https://shop.example.com/orders/42",
    "image": "https://shop.example.com/42.png",
    "data": {"order": "42", "sum": 1.5, "lines": ["a"], "note": ""},
    "sound": "default",
    "badge": "3",
    "ttl": "3600",
    "collapse_key": "order-42",
    "urgent": True,
    "android_channel": "orders",
    "ios_category": "ORDER",
    "ios_thread": "orders",
}
TAKEN = Answer(body={"name": "projects/shop-1/messages/0:1%31"})
TOKEN = Answer(body={"access_token": "ya29.a", "expires_in": 3599, "token_type": "Bearer"})
SECOND = Answer(body={"access_token": "ya29.b", "expires_in": 3599, "token_type": "Bearer"})
ADDRESS = "fcm:dXyz:APA91bH-x_y"


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(base_url: str = "https://example.com") -> str:
    pem = key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "shop-1",
        "private_key_id": "k-1",
        "private_key": pem.decode(),
        "client_email": "push@shop-1.iam.gserviceaccount.com",
        "token_uri": f"{base_url}/token",
    }
    return json.dumps(account)


def send(
    script: Script, *addresses: str, content: Mapping[str, Any] = PLAIN, **config: Any
) -> tuple[list[Sent | ChannelError], list[Request]]:
    """What comes of one message to each address, one after the other."""

    async def work(base_url: str) -> list[Sent | ChannelError]:
        fcm = adapter("fcm", {"service_account": key_file(base_url), **config}, base_url)
        results: list[Sent | ChannelError] = []
        for address in addresses or (ADDRESS,):
            results += await fcm.send_many([outgoing("push_token", address, content)])
        return results

    return play({"/token": TOKEN, **script}, work)


def error(answer: Answer, content: Mapping[str, Any] = PLAIN) -> ChannelError:
    [result], _asked = send({"messages:send": answer}, content=content)
    assert isinstance(result, ChannelError)
    return result


# --- The call ---------------------------------------------------------------------------------------------


def test_a_message_is_handed_over_with_the_token_that_the_key_was_exchanged_for() -> None:
    results, asked = send({"messages:send": TAKEN}, ADDRESS, "fid:dXyz_1", project_id="shop-2")
    assert results == [Sent(provider_id="projects/shop-1/messages/0:1%31")] * 2
    exchange, first, second = asked
    assert first.path == "/v1/projects/shop-2/messages:send"
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer ya29.a"
    assert first.json["message"]["token"] == "dXyz:APA91bH-x_y"
    assert second.json["message"]["fid"] == "dXyz_1"
    assert exchange.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"


def test_the_assertion_is_signed_by_the_key_and_says_what_google_asks_for() -> None:
    _results, asked = send({"messages:send": TAKEN})
    head, body, signature = asked[0].form["assertion"].split(".")
    key().public_key().verify(
        unpadded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    claims = json.loads(unpadded(body))
    assert json.loads(unpadded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k-1"}
    assert claims["iss"] == "push@shop-1.iam.gserviceaccount.com"
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert claims["aud"].endswith("/token")
    assert claims["exp"] - claims["iat"] <= 3600


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_stale_token_is_fetched_anew_once() -> None:
    stale = Answer(status=401, body=google(401, "UNAUTHENTICATED"))
    [result], asked = send({"/token": [TOKEN, SECOND], "messages:send": [stale, TAKEN]})
    assert isinstance(result, Sent)
    assert [each.headers.get("authorization") for each in asked if "messages" in each.path] == [
        "Bearer ya29.a",
        "Bearer ya29.b",
    ]


def test_the_check_is_a_dry_run_that_reaches_nobody() -> None:
    async def work(base_url: str) -> str:
        return await adapter("fcm", {"service_account": key_file(base_url)}, base_url).check()

    said, asked = play({"/token": TOKEN, "messages:send": TAKEN}, work)
    assert "shop-1" in said
    assert asked[-1].json["validateOnly"] is True
    assert set(asked[-1].json["message"]) == {"topic", "data"}
    assert faults_of(asked[-1].json) == []


@pytest.mark.parametrize(
    ("address", "takes"),
    [
        (ADDRESS, True),
        ("APA91bH", True),
        ("fid:d", True),
        ("apns:" + "a0" * 32, False),
        ("webpush:{}", False),
    ],
)
def test_it_takes_what_is_no_other_providers(address: str, takes: bool) -> None:
    fcm = FcmAdapter({"service_account": key_file()})
    assert fcm.takes(Address(kind="push_token", value=address)) is takes


# --- Answers ----------------------------------------------------------------------------------------------


def google(code: int, status: str, message: str = "", **detail: Any) -> dict[str, Any]:
    """An error of Google's APIs as it is documented."""
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", **detail}] if detail else []
    return {"error": {"code": code, "status": status, "message": message, "details": details}}


NOT_VALID = "The registration token is not a valid FCM registration token"
BAD_FIELD = [{"field": "message.data[0].value", "description": "Invalid value"}]
BAD_TOKEN = [{"field": "message.token", "description": "Invalid registration token"}]
BAD_FID = [{"field": "message.fid", "description": "Invalid installation ID"}]
ERRORS: list[tuple[int, Any, type[ChannelError], str]] = [
    (404, google(404, "NOT_FOUND", errorCode="UNREGISTERED"), Unreachable, "UNREGISTERED"),
    (
        403,
        google(403, "PERMISSION_DENIED", errorCode="SENDER_ID_MISMATCH"),
        Unreachable,
        "SENDER_ID_MISMATCH",
    ),
    (
        400,
        google(400, "INVALID_ARGUMENT", NOT_VALID, errorCode="INVALID_ARGUMENT"),
        Unreachable,
        "BAD_ADDRESS",
    ),
    (400, google(400, "INVALID_ARGUMENT", fieldViolations=BAD_TOKEN), Unreachable, "BAD_ADDRESS"),
    (400, google(400, "INVALID_ARGUMENT", fieldViolations=BAD_FID), Unreachable, "BAD_ADDRESS"),
    (400, google(400, "INVALID_ARGUMENT", fieldViolations=BAD_FIELD), Refused, "INVALID_ARGUMENT"),
    (400, google(400, "INVALID_ARGUMENT"), Refused, "INVALID_ARGUMENT"),
    (429, google(429, "RESOURCE_EXHAUSTED", errorCode="QUOTA_EXCEEDED"), Throttled, "QUOTA_EXCEEDED"),
    (429, google(429, "RESOURCE_EXHAUSTED"), Throttled, "RESOURCE_EXHAUSTED"),
    (503, google(503, "UNAVAILABLE", errorCode="UNAVAILABLE"), Temporary, "UNAVAILABLE"),
    (500, google(500, "INTERNAL", errorCode="INTERNAL"), Temporary, "INTERNAL"),
    (502, b"<html>Bad Gateway</html>", Temporary, "502"),
    (
        401,
        google(401, "UNAUTHENTICATED", errorCode="THIRD_PARTY_AUTH_ERROR"),
        Misconfigured,
        "THIRD_PARTY_AUTH_ERROR",
    ),
    (401, google(401, "UNAUTHENTICATED"), Misconfigured, "UNAUTHENTICATED"),
    (403, google(403, "PERMISSION_DENIED"), Misconfigured, "PERMISSION_DENIED"),
    (404, google(404, "NOT_FOUND"), Misconfigured, "NOT_FOUND"),
    (404, b"<html>Not Found</html>", Misconfigured, "404"),
    (400, google(400, "NEVER_HEARD_OF", errorCode="UNSPECIFIED_ERROR"), Refused, "UNSPECIFIED_ERROR"),
    (400, {"error": {"details": "odd"}}, Refused, "error"),
    (400, {"error": "odd"}, Refused, "400"),
    (200, b"<html>Welcome</html>", Temporary, "not_json"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), ERRORS)
def test_an_error_of_firebase_has_one_meaning(
    status: int, body: Any, kind: type[ChannelError], code: str
) -> None:
    found = error(Answer(status=status, body=body))
    assert isinstance(found, kind)
    assert found.code == code
    assert not getattr(found, "opted_out", False)


@pytest.mark.parametrize(("header", "pause"), [({}, 60.0), ({"retry-after": "7"}, 7.0)])
def test_a_quota_that_is_used_up_asks_for_a_pause(header: dict[str, str], pause: float) -> None:
    body = google(429, "RESOURCE_EXHAUSTED", errorCode="QUOTA_EXCEEDED")
    found = error(Answer(status=429, body=body, headers=header))
    assert isinstance(found, Throttled)
    assert found.retry_after == pause


def test_a_firebase_that_is_down_may_say_for_how_long() -> None:
    found = error(Answer(status=503, body=google(503, "UNAVAILABLE"), headers={"retry-after": "30"}))
    assert isinstance(found, Throttled)
    assert found.retry_after == 30


def test_tokens_of_another_project_in_a_row_speak_of_the_key() -> None:
    stranger = Answer(status=403, body=google(403, "PERMISSION_DENIED", errorCode="SENDER_ID_MISMATCH"))
    results, _asked = send({"messages:send": stranger}, *[ADDRESS] * 21)
    assert [type(each) for each in results] == [Unreachable] * 19 + [Misconfigured] * 2


EXCHANGES: list[tuple[int, Any, type[ChannelError]]] = [
    (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, Misconfigured),
    (401, {"error": "invalid_client"}, Misconfigured),
    (404, b"<html>Not Found</html>", Misconfigured),
    (200, {"token_type": "Bearer"}, Misconfigured),
    (200, b"<html>Welcome</html>", Temporary),
    (502, b"<html>Bad Gateway</html>", Temporary),
    (503, {"error": "internal_failure"}, Temporary),
    (429, {"error": "rate_limit_exceeded"}, Throttled),
]


@pytest.mark.parametrize(("status", "body", "kind"), EXCHANGES)
def test_a_key_that_is_not_exchanged_never_leaves_a_message_in_doubt(
    status: int, body: Any, kind: type[ChannelError]
) -> None:
    [result], asked = send({"/token": Answer(status=status, body=body)})
    assert isinstance(result, kind)
    assert not getattr(result, "maybe_sent", False)
    assert len(asked) == 1


# --- The message ------------------------------------------------------------------------------------------


@cache
def schemas() -> Mapping[str, Any]:
    """Google's own description of its API, from the package of its Python client."""
    found = find_spec("googleapiclient")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "discovery_cache/documents/fcm.v1.json"
    return json.loads(path.read_text())["schemas"]


KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}


def faults_of(request: Any) -> list[str]:
    """What Google's schema has against a request: unknown and deprecated fields, wrong types and choices."""
    return list(_faults(request, {"$ref": "SendMessageRequest"}, "request"))


def _faults(value: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    schema = schemas()[schema["$ref"]] if "$ref" in schema else schema
    kind = schema.get("type", "any")
    if kind == "any":
        return
    if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{at}: not of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value} is no choice"
    for index, each in enumerate(value if isinstance(value, list) else []):
        yield from _faults(each, schema["items"], f"{at}[{index}]")
    for name, each in (value if isinstance(value, dict) else {}).items():
        inner = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
        if inner is None:
            yield f"{at}.{name}: unknown"
            continue
        if inner.get("deprecated"):
            yield f"{at}.{name}: deprecated"
        yield from _faults(each, inner, f"{at}.{name}")


def message(content: Mapping[str, Any], address: str = "fid:dXyz_1", **fields: Any) -> Outgoing:
    return outgoing("push_token", address, content, **fields)


@pytest.mark.parametrize("content", [PLAIN, FULL, {**FULL, "urgent": False, "link": "shop://orders/42"}])
def test_google_takes_the_message(content: Mapping[str, Any]) -> None:
    assert faults_of({"message": payload(message(content), now=NOW)}) == []


def test_only_what_firebase_gave_as_a_token_goes_into_the_deprecated_field() -> None:
    assert faults_of({"message": payload(message(FULL, ADDRESS), now=NOW)}) == [
        "request.message.token: deprecated"
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"titel": "x"}, "request.message.titel: unknown"),
        ({"data": {"sum": 1}}, "request.message.data.sum: not of type string"),
        ({"android": {"priority": "high"}}, "request.message.android.priority: high is no choice"),
    ],
)
def test_the_judge_finds_faults(changes: dict[str, Any], fault: str) -> None:
    assert faults_of({"message": {"fid": "d", **changes}}) == [fault]


def test_every_field_has_its_place() -> None:
    found = payload(message(FULL), now=NOW)
    ends = int((NOW + timedelta(hours=1)).timestamp())
    assert found == {
        "fid": "dXyz_1",
        "notification": {
            "title": "Paid",
            "body": "Thank you",
            "image": "https://shop.example.com/42.png",
        },
        "data": {
            "link": "https://shop.example.com/orders/42",
            "order": "42",
            "sum": "1.5",
            "lines": '["a"]',
            "note": "",
        },
        "android": {
            "priority": "HIGH",
            "collapseKey": "order-42",
            "ttl": "3600s",
            "notification": {
                "channelId": "orders",
                "sound": "default",
                "notificationCount": 3,
                "tag": "order-42",
            },
        },
        "apns": {
            "headers": {
                "apns-priority": "10",
                "apns-collapse-id": "order-42",
                "apns-expiration": str(ends),
            },
            "payload": {"aps": {"sound": "default", "badge": 3, "category": "ORDER", "thread-id": "orders"}},
        },
        "webpush": {
            "headers": {"TTL": "3600", "Urgency": "high"},
            "fcmOptions": {"link": "https://shop.example.com/orders/42"},
        },
    }


def test_a_repeated_attempt_replaces_the_first_on_the_device() -> None:
    found = payload(message(PLAIN, id="d-9"), now=NOW)
    assert found["android"]["notification"]["tag"] == "d-9"
    assert found["apns"]["headers"]["apns-collapse-id"] == "d-9"
    assert "collapseKey" not in found["android"]  # of those a device keeps four alone


@pytest.mark.parametrize(
    ("ttl", "seconds_left", "sent"),
    [
        ("", None, None),
        ("60", None, "60s"),
        ("60", 3600, "60s"),
        ("3600", 60, "60s"),
        ("", 90, "90s"),
        ("", -5, "0s"),
        ("9999999", None, "2419200s"),
    ],
)
def test_nothing_is_kept_beyond_the_messages_own_end(
    ttl: str, seconds_left: int | None, sent: str | None
) -> None:
    ends = None if seconds_left is None else NOW + timedelta(seconds=seconds_left)
    found = payload(message({**PLAIN, "ttl": ttl}, expires_at=ends), now=NOW)
    assert found["android"].get("ttl") == sent


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": {"from": "x"}}, "reserved_key"),
        ({"data": {"message_type": "x"}}, "reserved_key"),
        ({"data": {"google.x": "x"}}, "reserved_key"),
        ({"data": {"gcm.notification.title": "x"}}, "reserved_key"),
        ({"data": ["x"]}, "content"),
        ({"badge": "many"}, "content"),
        ({"badge": "-1"}, "content"),
        ({"badge": "٣"}, "content"),
        ({"ttl": "1h"}, "content"),
        ({"body": "\ud800"}, "content"),
        ({"data": {"x": "x" * 4096}}, "too_large"),
        ({"body": "字" * 1366}, "too_large"),
    ],
)
def test_what_firebase_would_not_take_is_not_sent(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as caught:
        payload(message({**PLAIN, **changes}), now=NOW)
    assert caught.value.code == code


# --- Settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "[" * 100_000,
        "{}",
        '{"project_id": 1, "client_email": "a", "private_key": "b"}',
        '{"project_id": "a", "client_email": "a", "private_key": "b"}',
    ],
)
def test_a_file_that_is_no_key_is_named(text: str) -> None:
    form = FcmAdapter.Config({"service_account": text})
    assert list(form.errors) == ["service_account"]


def test_a_project_has_the_form_of_one() -> None:
    form = FcmAdapter.Config({"service_account": key_file(), "project_id": "../other"})
    assert list(form.errors) == ["project_id"]


def test_without_its_own_a_key_file_has_googles_token_url() -> None:
    value = json.loads(key_file())
    del value["token_uri"]
    assert ServiceAccount.parse(json.dumps(value)).token_url == "https://oauth2.googleapis.com/token"


def test_a_token_url_is_behind_the_guard_unless_it_is_googles(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    fcm = FcmAdapter({"service_account": key_file("http://127.0.0.1:9")})
    with pytest.raises(Refused) as caught:
        asyncio.run(fcm.send(message(PLAIN)))
    assert caught.value.code == "destination_denied"
