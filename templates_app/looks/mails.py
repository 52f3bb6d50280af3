"""A mail: its line in a list, and its body on a wide and a narrow screen, light and dark, and as plain text."""

import re
from collections.abc import Mapping
from typing import Any

from channels_app.mime import plain_text
from templates_app.looks.scene import Scene, text
from templates_app.sight import POLICY

#: Pictures from elsewhere are not loaded; their place is hatched.
PICTURES = (
    '<style>img:not([src^="data:"]){background:repeating-linear-gradient(45deg,#e5e7eb 0 6px,#f3f4f6 6px 12px);'
    "color:#6b7280;display:inline-block;font:12px/1.4 sans-serif;min-height:24px;min-width:24px}</style>"
)
#: What programs do to a mail that says nothing of dark screens: they turn its colours round, and leave pictures.
TURNED = (
    "<style>html{background:#fff;filter:invert(1) hue-rotate(180deg)}"
    "img,video{filter:invert(1) hue-rotate(180deg)}</style>"
)
DARK = "<style>:root{background:#18181b;color:#e4e4e7;color-scheme:dark}</style>"
PREFERS = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
#: Conditions that always and never hold, in place of asking the reader's own screen.
ALWAYS, NEVER = "(min-width:0)", "(max-width:0)"
FROM_ELSEWHERE = re.compile(r"<img\b(?![^<>]*\bsrc\s*=\s*[\"']?data:)|url\(\s*[\"']?(?!data:)", re.IGNORECASE)


def mail(channel: str, content: Mapping[str, Any]) -> Scene:
    html = text(content, "html")
    own_text = text(content, "text")
    return Scene(
        "looks/mail.html",
        {
            "subject": text(content, "subject"),
            "preheader": text(content, "preheader"),
            "text": own_text or _made(html),
            "is_text_made": bool(html and not own_text),
            **_body(html),
        },
    )


def part(channel: str, content: Mapping[str, Any]) -> Scene:
    """A layout or a snippet in its HTML form: the body alone."""
    return Scene("looks/mail.html", {"is_part": True, **_body(text(content, "source"))})


def _body(html: str) -> dict[str, Any]:
    return {
        "light": light(html) if html else "",
        "dark": dark(html) if html else "",
        "is_turned": bool(html) and not PREFERS.search(html),
        "has_pictures_elsewhere": bool(FROM_ELSEWHERE.search(html)),
    }


def _made(html: str) -> str:
    """The text part as it is made of the HTML when the mail is sent."""
    return plain_text(html) if html else ""


def light(html: str) -> str:
    """For the ``srcdoc`` of a sandboxed frame: the mail on a light screen, whatever the reader's own is."""
    return POLICY + _settled(html, dark=False) + PICTURES


def dark(html: str) -> str:
    """The same on a dark screen."""
    return POLICY + _settled(html, dark=True) + PICTURES + (DARK if PREFERS.search(html) else TURNED)


def _settled(html: str, *, dark: bool) -> str:
    wanted = "dark" if dark else "light"
    return PREFERS.sub(lambda found: ALWAYS if found[1].lower() == wanted else NEVER, html)
