"""Rendered content as people look at it: each field with its label, HTML set apart from text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels_app import registry
from channels_app.contract import TextSource
from pushcenter.dressing import pretty

#: What a page within a page may load: its own styles and embedded images, and nothing from elsewhere, so that
#: looking at a mail here neither tells its sender nor counts as opened.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One field. ``kind`` is ``html``, ``code`` or ``text``."""

    label: str
    kind: str
    value: str

    @property
    def document(self) -> str:
        """For the ``srcdoc`` of a sandboxed frame."""
        return POLICY + self.value


def shown(channel: str, content: Mapping[str, Any]) -> list[Shown]:
    """The fields that have something to show, in the order of the channel's form."""
    known = registry.channels().get(channel)
    fields = known.content.base_fields if known else {}
    names = [*fields, *(name for name in content if name not in fields)]
    return [_shown(name, fields.get(name), content[name]) for name in names if content.get(name)]


def _shown(name: str, field: Any, value: Any) -> Shown:
    label = str(field.label) if field is not None and field.label else name
    if not isinstance(value, str):
        return Shown(label=label, kind="code", value=pretty(value))
    is_html = isinstance(field, TextSource) and field.html
    return Shown(label=label, kind="html" if is_html else "text", value=value)
