"""Slack: to people and channels with a bot's token, or into one channel through an incoming webhook.

Facts: https://docs.slack.dev/reference/methods/chat.postMessage, /messaging/sending-messages-using-incoming-webhooks
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import SLACK, GroupField, group_of, http_url
from channels_app.codes import Meaning, error_for
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
from channels_app.limits import Limit

TITLE, BUTTON = Limit(max_chars=150), Limit(max_chars=75)
MARKS = {"info": "ℹ️", "success": "✅", "warning": "⚠️", "danger": "🚨"}

#: The Web API says these in a 200.
CODES: Mapping[str, Meaning] = {
    "channel_not_found": Unreachable,
    "user_not_found": Unreachable,
    "is_archived": Unreachable,
    "messages_tab_disabled": Unreachable,  # the person's direct messages with the bot are off
    "not_in_channel": partial(Misconfigured, scope=Scope.SENDER),  # the bot wants an invitation
    "not_authed": Misconfigured,  # there is no token
    "invalid_auth": Misconfigured,  # the token is none, or not for this network
    "token_revoked": Misconfigured,
    "token_expired": Misconfigured,
    "account_inactive": Misconfigured,  # the bot or its workspace was removed
    "missing_scope": Misconfigured,  # the bot may not write
    "team_access_not_granted": Misconfigured,
    "ekm_access_denied": Misconfigured,  # administrators suspended posting
    "ratelimited": Throttled,
    "rate_limited": Throttled,
    "msg_too_long": Refused,
    "no_text": Refused,
    "too_many_attachments": Refused,
    "invalid_blocks": Refused,
    "invalid_blocks_format": Refused,
    # Slack says of these that part of the work may have been done.
    "internal_error": partial(Temporary, maybe_sent=True),
    "fatal_error": partial(Temporary, maybe_sent=True),
    "service_unavailable": Temporary,
}
#: An incoming webhook says these as plain text. It has one channel, so that a lost one is the account's.
WEBHOOK_CODES: Mapping[str, Meaning] = {
    "invalid_payload": Refused,
    "no_text": Refused,
    "too_many_attachments": Refused,
    "invalid_blocks": Refused,
    "user_not_found": Misconfigured,
    "action_prohibited": Misconfigured,  # administrators forbid it
    "invalid_token": Misconfigured,
    "channel_not_found": Misconfigured,
    "channel_is_archived": Misconfigured,
    "no_service": Misconfigured,  # the webhook was removed or switched off
    "no_team": Misconfigured,
    "rollup_error": Temporary,
}
WEBHOOK_STATUSES: Mapping[int, Meaning] = dict.fromkeys((404, 410), Misconfigured)
#: To an empty message a webhook that is alive says one of these.
ALIVE = frozenset({"no_text", "invalid_payload"})


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """The code is Slack's only sentence."""
    code = "" if answer.get("ok") is True else text_at(answer, "error") or "error"
    return code, code


def webhook_url(value: str) -> None:
    """Form validator."""
    try:
        http_url(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class SlackAdapter(Adapter):
    name = "slack"
    label = _("Slack")
    channel = SLACK
    # One message in a second and channel: https://docs.slack.dev/apis/web-api/rate-limits
    capabilities = Capabilities(check=True, recall=True, timeout=20, address_rate=60)
    api = JsonApi(verdict=verdict, codes=CODES)
    specimen = Specimen(
        config={"bot_token": "xoxb-1"},
        address="C024BE91L",
        content={"format": "text", "text": "Paid."},
        answers={"/chat.postMessage": {"ok": True, "channel": "C024BE91L", "ts": "1503435956.000247"}},
        refusal={"ok": False, "error": "invalid_blocks"},
    )

    class Config(forms.Form):
        bot_token = SecretField(
            required=False,
            label=_("Bot token"),
            help_text=_(
                "Begins with xoxb-, under OAuth & Permissions of your Slack app. The scope chat:write is needed. "
                "Addresses are ids of people and channels, such as U024BE7LH."
            ),
        )
        webhook_url = SecretField(
            required=False,
            validators=[webhook_url],
            label=_("URL of an incoming webhook"),
            help_text=_(
                "In place of a bot: it writes into one channel. Under Incoming Webhooks of your Slack app."
            ),
        )
        group = GroupField()
        group.required = False
        base_url = BaseURLField("https://slack.com/api")

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            if not self.errors and bool(cleaned.get("bot_token")) == bool(cleaned.get("webhook_url")):
                self.add_error(
                    "bot_token", ValidationError(_("Give either a bot's token or the URL of a webhook."))
                )
            elif not self.errors and cleaned.get("webhook_url") and not cleaned.get("group"):
                self.add_error("group", ValidationError(_("A webhook has a group.")))
            return cleaned

    def takes(self, address: Address) -> bool:
        group = group_of(address)
        return group == self.config.get("group") if self.config.get("webhook_url") else not group

    async def send(self, message: Outgoing) -> Sent:
        content = body(message.content)
        if self.config.get("webhook_url"):
            return await self._through_webhook(content)
        answer = await self._call("chat.postMessage", {**content, "channel": message.address.value})
        channel, moment = text_at(answer, "channel"), text_at(answer, "ts")
        return Sent(provider_id=f"{channel}:{moment}" if moment else "", final=True)

    async def _call(self, method: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
        headers = {"authorization": f"Bearer {self.config['bot_token']}"}
        answer = await self.api.post(f"{self.base_url}/{method}", value, headers=headers, guard=self.guard)
        return answer.data

    async def _through_webhook(self, content: Mapping[str, Any]) -> Sent:
        reply = await self._post(content)
        code = said(reply)
        if code in WEBHOOK_CODES:
            raise error_for(code, WEBHOOK_CODES, detail=code, retry_after=reply.retry_after)
        http.raise_for_status(reply, WEBHOOK_STATUSES, code=code, detail=code)
        if code and code != "ok":
            raise Temporary("the answer is not Slack's", code="not_slack", maybe_sent=True)
        return Sent(final=True)

    async def _post(self, value: Mapping[str, Any]) -> http.Reply:
        headers = {"content-type": "application/json; charset=utf-8"}
        return await http.call("POST", self.config["webhook_url"], headers=headers, body=to_json(value))

    async def recall(self, provider_id: str) -> None:
        channel, _colon, moment = provider_id.partition(":")
        if not moment or not self.config.get("bot_token"):
            raise Refused("a message through a webhook cannot be taken back", code="webhook")
        await self._call("chat.delete", {"channel": channel, "ts": moment})

    async def check(self) -> str:
        if self.config.get("bot_token"):
            answer = await self._call("auth.test", {})
            return f"{text_at(answer, 'team')}: {text_at(answer, 'user')}"
        reply = await self._post({})
        code = said(reply)
        if code not in ALIVE:
            http.raise_for_status(reply, WEBHOOK_STATUSES, code=code, detail=code)
        return f"the webhook answers: {code}"


def said(reply: http.Reply) -> str:
    """The word in the answer of a webhook; empty for a page of HTML and the like."""
    text = reply.body[:100].decode("utf-8", "replace").strip()
    return text if text.replace("_", "").isalnum() else ""


def body(content: Mapping[str, Any]) -> dict[str, Any]:
    """The message; ``text`` is what notifications show where there are blocks."""
    if content.get("payload"):
        return own(content["payload"])
    text, title = content.get("text") or "", content.get("title") or ""
    lines = [escaped(marked(title, content)), mentions(content), escaped(text), content.get("link") or ""]
    plain = "\n".join(line for line in lines if line)
    if (content.get("format") or "text") == "text":
        return {"text": plain, "mrkdwn": False}
    return {"text": plain, "blocks": blocks(content)}


def own(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise Refused("a message of Slack's own form is a JSON object", code="content")
    return payload


def blocks(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Block Kit: a heading, whom it concerns, the text in standard Markdown, a button."""
    made: list[dict[str, Any]] = []
    if title := marked(content.get("title") or "", content):
        made.append({"type": "header", "text": plain_text(TITLE.cut(title))})
    if named := mentions(content):
        made.append({"type": "section", "text": {"type": "mrkdwn", "text": named}})
    made.append({"type": "markdown", "text": content.get("text") or ""})
    if link := content.get("link"):
        button = {
            "type": "button",
            "text": plain_text(BUTTON.cut(content.get("link_label") or link)),
            "url": link,
        }
        made.append({"type": "actions", "elements": [button]})
    return made


def plain_text(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def marked(title: str, content: Mapping[str, Any]) -> str:
    """The title with a sign of its severity; a text without a title has none."""
    return f"{MARKS.get(content.get('severity') or '', '')} {title}".strip() if title else ""


def mentions(content: Mapping[str, Any]) -> str:
    names = [name.strip() for name in (content.get("mentions") or "").split(",")]
    return " ".join("<!channel>" if name == "all" else f"<@{name}>" for name in names if name.isalnum())


def escaped(text: str) -> str:
    """The three characters by which Slack marks links and mentions, as what they are."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
