"""What arrives on a phone: a notification of an app, a text message, a message of WhatsApp."""

from collections.abc import Mapping
from typing import Any

from pushcenter.dressing import pretty
from templates_app.looks.scene import Scene, pairs, text


def push(channel: str, content: Mapping[str, Any]) -> Scene:
    data = content.get("data")
    return Scene(
        "looks/push.html",
        {
            "title": text(content, "title"),
            "body": text(content, "body"),
            "image": text(content, "image"),
            "link": text(content, "link"),
            "badge": text(content, "badge"),
            "data": pretty(data) if data else "",
        },
    )


def sms(channel: str, content: Mapping[str, Any]) -> Scene:
    return Scene(
        "looks/sms.html",
        {
            "text": text(content, "text"),
            "signature": text(content, "signature"),
            "template": text(content, "template_code"),
            "values": pairs(content.get("params")),
        },
    )


def whatsapp(channel: str, content: Mapping[str, Any]) -> Scene:
    return Scene(
        "looks/whatsapp.html",
        {
            "text": text(content, "text"),
            "media": text(content, "media_url"),
            "template": text(content, "template"),
            "language": text(content, "language"),
            "values": pairs(content.get("params")),
        },
    )
