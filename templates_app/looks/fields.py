"""Content without a look of its own: each field with its label."""

from collections.abc import Mapping
from typing import Any

from templates_app.looks.scene import Scene, text
from templates_app.sight import shown


def labelled(channel: str, content: Mapping[str, Any]) -> Scene:
    return Scene("looks/fields.html", {"fields": shown(channel, content)})


def part(channel: str, content: Mapping[str, Any]) -> Scene:
    """A layout or a snippet in its text form."""
    return Scene("looks/text.html", {"text": text(content, "source")})
