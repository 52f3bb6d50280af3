"""Slack: bots and incoming webhooks; Slack's own library judges what is sent."""

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_django import Settings
from slack_sdk.models.blocks import Block
from slack_sdk.web.async_client import AsyncWebClient

from channels_app import registry
from channels_app.adapters.slack import CODES, WEBHOOK_CODES, body
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
from tests.channels.provider import Answer, Request, adapter, outgoing, play, send

BOT = {"bot_token": "xoxb-1"}
POSTED = Answer(body={"ok": True, "channel": "C024BE91L", "ts": "1503435956.000247", "message": {}})
OK = Answer(body=b"ok")
CARD = {
    "format": "card",
    "title": "Order <42> & more",
    "text": "**Paid**\n\n* one\n* two",
    "link": "https://shop.example.com/42?a=1&b=2",
    "link_label": "Open",
    "severity": "warning",
    "mentions": "U024BE7LH, all",
}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def message(content: Mapping[str, Any], address: str = "C024BE91L") -> Outgoing:
    return outgoing("slack", address, content)


def post(
    answer: Answer, content: Mapping[str, Any] | None = None
) -> tuple[Sent | ChannelError, list[Request]]:
    return send("slack", BOT, message(content or {"text": "Paid."}), {"/chat.postMessage": answer})


def webhook(
    answer: Answer, content: Mapping[str, Any] | None = None
) -> tuple[Sent | ChannelError, list[Request]]:
    async def work(base_url: str) -> Sent | ChannelError:
        config = {"webhook_url": f"{base_url}/services/T0/B0/secret", "group": "ops"}
        [result] = await adapter("slack", config).send_many([message(content or {"text": "x"}, "group:ops")])
        return result

    return play({"/services/": answer}, work)


def test_a_text_is_handed_over() -> None:
    sent, [request] = post(POSTED, {"title": "T", "text": "a < b & *c*", "link": "https://e.example/"})
    assert sent == Sent(provider_id="C024BE91L:1503435956.000247", final=True)
    assert (request.method, request.path) == ("POST", "/chat.postMessage")
    assert request.headers["authorization"] == "Bearer xoxb-1"
    assert request.json == {
        "channel": "C024BE91L",
        "text": "T\na &lt; b &amp; *c*\nhttps://e.example/",
        "mrkdwn": False,
    }


@pytest.mark.parametrize(
    "content",
    [
        CARD,
        CARD | {"format": "markdown", "title": "", "mentions": "", "link": ""},
        CARD | {"title": "x" * 400, "text": "y" * 3000, "link_label": "z" * 300, "severity": "danger"},
        CARD | {"link_label": ""},
    ],
)
def test_slacks_own_models_find_nothing_wrong_with_the_blocks(content: dict[str, str]) -> None:
    blocks = body(content)["blocks"]
    parsed = Block.parse_all(blocks)
    assert len(parsed) == len(blocks)
    for each in parsed:
        each.validate_json()
    assert [each.to_dict() for each in parsed] == blocks


def test_a_card_has_a_heading_mentions_a_text_and_a_button() -> None:
    made = body(CARD)
    assert made["text"].startswith("⚠️ Order &lt;42&gt; &amp; more\n<@U024BE7LH> <!channel>\n")
    assert [each["type"] for each in made["blocks"]] == ["header", "section", "markdown", "actions"]
    assert made["blocks"][0]["text"] == {"type": "plain_text", "text": "⚠️ Order <42> & more"}
    assert made["blocks"][2]["text"] == CARD["text"]
    assert made["blocks"][3]["elements"][0]["url"] == CARD["link"]


def test_slacks_own_client_asks_the_same() -> None:
    content = body(CARD)

    async def theirs(base_url: str) -> None:
        client = AsyncWebClient(token="xoxb-1", base_url=f"{base_url}/")
        await client.chat_postMessage(channel="C024BE91L", **content)

    _none, [expected] = play({"/chat.postMessage": POSTED}, theirs)
    _sent, [request] = post(POSTED, CARD)
    assert (request.method, request.path, request.json) == ("POST", expected.path, expected.json)
    assert request.headers["authorization"] == expected.headers["authorization"]
    assert request.headers["content-type"].replace(" ", "") == expected.headers["content-type"]


def test_a_message_of_slacks_own_form_goes_out_as_it_is() -> None:
    own = {"text": "T", "blocks": [{"type": "divider"}], "thread_ts": "1.2"}
    _sent, [request] = post(POSTED, {"text": "not this", "payload": own})
    assert request.json == {**own, "channel": "C024BE91L"}
    refused, requests = post(POSTED, {"payload": ["no", "object"]})
    assert isinstance(refused, Refused)
    assert requests == []


@pytest.mark.parametrize("mentions", ["U1> <!everyone", "<@U1>", " , ,"])
def test_a_mention_cannot_be_anything_else(mentions: str) -> None:
    assert body({"text": "x", "mentions": mentions})["text"] == "x"


ERRORS: list[tuple[str, type[ChannelError], dict[str, Any]]] = [
    ("channel_not_found", Unreachable, {"opted_out": False}),
    ("user_not_found", Unreachable, {}),
    ("is_archived", Unreachable, {}),
    ("messages_tab_disabled", Unreachable, {}),
    ("not_in_channel", Misconfigured, {"scope": Scope.SENDER}),
    ("not_authed", Misconfigured, {"scope": Scope.ACCOUNT}),
    ("invalid_auth", Misconfigured, {"scope": Scope.ACCOUNT}),
    ("token_revoked", Misconfigured, {}),
    ("token_expired", Misconfigured, {}),
    ("account_inactive", Misconfigured, {}),
    ("missing_scope", Misconfigured, {}),
    ("team_access_not_granted", Misconfigured, {}),
    ("ekm_access_denied", Misconfigured, {}),
    ("ratelimited", Throttled, {"scope": Scope.ACCOUNT}),
    ("rate_limited", Throttled, {}),
    ("msg_too_long", Refused, {}),
    ("no_text", Refused, {}),
    ("too_many_attachments", Refused, {}),
    ("invalid_blocks", Refused, {}),
    ("invalid_blocks_format", Refused, {}),
    ("internal_error", Temporary, {"maybe_sent": True}),
    ("fatal_error", Temporary, {"maybe_sent": True}),
    ("service_unavailable", Temporary, {"maybe_sent": False}),
]


@pytest.mark.parametrize(("code", "kind", "attributes"), ERRORS)
def test_a_code_has_one_meaning(code: str, kind: type[ChannelError], attributes: dict[str, Any]) -> None:
    error, _requests = post(Answer(body={"ok": False, "error": code}))
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert error.code == code
    assert {name: getattr(error, name) for name in attributes} == attributes


WEBHOOK_ERRORS: list[tuple[int, str, type[ChannelError]]] = [
    (400, "invalid_payload", Refused),
    (400, "no_text", Refused),
    (400, "too_many_attachments", Refused),
    (400, "invalid_blocks", Refused),
    (400, "user_not_found", Misconfigured),
    (403, "action_prohibited", Misconfigured),
    (403, "invalid_token", Misconfigured),
    (404, "channel_not_found", Misconfigured),
    (404, "no_service", Misconfigured),
    (404, "no_team", Misconfigured),
    (410, "channel_is_archived", Misconfigured),
    (500, "rollup_error", Temporary),
]


@pytest.mark.parametrize(("status", "code", "kind"), WEBHOOK_ERRORS)
def test_a_word_of_a_webhook_has_one_meaning(status: int, code: str, kind: type[ChannelError]) -> None:
    error, _requests = webhook(Answer(status=status, body=code.encode()))
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert error.code == code


def test_every_code_is_in_a_table() -> None:
    assert sorted(code for code, _kind, _attributes in ERRORS) == sorted(CODES)
    assert sorted(code for _status, code, _kind in WEBHOOK_ERRORS) == sorted(WEBHOOK_CODES)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(body={"ok": False, "error": "something_new"}), Refused, "something_new"),
        (Answer(body={"ok": False}), Refused, "error"),
        (Answer(body={}), Refused, "error"),
        (Answer(status=503, body=b"<html>down</html>"), Temporary, "503"),
        (Answer(body=b"<html>?</html>"), Temporary, "not_json"),
    ],
)
def test_an_unknown_answer_means_its_status(answer: Answer, kind: type[ChannelError], code: str) -> None:
    error, _requests = post(answer)
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert error.code == code


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(status=404, body=b"<html>gone</html>"), Misconfigured, "404"),
        (Answer(status=410, body=b""), Misconfigured, "410"),
        (Answer(status=400, body=b"something_new"), Refused, "something_new"),
        (Answer(status=503, body=b"<html>down</html>"), Temporary, "503"),
        (Answer(status=200, body=b"something_new"), Temporary, "not_slack"),
    ],
)
def test_an_unknown_word_of_a_webhook_means_its_status(
    answer: Answer, kind: type[ChannelError], code: str
) -> None:
    error, _requests = webhook(answer)
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert error.code == code


def test_slack_says_how_long_to_wait() -> None:
    slow = {"retry-after": "30"}
    for error, _requests in (
        post(Answer(status=429, body={"ok": False, "error": "ratelimited"}, headers=slow)),
        webhook(Answer(status=429, body=b"", headers=slow)),
    ):
        assert isinstance(error, Throttled)
        assert error.retry_after == 30


def test_a_webhook_takes_the_same_message() -> None:
    sent, [request] = webhook(OK, CARD)
    assert sent == Sent(final=True)
    assert request.path == "/services/T0/B0/secret"
    assert request.json == body(CARD)


def test_a_webhook_inside_the_network_is_not_called(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    error, requests = webhook(OK)
    assert isinstance(error, Refused)
    assert requests == []


def test_a_bot_reaches_people_and_a_webhook_its_group() -> None:
    bot = adapter("slack", BOT)
    hook = adapter("slack", {"webhook_url": "https://hooks.slack.com/services/1", "group": "ops"})
    taken = {
        value: (
            bot.takes(Address(kind="slack", value=value)),
            hook.takes(Address(kind="slack", value=value)),
        )
        for value in ("U024BE7LH", "group:ops", "group:other")
    }
    assert taken == {"U024BE7LH": (True, False), "group:ops": (False, True), "group:other": (False, False)}


def test_a_message_can_be_taken_back() -> None:
    async def work(base_url: str) -> None:
        await adapter("slack", BOT, base_url).recall("C024BE91L:1503435956.000247")

    _none, [request] = play({"/chat.delete": Answer(body={"ok": True})}, work)
    assert request.json == {"channel": "C024BE91L", "ts": "1503435956.000247"}


def test_it_can_be_too_late_for_that() -> None:
    async def work(base_url: str) -> None:
        for provider_id in ("C1:1.2", ""):
            with pytest.raises(Refused):
                await adapter("slack", BOT, base_url).recall(provider_id)

    play({"/chat.delete": Answer(body={"ok": False, "error": "message_not_found"})}, work)


def test_a_check_says_whose_token_it_is() -> None:
    async def work(base_url: str) -> str:
        return await adapter("slack", BOT, base_url).check()

    said, [request] = play({"/auth.test": Answer(body={"ok": True, "team": "Shop", "user": "bot"})}, work)
    assert (said, request.json) == ("Shop: bot", {})


@pytest.mark.parametrize(
    ("status", "word", "lives"), [(400, b"no_text", True), (404, b"no_service", False), (403, b"?", False)]
)
def test_a_check_of_a_webhook_writes_nothing(status: int, word: bytes, lives: bool) -> None:
    async def work(base_url: str) -> str:
        hook = adapter("slack", {"webhook_url": f"{base_url}/services/1", "group": "ops"})
        try:
            return await hook.check()
        except Misconfigured:
            return ""

    said, [request] = play({"/services/": Answer(status=status, body=word)}, work)
    assert bool(said) is lives
    assert request.json == {}


@pytest.mark.parametrize(
    ("field", "config"),
    [
        ("bot_token", {}),
        ("bot_token", {**BOT, "webhook_url": "https://hooks.slack.com/services/1", "group": "ops"}),
        ("group", {"webhook_url": "https://hooks.slack.com/services/1"}),
        ("group", {"webhook_url": "https://hooks.slack.com/services/1", "group": "a b"}),
        ("webhook_url", {"webhook_url": "hooks.slack.com", "group": "ops"}),
        ("base_url", {**BOT, "base_url": "ftp://slack.com"}),
    ],
)
def test_a_wrong_setting_is_named(field: str, config: dict[str, str]) -> None:
    assert list(registry.adapter("slack").Config(config).errors) == [field]
