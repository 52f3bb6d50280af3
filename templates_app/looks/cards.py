"""A message by a template of WeChat, an entry of the inbox, the body of a webhook."""

from collections.abc import Mapping
from typing import Any

from pushcenter.dressing import pretty
from templates_app.looks.scene import Scene, pairs, text


def wechat(channel: str, content: Mapping[str, Any]) -> Scene:
    return Scene(
        "looks/wechat.html",
        {
            "template": text(content, "template_id"),
            "values": pairs(content.get("data")),
            "link": text(content, "url"),
            "mini_program": text(content, "miniprogram_appid"),
            "page": text(content, "miniprogram_path"),
        },
    )


def inbox(channel: str, content: Mapping[str, Any]) -> Scene:
    names = ("title", "body", "link")
    return Scene("looks/inbox.html", {name: text(content, name) for name in names})


def webhook(channel: str, content: Mapping[str, Any]) -> Scene:
    data = content.get("data")
    return Scene("looks/webhook.html", {"event": text(content, "event"), "data": pretty(data)})
