"""Plain forms of channels and adapters in the look of the console, and fields that several pages use."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold.widgets import (
    CHECKBOX_CLASSES,
    INPUT_CLASSES,
    SELECT_CLASSES,
    TEXTAREA_CLASSES,
    UnfoldAdminTextareaWidget,
)

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

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return str(value)
        return pretty(value)


def badge(text: Any, colour: str) -> str:
    """A state in its colour; unlike the theme's labels it also shows in forms."""
    return render_to_string("unfold/helpers/label.html", {"text": text, "variant": colour})


def code(text: str) -> str:
    return format_html('<pre class="pc-code">{}</pre>', text)


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
