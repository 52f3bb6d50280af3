"""The parts of a chat message put together, within the bytes that a provider takes.

Where all of it does not fit, the text gives way: title and link are what it is about, and where it goes on.
"""

from collections.abc import Mapping
from typing import Any

from channels_app.contract import Refused
from channels_app.limits import Limit

#: In place of ids: everybody in the group.
EVERYBODY = "all"


def plain(content: Mapping[str, Any], *, max_bytes: int, tail: str = "") -> str:
    """Title, text and link, each on lines of their own; ``tail`` is kept whole, too."""
    link = part(content, "link")
    label = part(content, "link_label")
    ending = [f"{label} {link}".strip() if link else "", tail]
    return _fitted(part(content, "title"), part(content, "text"), ending, max_bytes=max_bytes, between="\n")


def markdown(content: Mapping[str, Any], *, max_bytes: int, title: str | None = None, tail: str = "") -> str:
    """The same in Markdown; ``title`` is a heading of the provider's own making, empty for none."""
    if title is None:
        heading = part(content, "title")
        title = f"### {heading}" if heading else ""
    ending = [markdown_link(content), tail]
    return _fitted(title, part(content, "text"), ending, max_bytes=max_bytes, between="\n\n")


def markdown_link(content: Mapping[str, Any]) -> str:
    """The link with its label; empty where there is none."""
    link = part(content, "link")
    return f"[{part(content, 'link_label') or link}]({link})" if link else ""


def part(content: Mapping[str, Any], name: str) -> str:
    """One field as text; empty where the variant leaves it out."""
    return str(content.get(name) or "")


def mentions(content: Mapping[str, Any]) -> list[str]:
    """The ids of those who are to be mentioned; ``all`` among them means everybody."""
    return [each.strip() for each in part(content, "mentions").split(",") if each.strip()]


def cut(text: str, *, max_bytes: int = 0, max_chars: int = 0) -> str:
    """The text, with an ellipsis where it is too long."""
    return Limit(max_bytes=max_bytes, max_chars=max_chars).cut(text)


def own_message(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """The provider's own message, where the variant has one; raises :class:`Refused` where it is no object."""
    payload = content.get("payload")
    if not payload:
        return None
    if not isinstance(payload, dict):
        raise Refused("the provider's own message has to be a JSON object", code="content")
    return dict(payload)


def _fitted(head: str, text: str, ending: list[str], *, max_bytes: int, between: str) -> str:
    fixed = [each for each in (head, *ending) if each]
    room = max_bytes - len(between.join([*fixed, ""]).encode("utf-8", "replace"))
    if text and room < len("…".encode()):
        raise Refused(f"title and link alone take more than {max_bytes} bytes", code="too_long")
    shown = cut(text, max_bytes=room) if text else ""
    return between.join(each for each in (head, shown, *ending) if each)
