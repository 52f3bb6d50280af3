"""Teams through a workflow: what it is asked, and what its answers mean."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_django import Settings

from channels_app import registry
from channels_app.adapters.teams_workflow import MAX_BODY, card
from channels_app.contract import (
    Address,
    ChannelError,
    Misconfigured,
    Refused,
    Sent,
    Temporary,
    Throttled,
)
from tests.channels.provider import Answer, Request, adapter, outgoing, play
from tests.judges import ask

NAME = "teams_workflow"
URL = "https://prod-1.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=s"
TAKEN = Answer(status=202, body=b"")
CARD = {
    "title": "Order 42",
    "text": "**Paid**\nby card\n\nThank you",
    "link": "https://shop.example.com/42?a=1&b=2",
    "link_label": "Open",
    "severity": "danger",
    "mentions": "ann@example.com, all, <b>",
}


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


def post(answer: Answer, content: Mapping[str, Any]) -> tuple[Sent | ChannelError, list[Request]]:
    async def work(base_url: str) -> Sent | ChannelError:
        config = {"url": f"{base_url}/workflows/1/invoke?api-version=1&sig=s", "group": "ops"}
        [result] = await adapter(NAME, config).send_many([outgoing("teams", "group:ops", content)])
        return result

    return play({"/workflows/": answer}, work)


def test_a_card_is_handed_over_and_what_becomes_of_it_is_not_known() -> None:
    sent, [request] = post(TAKEN, {"text": "已付款"})
    assert sent == Sent(note="HTTP status 202")
    assert (request.method, request.query["sig"]) == ("POST", "s")
    assert request.headers["content-type"] == "application/json"
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card({"text": "已付款"}),
    }
    assert request.json == {"type": "message", "attachments": [attachment]}


def test_a_card_has_a_heading_lines_mentions_and_a_button() -> None:
    made = card(CARD)
    assert [each["text"] for each in made["body"]] == [
        "Order 42",
        "**Paid**\n\nby card\n\nThank you",
        "<at>ann@example.com</at>",
    ]
    assert made["body"][0]["color"] == "Attention"
    assert made["actions"] == [{"type": "Action.OpenUrl", "title": "Open", "url": CARD["link"]}]
    assert [each["mentioned"]["id"] for each in made["msteams"]["entities"]] == ["ann@example.com"]


@pytest.mark.node
def test_microsofts_own_parser_finds_nothing_wrong_with_the_cards() -> None:
    cards = [card(CARD), card({"text": "x"}), card({"title": "t", "text": "x", "link": "https://e.example"})]
    broken = card({"text": "x", "link": "-"})
    broken["body"][0]["type"], broken["actions"][0]["url"] = "TextBlok", ""
    *judged, of_broken = ask("adaptive_cards", [*cards, broken])
    assert judged == [
        {"faults": [], "items": len(each["body"]), "actions": len(each.get("actions", []))} for each in cards
    ]
    assert len(of_broken["faults"]) == 2


def test_a_message_of_teams_own_form_goes_out_as_it_is() -> None:
    message = {"type": "message", "attachments": []}
    _sent, [request] = post(TAKEN, {"payload": message, "text": "not this"})
    assert request.json == message
    own = {"type": "AdaptiveCard", "version": "1.5", "body": []}
    _sent, [request] = post(TAKEN, {"payload": own})
    assert request.json["attachments"][0]["content"] == own
    refused, requests = post(TAKEN, {"payload": ["no", "object"]})
    assert isinstance(refused, Refused)
    assert requests == []


def test_the_limit_counts_bytes_of_the_whole_message() -> None:
    room = MAX_BODY - len(json.dumps({"type": "message", "attachments": []}, separators=(",", ":")))
    fits = {"type": "message", "attachments": ["字" * ((room - 2) // 3)]}
    assert isinstance(post(TAKEN, {"payload": fits})[0], Sent)
    error, requests = post(TAKEN, {"payload": {**fits, "x": 1}})
    assert isinstance(error, Refused)
    assert error.code == "too_large"
    assert requests == []


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (
            Answer(status=400, body={"error": {"code": "InvalidRequestContent", "message": "The card."}}),
            Refused,
            "InvalidRequestContent",
        ),
        (
            Answer(status=401, body={"error": {"code": "AuthorizationFailed"}}),
            Misconfigured,
            "AuthorizationFailed",
        ),
        (Answer(status=403, body=b""), Misconfigured, "403"),
        (
            Answer(status=404, body={"error": {"code": "WorkflowNotFound", "message": "Gone."}}),
            Misconfigured,
            "WorkflowNotFound",
        ),
        (Answer(status=410, body=b""), Misconfigured, "410"),
        (Answer(status=413, body=b""), Refused, "413"),
        (Answer(status=418, body={"error": "a text"}), Refused, "418"),
        (Answer(status=302, body=b""), Misconfigured, "302"),
        (Answer(status=500, body=b"<html>down</html>"), Temporary, "500"),
        (Answer(status=502, body=b"<html>down</html>"), Temporary, "502"),
    ],
)
def test_a_status_has_one_meaning(answer: Answer, kind: type[ChannelError], code: str) -> None:
    error, _requests = post(answer, {"text": "x"})
    assert type(error) is kind
    assert isinstance(error, ChannelError)
    assert error.code == code
    assert "sig" not in error.detail


def test_teams_says_how_long_to_wait() -> None:
    error, _requests = post(Answer(status=429, body=b"", headers={"retry-after": "12"}), {"text": "x"})
    assert isinstance(error, Throttled)
    assert error.retry_after == 12


def test_a_workflow_inside_the_network_is_not_called(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    error, requests = post(TAKEN, {"text": "x"})
    assert isinstance(error, Refused)
    assert requests == []


def test_a_workflow_reaches_its_group_alone() -> None:
    workflow = adapter(NAME, {"url": URL, "group": "ops"})
    assert [
        workflow.takes(Address(kind="teams", value=value)) for value in ("group:ops", "group:x", "ops")
    ] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("url", ""), ("url", "ftp://example.com"), ("url", "https://u:p@example.com/"), ("group", "")],
)
def test_a_wrong_setting_is_named(field: str, value: str) -> None:
    config = {"url": URL, "group": "ops", field: value}
    assert list(registry.adapter(NAME).Config(config).errors) == [field]
