"""Mail providers through Anymail: what they are asked, and what their answers and calls mean. moto plays Amazon."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import unquote_plus

import boto3  # type: ignore[import-untyped]
import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from django.test import override_settings
from moto.server import ThreadedMotoServer
from pytest_django import Settings
from standardwebhooks import Webhook

from channels_app import registry, standard_webhooks
from channels_app.adapters.anymail import CODES, ESPS, of_boto, reports
from channels_app.contract import (
    Callback,
    ChannelError,
    ForgedCallback,
    Misconfigured,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from tests.channels.provider import Answer, Request, adapter, outgoing, play

CONFIG = {
    "esp": "postmark",
    "from_address": "Shop <shop@example.com>",
    "reply_to": "help@example.com",
    "api_key": "key-1",
    "secret_key": "key-2",
    "project_id": "project-1",
    "sender_domain": "",
}
CONTENT = {"subject": "已付款\nBcc: eve@example.net", "html": "<p>Paid</p>", "preheader": "In short"}
LEAVE = "https://push.example.com/u/" + "t" * 300
TAKEN = Answer(body={"To": "ann@example.org", "MessageID": "m-1", "ErrorCode": 0, "Message": "OK"})
#: What each provider's documentation shows for a mail that was taken, and the id in it.
ANSWERS: Mapping[str, tuple[Answer, str]] = {
    "brevo": (
        Answer(status=201, body={"messageId": "<m-1@smtp-relay.mailin.fr>"}),
        "<m-1@smtp-relay.mailin.fr>",
    ),
    "mailersend": (Answer(status=202, body=b"", headers={"x-message-id": "m-1"}), "m-1"),
    "mailgun": (
        Answer(body={"id": "<m-1@example.com>", "message": "Queued. Thank you."}),
        "<m-1@example.com>",
    ),
    "mailjet": (
        Answer(
            body={
                "Messages": [
                    {
                        "Status": "success",
                        "To": [{"Email": "ann@example.org", "MessageID": 456}],
                        "Cc": [],
                        "Bcc": [],
                    }
                ]
            }
        ),
        "456",
    ),
    "mailtrap": (Answer(body={"success": True, "message_ids": ["m-1"]}), "m-1"),
    "postmark": (TAKEN, "m-1"),
    "resend": (Answer(body={"id": "m-1"}), "m-1"),
    "scaleway": (
        Answer(
            body={
                "emails": [
                    {"id": "m-1", "message_id": "other", "mail_rcpt": "ann@example.org", "status": "new"}
                ]
            }
        ),
        "m-1",
    ),
    "sparkpost": (
        Answer(
            body={"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": "m-1"}}
        ),
        "m-1",
    ),
    # It goes by an id of Anymail's making.
    "unisender_go": (Answer(body={"status": "success", "job_id": "j", "emails": ["ann@example.org"]}), ""),
}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(**fields: Any) -> Outgoing:
    return outgoing("email", "ann@example.org", CONTENT, **fields)


async def hand_over(config: Mapping[str, Any], base_url: str, to_send: Outgoing) -> Sent | ChannelError:
    one = adapter("anymail", config, base_url)
    try:
        [result] = await one.send_many([to_send])
    finally:
        await one.close()
    return result


def send(
    answer: Answer, esp: str = "postmark", to_send: Outgoing | None = None
) -> tuple[Sent | ChannelError, list[Request]]:
    async def work(base_url: str) -> Sent | ChannelError:
        return await hand_over({**CONFIG, "esp": esp}, base_url, to_send or message())

    return play({"/": answer}, work)


@pytest.mark.parametrize(("esp", "answer", "provider_id"), [(name, *each) for name, each in ANSWERS.items()])
def test_every_provider_takes_a_mail_with_all_that_we_ask_of_one(
    esp: str, answer: Answer, provider_id: str
) -> None:
    result, [request] = send(answer, esp, message(unsubscribe_url=LEAVE))
    assert isinstance(result, Sent), result
    assert request.method == "POST"
    sent = unquote_plus(request.body.decode("utf-8", "replace"))
    assert result.provider_id == provider_id if provider_id else result.provider_id in sent
    parts = ["ann@example.org", "shop@example.com", "help@example.com", LEAVE, "List-Unsubscribe=One-Click"]
    for part in [*parts, "d-1"] if ESPS[esp].metadata else parts:
        assert part in sent, part


#: Where each provider is told whether it counts opens and clicks, and the words for yes and no.
TRACKING: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mailersend": (
        ('"track_opens": true', '"track_clicks": true'),
        ('"track_opens": false', '"track_clicks": false'),
    ),
    "mailgun": (
        ("o%3Atracking-opens=yes", "o%3Atracking-clicks=yes"),
        ("o%3Atracking-opens=no", "o%3Atracking-clicks=no"),
    ),
    "mailjet": (
        ('"TrackOpens": "enabled"', '"TrackClicks": "enabled"'),
        ('"TrackOpens": "disabled"', '"TrackClicks": "disabled"'),
    ),
    "postmark": (
        ('"TrackOpens": true', '"TrackLinks": "HtmlAndText"'),
        ('"TrackOpens": false', '"TrackLinks": "None"'),
    ),
    "sparkpost": (
        ('"open_tracking": true', '"click_tracking": true'),
        ('"open_tracking": false', '"click_tracking": false'),
    ),
    "unisender_go": (('"track_read": 1', '"track_links": 1'), ('"track_read": 0', '"track_links": 0')),
}


@pytest.mark.parametrize("esp", TRACKING)
@pytest.mark.parametrize("is_tracked", [True, False])
def test_opens_and_clicks_are_counted_where_the_template_wants_it(esp: str, *, is_tracked: bool) -> None:
    _sent, [request] = send(ANSWERS[esp][0], esp, message(is_tracked=is_tracked))
    body = request.body.decode()
    assert all(words in body for words in TRACKING[esp][0 if is_tracked else 1]), body


def test_who_cannot_be_told_is_not_told() -> None:
    assert {name for name, esp in ESPS.items() if esp.tracks} == set(TRACKING)


def test_every_provider_that_anymail_supports_in_full_is_offered() -> None:
    assert set(ESPS) == set(ANSWERS) | {"amazon_ses"}


def test_postmark_gets_the_mail_as_it_was_written() -> None:
    _sent, [request] = send(TAKEN, to_send=message(unsubscribe_url=LEAVE))
    assert request.headers["x-postmark-server-token"] == "key-1"
    mail = request.json
    assert mail["Subject"] == "已付款 Bcc: eve@example.net"
    assert mail["From"] == "Shop <shop@example.com>"
    assert mail["TextBody"] == "Paid"
    assert mail["HtmlBody"].endswith("In short</div><p>Paid</p>")
    assert mail["Metadata"] == {"delivery": "d-1"}
    assert {each["Name"]: each["Value"] for each in mail["Headers"]} == {
        "List-Unsubscribe": f"<{LEAVE}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_accounts_of_two_providers_know_nothing_of_each_other() -> None:
    async def work(base_url: str) -> list[Sent | ChannelError]:
        configs = [{**CONFIG, "esp": esp, "api_key": f"of {esp}"} for esp in ("postmark", "resend")]
        return list(await asyncio.gather(*(hand_over(each, base_url, message()) for each in configs)))

    script = {"/emails": ANSWERS["resend"][0], "/email": ANSWERS["postmark"][0]}
    results, requests = play(script, work)
    assert all(isinstance(each, Sent) for each in results)
    by_path = {each.path: each.headers for each in requests}
    assert by_path["/emails"]["authorization"] == "Bearer of resend"
    assert by_path["/email"]["x-postmark-server-token"] == "of postmark"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (
            Answer(status=401, body={"ErrorCode": 10, "Message": "Bad or missing Server API token."}),
            Misconfigured,
            "401",
        ),
        (Answer(status=403, body={}), Misconfigured, "403"),
        (Answer(status=404, body={}), Refused, "404"),
        (Answer(status=413, body=b""), Refused, "413"),
        (Answer(status=422, body={"ErrorCode": 999, "Message": "New."}), Refused, "422"),
        (Answer(status=429, body={}), Throttled, "429"),
        (Answer(status=500, body={}), Temporary, "500"),
        (Answer(status=503, body=b"<html>down</html>"), Temporary, "503"),
        (Answer(status=302, body=b"", headers={"location": "/elsewhere"}), Misconfigured, "302"),
        (Answer(body=b"<html>?</html>"), Temporary, "not_json"),
        (Answer(body={"ErrorCode": 999, "Message": "A no in a success."}), Refused, "200"),
    ],
)
def test_an_answer_that_is_no_success_has_its_error(
    answer: Answer, kind: type[ChannelError], code: str
) -> None:
    error, requests = send(answer)
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert error.code == code
    assert len(requests) == 1


@pytest.mark.parametrize(("code", "status"), [(406, "rejected"), (300, "invalid")])
def test_an_address_that_the_provider_refuses_is_unreachable(code: int, status: str) -> None:
    words = {
        406: "You tried to send to recipient(s) that have been marked as inactive.\nFound inactive addresses: "
        "ann@example.org.\nInactive recipients are ones that have generated a hard bounce, a spam complaint, or a "
        "manual suppression.",
        300: "Invalid 'To' address: 'ann@example.org'.",
    }
    error, _requests = send(Answer(status=422, body={"ErrorCode": code, "Message": words[code]}))
    assert isinstance(error, Unreachable)
    assert error.code == status


def test_the_address_is_not_in_the_detail() -> None:
    answer = Answer(status=422, body={"ErrorCode": 999, "Message": "No: Ann@Example.org"})
    error, _requests = send(answer)
    assert isinstance(error, Refused)
    assert "<recipient>" in error.detail
    assert "ann@" not in error.detail.lower()


@pytest.mark.parametrize("value", ["30", "Wed, 21 Oct 2065 07:28:00 GMT"])
def test_the_provider_says_how_long_to_wait(value: str) -> None:
    error, _requests = send(Answer(status=429, body={}, headers={"retry-after": value}))
    assert isinstance(error, Throttled)
    assert error.retry_after == (30 if value == "30" else 3600)


def test_nothing_was_sent_where_there_was_no_connection() -> None:
    error = asyncio.run(hand_over(CONFIG, "http://127.0.0.1:9", message()))
    assert isinstance(error, Temporary)
    assert (error.code, error.maybe_sent) == ("connect", False)


def test_a_connection_that_broke_leaves_doubt() -> None:
    async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async def work() -> Sent | ChannelError:
        async with await asyncio.start_server(drop, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            return await hand_over(CONFIG, f"http://{host}:{port}", message())

    error = asyncio.run(work())
    assert isinstance(error, Temporary)
    assert (error.code, error.maybe_sent) == ("connection_lost", True)


def test_a_provider_inside_the_network_is_not_called(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    error, requests = send(TAKEN)
    assert isinstance(error, Refused)
    assert (error.code, requests) == ("destination_denied", [])


def test_what_is_no_address_is_not_sent() -> None:
    error, requests = send(TAKEN, to_send=outgoing("email", "ann, bob", CONTENT))
    assert isinstance(error, Unreachable)
    assert requests == []


# --- Amazon SES -------------------------------------------------------------------------------------------

SES = {
    "esp": "amazon_ses",
    "region": "us-east-1",
    "access_key_id": "AKIA0000000000000000",
    "api_key": "secret",
    "from_address": "Shop <shop@example.com>",
}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def ses(url: str) -> Any:
    return boto3.client(
        "sesv2",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIA0000000000000000",
        aws_secret_access_key="secret",
    )


def test_moto_takes_a_mail_of_a_verified_sender_alone(moto: str) -> None:
    error = asyncio.run(hand_over(SES, moto, message()))
    assert isinstance(error, Refused)
    assert error.code == "MessageRejected"
    client = ses(moto)
    client.create_email_identity(EmailIdentity="shop@example.com")
    client.close()
    sent = asyncio.run(hand_over(SES, moto, message()))
    assert isinstance(sent, Sent)
    assert sent.provider_id
    assert sent.note == "queued"


def test_a_header_stays_on_one_line_whatever_its_length() -> None:
    async def work(base_url: str) -> Sent | ChannelError:
        return await hand_over(SES, base_url, message(unsubscribe_url=LEAVE))

    sent, [request] = play({"/v2/email": Answer(body={"MessageId": "m-1"})}, work)
    assert sent == Sent(provider_id="m-1", note="queued")
    raw = base64.b64decode(request.json["Content"]["Raw"]["Data"])
    assert f"\nList-Unsubscribe: <{LEAVE}>".encode() in raw.replace(b"\r\n", b"\n")
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert json.loads(mail["X-Metadata"]) == {"delivery": "d-1"}


SES_ERRORS: list[tuple[int, str, type[ChannelError], dict[str, Any]]] = [
    (400, "MessageRejected", Refused, {}),
    (400, "BadRequestException", Refused, {}),
    (400, "ValidationException", Refused, {}),
    (400, "MailFromDomainNotVerifiedException", Misconfigured, {"scope": Scope.SENDER}),
    (404, "NotFoundException", Misconfigured, {"scope": Scope.ACCOUNT}),
    (400, "SendingPausedException", Misconfigured, {}),
    (400, "AccountSuspendedException", Misconfigured, {}),
    (403, "AccessDeniedException", Misconfigured, {}),
    (403, "UnrecognizedClientException", Misconfigured, {}),
    (403, "InvalidClientTokenId", Misconfigured, {}),
    (403, "InvalidSignatureException", Misconfigured, {}),
    (403, "SignatureDoesNotMatch", Misconfigured, {}),
    (403, "ExpiredTokenException", Misconfigured, {}),
    (400, "Throttling", Throttled, {"retry_after": 1.0}),
    (400, "ThrottlingException", Throttled, {}),
    (429, "TooManyRequestsException", Throttled, {}),
    (400, "LimitExceededException", Throttled, {"retry_after": 3600.0}),
    (500, "InternalFailure", Temporary, {"maybe_sent": False}),
    (500, "InternalServiceErrorException", Temporary, {}),
    (503, "ServiceUnavailable", Temporary, {}),
    (400, "SomethingNew", Refused, {}),
    (500, "SomethingNew", Temporary, {}),
]


@pytest.fixture(scope="module")
def refusals_of_amazon() -> list[Sent | ChannelError]:
    """One account that meets them all, because boto3 takes a second to begin."""

    async def work(base_url: str) -> list[Sent | ChannelError]:
        one = adapter("anymail", SES, base_url)
        try:
            return [(await one.send_many([message()]))[0] for _each in SES_ERRORS]
        finally:
            await one.close()

    answers = [
        Answer(
            status=status,
            body={"message": "About ann@example.org."},
            headers={"x-amzn-errortype": f"{code}:http://internal.amazon.com/"},
        )
        for status, code, _kind, _attributes in SES_ERRORS
    ]
    with override_settings(OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"]):
        results, requests = play({"/v2/email": answers}, work)
    assert len(requests) == len(SES_ERRORS)
    return results


@pytest.mark.parametrize("row", range(len(SES_ERRORS)), ids=lambda row: SES_ERRORS[row][1])
def test_amazons_code_has_one_meaning(row: int, refusals_of_amazon: list[Sent | ChannelError]) -> None:
    (_status, code, kind, attributes), error = SES_ERRORS[row], refusals_of_amazon[row]
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert (error.code, error.detail) == (code, "About <recipient>.")
    assert {name: getattr(error, name) for name in attributes} == attributes


def test_an_address_that_amazon_has_not_verified_is_a_matter_of_the_sender() -> None:
    text = "Email address is not verified. The following identities failed the check: shop@example.com"
    answer = {"Error": {"Code": "MessageRejected", "Message": text}, "ResponseMetadata": {}}
    error = of_boto(ClientError(answer, "SendEmail"), "ann@example.org")
    assert isinstance(error, Misconfigured)
    assert (error.code, error.scope) == ("MessageRejected", Scope.SENDER)


def test_every_code_of_amazon_is_in_the_table() -> None:
    assert {code for _status, code, _kind, _attributes in SES_ERRORS} == set(CODES) | {"SomethingNew"}


def test_nothing_was_sent_where_amazon_was_not_reached() -> None:
    error = asyncio.run(hand_over(SES, "http://127.0.0.1:9", message()))
    assert isinstance(error, Temporary)
    assert (error.code, error.maybe_sent) == ("EndpointConnectionError", False)


def test_a_fault_that_nobody_knows_leaves_doubt() -> None:
    error = of_boto(ConnectionError(), "ann@example.org")
    assert isinstance(error, Temporary)
    assert error.maybe_sent


# --- Receipts ---------------------------------------------------------------------------------------------

URL = "https://push.example.com/callbacks/1/2"
WHEN = "2026-09-21T14:13:20Z"


def basic(auth: str = "shop:sesame") -> str:
    return "Basic " + base64.b64encode(auth.encode()).decode()


def call(body: Any, **headers: str) -> Callback:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {
        "content-type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return Callback(headers=named, query={}, body=raw, url=URL)


def read(esp: str, callback: Callback, **changes: str) -> list[Receipt]:
    one = adapter(
        "anymail", {**CONFIG, "esp": esp, "base_url": "https://api.example.com", "region": "x", **changes}
    )
    try:
        return list(one.receipts(callback))
    finally:
        asyncio.run(one.close())


@pytest.mark.parametrize(
    ("record", "outcomes", "code"),
    [
        ({"RecordType": "Delivery", "DeliveredAt": WHEN}, [Outcome.DELIVERED], "delivered"),
        (
            {"RecordType": "Bounce", "Type": "HardBounce", "BouncedAt": WHEN},
            [Outcome.UNDELIVERED, Outcome.UNREACHABLE],
            "bounced",
        ),
        ({"RecordType": "Bounce", "Type": "SoftBounce", "BouncedAt": WHEN}, [Outcome.UNDELIVERED], "bounced"),
        ({"RecordType": "Bounce", "Type": "Transient", "BouncedAt": WHEN}, [Outcome.UNKNOWN], "deferred"),
        ({"RecordType": "Open", "ReceivedAt": WHEN}, [Outcome.OPENED], "opened"),
        ({"RecordType": "Click", "ReceivedAt": WHEN}, [Outcome.CLICKED], "clicked"),
        (
            {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "BouncedAt": WHEN},
            [Outcome.COMPLAINED],
            "spam",
        ),
        (
            {
                "RecordType": "SubscriptionChange",
                "SuppressSending": True,
                "SuppressionReason": "ManualSuppression",
                "ChangedAt": WHEN,
            },
            [Outcome.OPTED_OUT],
            "unsubscribed",
        ),
        (
            {"RecordType": "SubscriptionChange", "SuppressSending": False, "ChangedAt": WHEN},
            [Outcome.OPTED_IN],
            "subscribed",
        ),
        ({"RecordType": "Something new"}, [Outcome.UNKNOWN], "unknown"),
    ],
)
def test_an_event_of_anymail_is_a_receipt(record: dict[str, Any], outcomes: list[Outcome], code: str) -> None:
    body = {"MessageID": "m-1", "Recipient": "ann@example.org", "Metadata": {"delivery": "d-1"}, **record}
    receipts = read("postmark", call(body, authorization=basic()), webhook_auth="shop:sesame")
    assert [each.outcome for each in receipts] == outcomes
    assert {(each.provider_id, each.delivery_id, each.code) for each in receipts} == {("m-1", "d-1", code)}
    if record["RecordType"] in {"Delivery", "Bounce", "Open"}:
        assert receipts[0].at == datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event_type", "outcome"),
    [
        (EventType.QUEUED, Outcome.UNKNOWN),
        (EventType.SENT, Outcome.SENT),
        (EventType.REJECTED, Outcome.UNDELIVERED),
        (EventType.FAILED, Outcome.UNDELIVERED),
        (EventType.BOUNCED, Outcome.UNDELIVERED),
        (EventType.DEFERRED, Outcome.UNKNOWN),
        (EventType.DELIVERED, Outcome.DELIVERED),
        (EventType.AUTORESPONDED, Outcome.UNKNOWN),
        (EventType.OPENED, Outcome.OPENED),
        (EventType.CLICKED, Outcome.CLICKED),
        (EventType.COMPLAINED, Outcome.COMPLAINED),
        (EventType.UNSUBSCRIBED, Outcome.OPTED_OUT),
        (EventType.SUBSCRIBED, Outcome.OPTED_IN),
        (EventType.UNKNOWN, Outcome.UNKNOWN),
    ],
)
def test_every_word_of_anymail_has_its_outcome(event_type: str, outcome: Outcome) -> None:
    [receipt] = reports(AnymailTrackingEvent(event_type=event_type, message_id="m-1"), ESPS["postmark"])
    assert receipt == Receipt(provider_id="m-1", outcome=outcome, code=event_type)


@pytest.mark.parametrize(
    ("reason", "further"),
    [
        (RejectReason.INVALID, []),
        (RejectReason.BOUNCED, []),
        (RejectReason.TIMED_OUT, []),
        (RejectReason.BLOCKED, []),
        (RejectReason.SPAM, [Outcome.COMPLAINED]),
        (RejectReason.UNSUBSCRIBED, [Outcome.OPTED_OUT]),
        (RejectReason.OTHER, []),
    ],
)
def test_a_reason_of_anymail_is_the_code_and_can_say_more(reason: str, further: list[Outcome]) -> None:
    event = AnymailTrackingEvent(event_type=EventType.REJECTED, reject_reason=reason)
    receipts = list(reports(event, ESPS["postmark"]))
    assert [each.outcome for each in receipts] == [Outcome.UNDELIVERED, *further]
    assert {each.code for each in receipts} == {reason}


#: For each provider, what it calls a dead address, and what it calls one that is only full or slow.
DEAD: Mapping[str, tuple[Any, Any]] = {
    "amazon_ses": ({"bounce": {"bounceType": "Permanent"}}, {"bounce": {"bounceType": "Transient"}}),
    "brevo": ({"event": "hard_bounce"}, {"event": "soft_bounce"}),
    "mailersend": ({"data": {"type": "hard_bounced"}}, {"data": {"type": "soft_bounced"}}),
    "mailgun": ({"event-data": {"reason": "bounce"}}, {"event-data": {"reason": "generic"}}),
    "mailjet": ({"event": "bounce", "hard_bounce": True}, {"event": "bounce", "hard_bounce": False}),
    "mailtrap": ({"event": "bounce"}, {"event": "reject"}),
    "postmark": ({"Type": "BadEmailAddress"}, {"Type": "VirusNotification"}),
    "resend": ({"data": {"bounce": {"type": "Permanent"}}}, {"data": {"bounce": {"type": "Transient"}}}),
    "scaleway": (None, {}),
    "sparkpost": (
        {"msys": {"message_event": {"bounce_class": "10"}}},
        {"msys": {"message_event": {"bounce_class": "22"}}},
    ),
    "unisender_go": (
        {"delivery_info": {"delivery_status": "err_user_unknown"}},
        {"delivery_info": {"delivery_status": "err_mailbox_full"}},
    ),
}


def bounced(esp: str, **event: Any) -> list[Outcome]:
    said = AnymailTrackingEvent(event_type=EventType.BOUNCED, reject_reason=RejectReason.BOUNCED, **event)
    return [each.outcome for each in reports(said, ESPS[esp])]


@pytest.mark.parametrize("esp", ESPS)
def test_only_a_dead_address_is_called_unreachable(esp: str) -> None:
    dead, alive = DEAD[esp]
    if dead is not None:
        assert bounced(esp, esp_event=dead) == [Outcome.UNDELIVERED, Outcome.UNREACHABLE]
    for event in (alive, {}, None, {"bounce": None, "data": "x", "msys": [], "Type": ["HardBounce"]}):
        assert bounced(esp, esp_event=event) == [Outcome.UNDELIVERED]


def test_what_the_server_said_goes_before_what_the_provider_calls_it() -> None:
    dead, alive = DEAD["postmark"]
    assert bounced("postmark", esp_event=dead, mta_response="550 5.7.1 blocked") == [Outcome.UNDELIVERED]
    assert bounced("postmark", esp_event=alive, mta_response="smtp; 550 5.1.1 unknown") == [
        Outcome.UNDELIVERED,
        Outcome.UNREACHABLE,
    ]
    assert Outcome.UNREACHABLE in bounced("postmark", esp_event=dead, mta_response="550 no such user here")


@pytest.mark.parametrize("headers", [{}, {"authorization": basic("shop:guess")}, {"authorization": "é"}])
def test_a_call_without_the_password_is_forged(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedCallback):
        read("postmark", call({"RecordType": "Delivery"}, **headers), webhook_auth="shop:sesame")


def test_without_a_password_the_secret_path_is_enough() -> None:
    [receipt] = read("postmark", call({"RecordType": "Delivery", "MessageID": "m-1"}))
    assert receipt.provider_id == "m-1"


def mailgun(secret: str = "signing-1") -> Callback:
    signed = {"timestamp": "1790000000", "token": "a" * 50}
    content = f"{signed['timestamp']}{signed['token']}".encode()
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    event = {
        "event": "delivered",
        "id": "e-1",
        "timestamp": 1790000000.0,
        "recipient": "ann@example.org",
        "message": {"headers": {"message-id": "m-1@example.com"}},
        "user-variables": {"delivery": "d-1"},
    }
    return call({"signature": {**signed, "signature": signature}, "event-data": event})


def test_mailguns_signature_is_checked() -> None:
    [receipt] = read("mailgun", mailgun(), signing_secret="signing-1")
    assert (receipt.outcome, receipt.delivery_id) == (Outcome.DELIVERED, "d-1")
    for secret in ("another", ""):
        with pytest.raises(ForgedCallback):
            read("mailgun", mailgun(), signing_secret=secret)


def mailersend(activity: Mapping[str, Any], secret: str = "signing-1") -> Callback:
    email = {"message": {"id": "m-1"}, "recipient": {"email": "ann@example.org"}}
    data = {"id": "e-1", "object": "activity", "created_at": WHEN, "email": email, **activity}
    body = json.dumps({"type": f"activity.{activity['type']}", "data": data}).encode()
    return call(body, signature=hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())


@pytest.mark.parametrize(
    ("activity", "outcomes"),
    [
        ({"type": "delivered"}, [Outcome.DELIVERED]),
        (
            {"type": "hard_bounced", "morph": {"object": "recipient_bounce"}},
            [Outcome.UNDELIVERED, Outcome.UNREACHABLE],
        ),
        ({"type": "soft_bounced", "morph": {"object": "recipient_bounce"}}, [Outcome.UNDELIVERED]),
        (
            {"type": "hard_bounced", "morph": {"object": "recipient_unsubscribe", "reason": "r"}},
            [Outcome.UNDELIVERED, Outcome.OPTED_OUT],
        ),
        ({"type": "spam_complaint", "morph": {"object": "spam_complaint"}}, [Outcome.COMPLAINED]),
    ],
)
def test_mailersends_reason_can_say_more_than_its_event(
    activity: dict[str, Any], outcomes: list[Outcome]
) -> None:
    receipts = read("mailersend", mailersend(activity), signing_secret="signing-1")
    assert [(each.outcome, each.provider_id, each.event_id) for each in receipts] == [
        (outcome, "m-1", f"e-1:{outcome}") for outcome in outcomes
    ]


def test_mailersends_signature_is_checked() -> None:
    with pytest.raises(ForgedCallback):
        read("mailersend", mailersend({"type": "delivered"}, "stolen"), signing_secret="signing-1")


SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def resend(event: str = "email.delivered", *, age: float = 0.0, secret: str = SVIX_SECRET) -> Callback:
    """A call of Resend's, signed by the library of the specification that Svix wrote."""
    data = {
        "email_id": "m-1",
        "to": ["ann@example.org"],
        "headers": [{"name": "X-Metadata", "value": '{"delivery": "d-1"}'}],
        "bounce": {"type": "Permanent", "subType": "General", "message": "sent a hard bounce message"},
    }
    body = json.dumps({"type": event, "created_at": WHEN, "data": data})
    now = datetime.now(UTC) - timedelta(seconds=age)
    return call(
        body.encode(),
        svix_id="msg-1",
        svix_timestamp=str(int(now.timestamp())),
        svix_signature="v1,AAAA " + Webhook(secret).sign("msg-1", now, body),
    )


def test_resends_signature_is_checked() -> None:
    [receipt] = read("resend", resend(), signing_secret=SVIX_SECRET)
    assert (receipt.outcome, receipt.delivery_id) == (Outcome.DELIVERED, "d-1")
    assert (receipt.provider_id, receipt.event_id) == ("m-1", "msg-1:delivered")
    receipts = read("resend", resend("email.bounced"), signing_secret=SVIX_SECRET)
    assert [each.outcome for each in receipts] == [Outcome.UNDELIVERED, Outcome.UNREACHABLE]
    assert [each.event_id for each in receipts] == ["msg-1:undelivered", "msg-1:unreachable"]


def without(callback: Callback, header: str) -> Callback:
    return replace(
        callback, headers={name: each for name, each in callback.headers.items() if name != header}
    )


def with_header(callback: Callback, header: str, value: str) -> Callback:
    return replace(callback, headers={**callback.headers, header: value})


@pytest.mark.parametrize(
    "callback",
    [
        resend(secret="whsec_" + "c3RvbGVu" * 4),
        resend(age=3600),
        resend(age=-3600),
        replace(resend(), body=resend().body + b" "),
        without(resend(), "svix-id"),
        without(resend(), "svix-timestamp"),
        without(resend(), "svix-signature"),
        with_header(resend(), "svix-id", "msg-2"),
        with_header(resend(), "svix-timestamp", "soon"),
        with_header(resend(), "svix-timestamp", "9" * 400),
        with_header(resend(), "svix-signature", "v1a," + "A" * 40),
        with_header(resend(), "svix-signature", "é v1, , \udc80"),
        call({"type": "email.delivered"}, authorization=basic()),
    ],
)
def test_a_call_that_resend_has_not_signed_is_forged(callback: Callback) -> None:
    with pytest.raises(ForgedCallback):
        read("resend", callback, signing_secret=SVIX_SECRET, webhook_auth="shop:sesame")


def test_without_a_signing_secret_resends_calls_are_refused() -> None:
    with pytest.raises(ForgedCallback):
        read("resend", resend(), signing_secret="")


def test_the_vector_of_svix_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels_app.standard_webhooks.time.time", lambda: 1614265330 + 299)
    signed = call(
        b'{"test": 2432232314}',
        svix_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        svix_timestamp="1614265330",
        svix_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    )
    standard_webhooks.verify(SVIX_SECRET, signed, headers="svix")
    standard_webhooks.verify(SVIX_SECRET.removeprefix("whsec_"), signed, headers="svix")
    with pytest.raises(ForgedCallback):
        standard_webhooks.verify(SVIX_SECRET, signed)  # those headers have other names


def sns(event: Mapping[str, Any]) -> Callback:
    note = {"Type": "Notification", "MessageId": "n-1", "Timestamp": WHEN, "Message": json.dumps(event)}
    return call(note, x_amz_sns_message_type="Notification", x_amz_sns_message_id="n-1")


@pytest.mark.parametrize(
    ("event", "outcomes"),
    [
        (
            {
                "eventType": "Bounce",
                "bounce": {
                    "bounceType": "Permanent",
                    "bounceSubType": "General",
                    "bouncedRecipients": [
                        {"emailAddress": "ann@example.org", "diagnosticCode": "smtp; 550 5.1.1"}
                    ],
                },
            },
            [Outcome.UNDELIVERED, Outcome.UNREACHABLE],
        ),
        ({"eventType": "Delivery", "delivery": {"recipients": ["ann@example.org"]}}, [Outcome.DELIVERED]),
    ],
)
def test_amazons_events_come_through_its_notification_service(
    event: dict[str, Any], outcomes: list[Outcome]
) -> None:
    headers = [{"name": "X-Metadata", "value": '{"delivery": "d-1"}'}]
    mail = {"messageId": "m-1", "destination": ["ann@example.org"], "headers": headers}
    receipts = read("amazon_ses", sns({**event, "mail": mail}))
    assert [each.outcome for each in receipts] == outcomes
    assert {(each.provider_id, each.delivery_id) for each in receipts} == {("m-1", "d-1")}
    assert [each.event_id for each in receipts] == [f"n-1:{outcome}" for outcome in outcomes]
    if Outcome.UNDELIVERED in outcomes:
        assert {each.reason for each in receipts} == {"smtp; 550 5.1.1"}


def test_amazons_subscription_is_confirmed_with_the_accounts_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:mails"
    asked = {"Type": "SubscriptionConfirmation", "MessageId": "n-1", "TopicArn": topic, "Token": "t-1"}
    confirmation = call(asked, x_amz_sns_message_type="SubscriptionConfirmation", x_amz_sns_message_id="n-1")

    async def work(base_url: str) -> list[Receipt]:
        monkeypatch.setenv("AWS_ENDPOINT_URL", base_url)
        one = adapter("anymail", SES)
        return await asyncio.to_thread(lambda: list(one.receipts(confirmation)))

    done = b"<ConfirmSubscriptionResponse><ConfirmSubscriptionResult/></ConfirmSubscriptionResponse>"
    receipts, [request] = play({"/": Answer(body=done)}, work)
    assert receipts == []
    assert (request.form["Action"], request.form["TopicArn"], request.form["Token"]) == (
        "ConfirmSubscription",
        topic,
        "t-1",
    )
    assert f"Credential={SES['access_key_id']}/" in request.headers["authorization"]
    assert "/eu-central-1/sns/" in request.headers["authorization"]


def test_a_call_that_does_not_agree_with_its_own_headers_is_forged() -> None:
    with pytest.raises(ForgedCallback):
        read("amazon_ses", call({"Type": "Notification", "MessageId": "n-1"}))


@pytest.mark.parametrize("esp", ["brevo", "mailjet", "mailtrap", "sparkpost", "unisender_go"])
def test_every_other_view_of_anymail_can_be_asked(esp: str) -> None:
    """What the calls say is Anymail's to know, and its own tests'; here they reach its view, without a warning."""
    changes = {"signing_secret": "s-1", "webhook_auth": "shop:sesame"}
    with pytest.raises(ForgedCallback):
        read(esp, call({}), **changes)


def test_scaleway_reports_nothing() -> None:
    with pytest.raises(ForgedCallback):
        read("scaleway", call({}))


# --- The form ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"esp": "sendgrid"}, ["esp"]),
        ({"api_key": ""}, ["api_key"]),
        ({"esp": "mailjet", "secret_key": ""}, ["secret_key"]),
        ({"esp": "scaleway", "project_id": ""}, ["project_id"]),
        ({"esp": "unisender_go"}, ["base_url"]),
        ({"esp": "amazon_ses"}, ["region"]),
        ({"esp": "resend", "signing_secret": "whsec_é"}, ["signing_secret"]),
        ({"esp": "resend", "signing_secret": "whsec_"}, ["signing_secret"]),
        ({"esp": "resend", "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, []),
        ({"esp": "resend"}, []),
        ({"esp": "amazon_ses", "region": "eu-central-1", "api_key": ""}, []),
        ({"from_address": "shop"}, ["from_address"]),
        ({"reply_to": "a@example.com, b@example.com"}, ["reply_to"]),
        ({"webhook_auth": "sesame"}, ["webhook_auth"]),
        ({"base_url": "api.example.com"}, ["base_url"]),
        ({"connections": "0"}, ["connections"]),
        ({}, []),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, str], fields: list[str]) -> None:
    config = {**CONFIG, "connections": "8", **changes}
    assert list(registry.adapter("anymail").Config(config).errors) == fields
