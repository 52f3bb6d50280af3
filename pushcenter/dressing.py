"""Plain forms of channels and adapters in the look of the console, and fields that several pages use."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold.widgets import (
    CHECKBOX_CLASSES,
    INPUT_CLASSES,
    SELECT_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminTextareaWidget,
)

#: Deeper than anybody writes; what reads values recurses.
DEEPEST = 50
#: A null character as JSON has it; before it, backslashes in pairs are backslashes.
NULL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Looked up in this order: a checkbox and a select are no text inputs, whatever they inherit.
CLASSES: tuple[tuple[type[forms.Widget], list[str]], ...] = (
    (forms.CheckboxInput, CHECKBOX_CLASSES),
    (forms.Select, SELECT_CLASSES),
    (forms.Textarea, TEXTAREA_CLASSES),
    (forms.widgets.Input, INPUT_CLASSES),
)


def dress(fields: Iterable[forms.Field]) -> None:
    """Give the widgets of these fields the console's classes."""
    for field in fields:
        for kind, classes in CLASSES:
            if isinstance(field.widget, kind):
                field.widget.attrs["class"] = " ".join(classes)
                if kind is forms.Select:
                    field.widget.template_name = "unfold/widgets/select.html"
                break


class PrettyJSONField(forms.JSONField):
    """JSON as people like to read and write it."""

    def __init__(self, *, rows: int = 12, **kwargs: Any) -> None:
        attrs = {"rows": rows, "class": "pc-code", "spellcheck": "false"}
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs), **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value and not is_storable(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value})
        return super().to_python(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        if isinstance(data, str) and not is_storable(data):
            return forms.fields.InvalidJSONInput(data)
        return super().bound_data(data, initial)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return str(value)
        return pretty(value)


def is_storable(text: str) -> bool:
    """Whether this is JSON as a column takes it: without infinite numbers, null characters, and half pairs of signs."""
    try:
        value = json.loads(text)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
        written.encode()
    except (ValueError, RecursionError):
        return False
    return not (NULL.search(written) or is_deep(value))


def is_deep(value: Any) -> bool:
    """Whether a value is nested deeper than is good for what reads it."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def badge(text: Any, colour: str) -> str:
    """A state in its colour; unlike the theme's labels it also shows in forms."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "variant": colour})


def code(text: str) -> str:
    return format_html('<pre class="pc-code">{}</pre>', text)


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
