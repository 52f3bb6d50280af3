"""The form of a variant: its content is edited in the fields that its channel declares.

All sets of fields are in the page for a new variant, so that it also works without JavaScript; a small script
shows the set of the chosen channel alone.
"""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from channels_app import registry
from channels_app.contract import TextSource
from pushcenter.dressing import dress
from templates_app.locales import normalise
from templates_app.models import Variant

LOCALE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")

Sources = Mapping[str, Mapping[str, Any]]


class ContentWidget(forms.Widget):
    """For each channel its content form. The value is ``{channel: {field: source}}``."""

    template_name = "templates_app/content_widget.html"
    needs_multipart_form = False

    def __init__(self) -> None:
        super().__init__()
        self.channels: list[str] = []
        self.errors: dict[str, Mapping[str, Any]] = {}

    class Media:
        js = ("js/variants.js",)

    def get_context(self, name: str, value: Sources | None, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        sources = value or {}
        context["widget"]["sets"] = [
            self._set(channel, name, sources.get(channel, {})) for channel in self.channels
        ]
        return context

    def _set(self, channel: str, name: str, sources: Mapping[str, Any]) -> dict[str, Any]:
        known = registry.channels()[channel]
        form = known.content(initial=dict(sources), prefix=f"{name}-{channel}")
        form.use_required_attribute = False
        dress(form.fields.values())
        for field in form.fields.values():
            if isinstance(field, TextSource):
                field.widget.attrs["class"] += " pc-code"
                field.widget.attrs["spellcheck"] = "false"
        errors = self.errors.get(channel, {})
        rows = [(field, errors.get(field.name, [])) for field in form]
        return {"channel": channel, "label": known.label, "rows": rows, "errors": errors.get("__all__", [])}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, dict[str, Any]]:
        return {channel: _posted(channel, data, files, f"{name}-{channel}") for channel in self.channels}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return ""


class ContentField(forms.Field):
    widget = ContentWidget

    def has_changed(self, initial: Sources | None, data: Sources | None) -> bool:
        return any(
            _differs((initial or {}).get(channel, {}), sources) for channel, sources in (data or {}).items()
        )


class VariantForm(forms.ModelForm):
    content = ContentField(required=False, label=_("Content"))

    class Meta:
        model = Variant
        fields = ("channel", "locale")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "content" not in self.fields:  # a version that never changes is only shown
            return
        labels = {name: channel.label for name, channel in registry.channels().items()}
        if self.instance._state.adding:  # noqa: SLF001  (ids are made before rows)
            self._sets.channels = list(labels)
            self._choose_among([("", _("Select value")), *labels.items()])
            self.initial["content"] = {}
        else:
            name = self.instance.channel
            self._sets.channels = [name] if name in labels else []
            self._choose_among([(name, labels.get(name, name))], disabled=True)
            self.initial["content"] = {name: self.instance.content}

    def _choose_among(self, choices: list[tuple[str, Any]], *, disabled: bool = False) -> None:
        widget = UnfoldAdminSelectWidget({} if disabled else {"data-chooses-channel": ""})
        self.fields["channel"] = forms.ChoiceField(
            label=_("Channel"), choices=choices, widget=widget, disabled=disabled
        )

    @property
    def _sets(self) -> ContentWidget:
        widget = self.fields["content"].widget
        assert isinstance(widget, ContentWidget)  # noqa: S101
        return widget

    def clean_locale(self) -> str:
        locale = normalise(self.cleaned_data["locale"])
        if locale and not LOCALE.fullmatch(locale):
            raise ValidationError(_("Write a language tag such as en, zh-hans or pt-br."))
        return locale

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        name = cleaned.get("channel") or ""
        known = registry.channels().get(name)
        if known is None or "content" not in self.fields:
            return cleaned
        form = known.content((cleaned.get("content") or {}).get(name, {}))
        if form.errors:
            self._sets.errors = {name: form.errors}
            self.add_error("content", _("Mend what is marked above."))
        else:
            cleaned["content"] = {field: value for field, value in form.cleaned_data.items() if value != ""}
        return cleaned


def _posted(channel: str, data: Any, files: Any, prefix: str) -> dict[str, Any]:
    fields = registry.channels()[channel].content.base_fields
    return {
        name: field.widget.value_from_datadict(data, files, f"{prefix}-{name}")
        for name, field in fields.items()
    }


def _differs(initial: Mapping[str, Any], sources: Mapping[str, Any]) -> bool:
    # Browsers send line ends as CR LF, whatever stands in the database.
    return any(_plain(initial.get(name)) != _plain(value) for name, value in sources.items())


def _plain(value: Any) -> str:
    return str(value or "").replace("\r\n", "\n").strip()
