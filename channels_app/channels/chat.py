"""What corporate chats have in common, and the channels ``wecom``, ``dingtalk``, ``feishu``, ``slack``, ``teams``.

An address is the id of a person in that chat, or ``group:NAME`` for the group of a robot (see ``groups``).
"""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app.channels.addresses import MAX_URL, opaque
from channels_app.contract import Channel, TextSource

SEVERITIES = [
    ("", _("None")),
    ("info", _("Information")),
    ("success", _("Success")),
    ("warning", _("Warning")),
    ("danger", _("Danger")),
]
FORMATS = [("text", _("Plain text")), ("markdown", _("Markdown")), ("card", _("Card"))]


class ChatContent(forms.Form):
    """Content that every corporate chat can show; a subclass sets the limits of its own."""

    format = forms.ChoiceField(choices=FORMATS, initial="text", label=_("Format"))
    title = TextSource(required=False, max_length=300, max_chars=128, too_long="cut", label=_("Title"))
    text = TextSource(required=False, rows=6, label=_("Text"))
    link = TextSource(required=False, link="web", max_length=MAX_URL, label=_("Link"))
    link_label = TextSource(
        required=False, max_length=100, label=_("Label of the link"), help_text=_("On the button of a card.")
    )
    severity = forms.ChoiceField(required=False, choices=SEVERITIES, label=_("Severity"))
    mentions = TextSource(
        required=False,
        max_length=500,
        label=_("Mention"),
        help_text=_("In a group: ids of people, with commas between; all for everybody."),
    )
    payload = TextSource(
        required=False,
        json=True,
        rows=8,
        label=_("Provider's own message (JSON)"),
        help_text=_(
            "Goes out as it is, in place of all the above, where the provider has a form of its own."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("text") and not cleaned.get("payload"):
            self.add_error("text", ValidationError(_("Write a text.")))
        if not self.errors and cleaned.get("format") == "card" and not cleaned.get("title"):
            self.add_error("title", ValidationError(_("A card needs a title.")))
        return cleaned


class WecomContent(ChatContent):
    text = TextSource(required=False, rows=6, max_bytes=2048, too_long="cut", label=_("Text"))


class DingtalkContent(ChatContent):
    text = TextSource(required=False, rows=6, max_bytes=5000, too_long="cut", label=_("Text"))


class FeishuContent(ChatContent):
    text = TextSource(required=False, rows=6, max_bytes=18_000, too_long="cut", label=_("Text"))


class SlackContent(ChatContent):
    text = TextSource(required=False, rows=6, max_chars=3000, too_long="cut", label=_("Text"))


class TeamsContent(ChatContent):
    text = TextSource(required=False, rows=6, max_bytes=20_000, too_long="cut", label=_("Text"))


def _channel(name: str, label: Any, content: type[forms.Form]) -> Channel:
    return Channel(name=name, label=label, address_kind=name, content=content, normalise=opaque)


WECOM = _channel("wecom", _("WeCom"), WecomContent)
DINGTALK = _channel("dingtalk", _("DingTalk"), DingtalkContent)
FEISHU = _channel("feishu", _("Feishu"), FeishuContent)
SLACK = _channel("slack", _("Slack"), SlackContent)
TEAMS = _channel("teams", _("Microsoft Teams"), TeamsContent)
