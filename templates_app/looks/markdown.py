"""Markdown as chats show it: a small part of it, in which nothing leads away or is loaded.

Links and pictures are shown with where they lead, but cannot be followed: a preview is no place to open what an
unfinished template points to.
"""

import re
from collections.abc import MutableMapping, Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

#: More than any chat takes; the parser is written in Python.
LONGEST = 20_000
#: ``<font color="warning">`` of WeCom and ``<font color="#c00">`` of DingTalk, escaped by the parser.
COLOURED = re.compile(
    r"&lt;font color=(?:&quot;)?(info|comment|warning|#[0-9a-fA-F]{3,8})(?:&quot;)?&gt;(.*?)&lt;/font&gt;"
)


class Shown(RendererHTML):
    """HTML without links and pictures."""

    def link_open(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
        return f'<span class="look-link" title="{escape(tokens[at].attrGet("href") or "")}">'

    def link_close(self, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
        return "</span>"

    def image(
        self, tokens: Sequence[Token], at: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        source = escape(tokens[at].attrGet("src") or "")
        return f'<span class="look-picture" title="{source}">{escape(tokens[at].content)}</span>'


_parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=Shown)
_parser.enable(["strikethrough", "table"])


def render(source: str) -> SafeString:
    """HTML of the Markdown; whatever is HTML in it stays text."""
    shown = _parser.render(source[:LONGEST])
    # The parser escapes, and has HTML off; what is put back is of fixed form.
    return mark_safe(COLOURED.sub(_coloured, shown))  # noqa: S308


def _coloured(found: re.Match[str]) -> str:
    colour = found[1] if found[1].startswith("#") else f"var(--look-{found[1]})"
    return f'<span style="color:{colour}">{found[2]}</span>'
