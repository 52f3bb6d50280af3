"""The fields that a channel declares, as one field of a variant's form. The value is ``{field: source}``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from channels_app.contract import TextSource
from pushcenter.dressing import dress
from templates_app.part_forms import form_of

Sources = Mapping[str, Any]

#: What people write first on a channel with many settings; the others wait under "More". All, where none are named.
FIRST: Mapping[str, frozenset[str]] = {
    "push": frozenset({"title", "body", "image", "link"}),
    "sms": frozenset({"text", "template_code", "params"}),
    "wechat": frozenset({"template_id", "data", "url"}),
    **dict.fromkeys(
        ("wecom", "dingtalk", "feishu", "slack", "teams"),
        frozenset({"format", "severity", "title", "text", "link", "link_label"}),
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field as it is drawn. ``kind`` says what is written in it, and so how it is coloured and completed."""

    field: forms.BoundField
    errors: list[str]
    kind: str
    is_first: bool


class ContentWidget(forms.Widget):
    template_name = "templates_app/editor/content.html"
    needs_multipart_form = False

    def __init__(self) -> None:
        super().__init__()
        self.channel = ""
        self.errors: Mapping[str, Any] = {}

    def get_context(self, name: str, value: Sources | None, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = self._rows(name, value or {})
        context["widget"] |= {
            "first": [row for row in rows if row.is_first],
            "more": [row for row in rows if not row.is_first],
            "is_more_open": any(row.errors or row.field.initial for row in rows if not row.is_first),
            "errors": self.errors.get("__all__", []),
        }
        return context

    def _rows(self, name: str, sources: Sources) -> list[Row]:
        kind = form_of(self.channel)
        if kind is None:
            return []
        form = kind(initial=dict(sources), prefix=f"{name}-{self.channel}")
        form.use_required_attribute = False
        dress(form.fields.values())
        first = FIRST.get(self.channel, frozenset(form.fields))
        return [
            Row(field, self.errors.get(field.name, []), _kind(field.field), field.name in first)
            for field in form
        ]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, Any]:
        kind = form_of(self.channel)
        return {
            field: declared.widget.value_from_datadict(data, files, f"{name}-{self.channel}-{field}")
            for field, declared in (kind.base_fields if kind else {}).items()
        }

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return ""


def _kind(field: forms.Field) -> str:
    if not isinstance(field, TextSource):
        return "choice"
    return "html" if field.html else "json" if field.json else "text"


class ContentField(forms.Field):
    widget = ContentWidget

    def has_changed(self, initial: Sources | None, data: Sources | None) -> bool:
        # Browsers send line ends as CR LF, whatever stands in the database.
        before = initial or {}
        return any(_plain(before.get(name)) != _plain(value) for name, value in (data or {}).items())


def _plain(value: Any) -> str:
    return str(value or "").replace("\r\n", "\n").strip()
