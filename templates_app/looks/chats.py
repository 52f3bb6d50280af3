"""A message in a corporate chat: text, Markdown or a card, with the colour of its severity."""

from collections.abc import Mapping
from typing import Any

from channels_app import registry
from channels_app.chat_text import mentions
from pushcenter.dressing import pretty
from templates_app.looks import markdown
from templates_app.looks.scene import Scene, text

SEVERITIES = frozenset({"info", "success", "warning", "danger"})


def chat(channel: str, content: Mapping[str, Any]) -> Scene:
    form = text(content, "format") or "text"
    severity = text(content, "severity")
    body, payload = text(content, "text"), content.get("payload")
    return Scene(
        "looks/chat.html",
        {
            "label": registry.channels()[channel].label,
            "form": form,
            "title": text(content, "title"),
            "text": body,
            "marked": markdown.render(body) if form != "text" else "",
            "link": text(content, "link"),
            "link_label": text(content, "link_label"),
            "severity": severity if severity in SEVERITIES else "",
            "mentions": mentions(content),
            "payload": pretty(payload) if payload else "",
        },
    )
