"""Microsoft Teams, through a workflow that begins "When a Teams webhook request is received".

Facts: https://learn.microsoft.com/connectors/teams, https://adaptivecards.io/explorer. The flow belongs to a person,
and ends with that person's account; what it does after it has taken a message, nobody is told.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import TEAMS, GroupField, group_of, http_url
from channels_app.contract import (
    Adapter,
    Address,
    Capabilities,
    Misconfigured,
    Outgoing,
    Refused,
    SecretField,
    Sent,
    Specimen,
)
from channels_app.json_api import json_object, text_at, to_json

#: Of the whole message, in bytes.
MAX_BODY = 28 * 1024
CARD_TYPE = "application/vnd.microsoft.card.adaptive"
COLOURS = {"info": "Accent", "success": "Good", "warning": "Warning", "danger": "Attention"}
#: The path names the flow and nothing of the addressee: where it is gone, the account is.
STATUSES: Mapping[int, http.Meaning] = dict.fromkeys((404, 410), Misconfigured)


def webhook_url(value: str) -> None:
    """Form validator."""
    try:
        http_url(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class TeamsWorkflowAdapter(Adapter):
    name = "teams_workflow"
    label = _("Microsoft Teams (workflow)")
    channel = TEAMS
    #: Above four calls a second Teams throttles; a call takes about a second.
    capabilities = Capabilities(timeout=20, concurrency=4)
    specimen = Specimen(
        config={"url": "{base_url}/workflows/1/triggers/manual/paths/invoke?sig=s", "group": "ops"},
        address="group:ops",
        content={"format": "text", "text": "Paid."},
        answers={"": b""},
    )

    class Config(forms.Form):
        url = SecretField(
            validators=[webhook_url],
            label=_("URL of the workflow"),
            help_text=_(
                "In Teams under Workflows: “Post to a channel when a webhook request is received”. Whoever knows "
                "the URL can write into that channel."
            ),
        )
        group = GroupField()

    def takes(self, address: Address) -> bool:
        return group_of(address) == self.config["group"]

    async def send(self, message: Outgoing) -> Sent:
        body = to_json(envelope(message.content))
        if len(body) > MAX_BODY:
            raise Refused(f"{len(body)} bytes are too many; {MAX_BODY} fit", code="too_large")
        reply = await http.call(
            "POST", self.config["url"], headers={"content-type": "application/json"}, body=body
        )
        said = json_object(reply.body) or {}
        http.raise_for_status(
            reply, STATUSES, code=text_at(said, "error", "code"), detail=text_at(said, "error", "message")
        )
        return Sent(note=f"HTTP status {reply.status}")


def envelope(content: Mapping[str, Any]) -> dict[str, Any]:
    """The message: our card, or one in Microsoft's own form."""
    own = content.get("payload")
    if own and not isinstance(own, dict):
        raise Refused("a message of Teams' own form is a JSON object", code="content")
    if own and own.get("type") == "message":
        return dict(own)
    attachment = {"contentType": CARD_TYPE, "contentUrl": None, "content": own or card(content)}
    return {"type": "message", "attachments": [attachment]}


def card(content: Mapping[str, Any]) -> dict[str, Any]:
    """An Adaptive Card; every format looks the same here, because Teams shows nothing but cards."""
    people = mentioned(content)
    said = [lines(content.get("text") or ""), " ".join(at(each) for each in people)]
    made: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [*heading(content), *(block(text) for text in said if text)],
    }
    if link := content.get("link"):
        made["actions"] = [
            {"type": "Action.OpenUrl", "title": content.get("link_label") or link, "url": link}
        ]
    if people:
        made["msteams"] = {"entities": [entity(each) for each in people]}
    return made


def heading(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not (title := content.get("title")):
        return []
    colour = COLOURS.get(content.get("severity") or "", "Default")
    return [{**block(title), "size": "Medium", "weight": "Bolder", "color": colour}]


def block(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True}


def lines(text: str) -> str:
    """Cards know Markdown: one line break is a blank there, and two are a paragraph."""
    return "\n\n".join(line for line in text.splitlines() if line.strip())


def mentioned(content: Mapping[str, Any]) -> list[str]:
    """Ids of people in Entra or their sign-in names. Everybody at once cannot be named in a card."""
    names = (name.strip() for name in (content.get("mentions") or "").split(","))
    return [name for name in names if name and name != "all" and not set(name) & set("<>")]


def at(person: str) -> str:
    return f"<at>{person}</at>"


def entity(person: str) -> dict[str, Any]:
    return {"type": "mention", "text": at(person), "mentioned": {"id": person, "name": person}}
