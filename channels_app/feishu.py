"""A message as Feishu and Lark show it, for their apps and for their robots: plain text, or a card."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels_app import http
from channels_app.chat_text import markdown, mentions, part, plain
from channels_app.json_api import Answer, JsonApi, text_at

COLOURS = {"info": "blue", "success": "green", "warning": "orange", "danger": "red"}


class FeishuApi(JsonApi):
    """When it is too fast, Feishu says in a header of its own how many seconds are left."""

    def judge(self, reply: http.Reply) -> Answer:
        reset = reply.headers.get("x-ogw-ratelimit-reset", "")
        if reply.retry_after is None and reset:
            seconds = http.parse_retry_after(reset, now=datetime.now(UTC))
            reply = reply._replace(retry_after=seconds)
        return super().judge(reply)


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Robots of an older kind say ``StatusCode``."""
    code = text_at(answer, "code") or text_at(answer, "StatusCode")
    detail = text_at(answer, "msg") or text_at(answer, "StatusMessage")
    return ("" if code == "0" else code), detail


def speaks(answer: Mapping[str, Any]) -> bool:
    return "code" in answer or "StatusCode" in answer


def text_message(content: Mapping[str, Any], *, max_bytes: int) -> dict[str, str]:
    """The content of a message of the type ``text``."""
    named = " ".join(f'<at user_id="{each}"></at>' for each in mentions(content))
    return {"text": plain(content, max_bytes=max_bytes, tail=named)}


def card(content: Mapping[str, Any], *, max_bytes: int) -> dict[str, Any]:
    """The content of a message of the type ``interactive``."""
    named = " ".join(f"<at id={each}></at>" for each in mentions(content))
    has_button = content.get("format") == "card" and content.get("link")
    shown = {**content, "link": ""} if has_button else content
    text = markdown(shown, max_bytes=max_bytes, title="", tail=named)
    elements: list[dict[str, Any]] = [{"tag": "markdown", "content": text}]
    if has_button:
        elements.append({"tag": "action", "actions": [_button(content)]})
    return {"config": {"wide_screen_mode": True}, **_header(content), "elements": elements}


def _header(content: Mapping[str, Any]) -> dict[str, Any]:
    title = part(content, "title")
    if not title:
        return {}
    colour = COLOURS.get(part(content, "severity"), "default")
    return {"header": {"title": {"tag": "plain_text", "content": title}, "template": colour}}


def _button(content: Mapping[str, Any]) -> dict[str, Any]:
    link, label = part(content, "link"), part(content, "link_label")
    return {
        "tag": "button",
        "type": "primary",
        "text": {"tag": "plain_text", "content": label or link},
        "url": link,
    }
