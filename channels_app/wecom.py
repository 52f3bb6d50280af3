"""What apps and robots of WeCom have in common: a heading in Markdown, coloured by severity."""

from collections.abc import Mapping
from typing import Any

from channels_app.chat_text import part

#: WeCom's own names: grey, green, orange.
COLOURS = {"info": "comment", "success": "info", "warning": "warning", "danger": "warning"}


def heading(content: Mapping[str, Any]) -> str:
    """The title; empty where there is none."""
    title, colour = part(content, "title"), COLOURS.get(part(content, "severity"))
    if not title:
        return ""
    return f'### <font color="{colour}">{title}</font>' if colour else f"### {title}"
