"""The form of a variant: its content is edited in the fields that its channel declares."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from templates_app import part_forms
from templates_app.content_widget import ContentField, ContentWidget
from templates_app.locales import normalise
from templates_app.models import Variant

LOCALE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")


class VariantForm(forms.ModelForm):
    """``channel`` is for an empty form; a stored variant keeps its own, and what is sent names it."""

    channel = forms.CharField(widget=forms.HiddenInput)
    content = ContentField(required=False, label=_("Content"))

    class Meta:
        model = Variant
        fields = ("channel", "locale")
        widgets = {"locale": UnfoldAdminTextInputWidget({"list": "locales", "autocomplete": "off"})}

    def __init__(self, *args: Any, channel: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "content" not in self.fields:  # a version that never changes is only shown
            return
        self.is_new = self.instance._state.adding  # noqa: SLF001  (ids are made before rows)
        self.fields["channel"].required = self.is_new
        self.initial["channel"] = channel or self.instance.channel
        self.initial["content"] = self.instance.content
        self._content.channel = self.shown_channel

    @property
    def shown_channel(self) -> str:
        """The channel whose fields are in this form."""
        if self.is_bound and self.is_new:
            return str(self.data.get(self.add_prefix("channel"), ""))
        return str(self.initial["channel"])

    @property
    def shown_locale(self) -> str:
        return str(self["locale"].value() or "")

    @property
    def channel_label(self) -> Any:
        return part_forms.label_of(self.shown_channel)

    @property
    def _content(self) -> ContentWidget:
        widget = self.fields["content"].widget
        assert isinstance(widget, ContentWidget)  # noqa: S101
        return widget

    def clean_channel(self) -> str:
        channel: str = self.cleaned_data["channel"]
        if not self.is_new:
            return self.instance.channel
        if part_forms.form_of(channel) is None:
            raise ValidationError(_("This channel is not installed."))
        return channel

    def clean_locale(self) -> str:
        locale = normalise(self.cleaned_data["locale"])
        if locale and not LOCALE.fullmatch(locale):
            raise ValidationError(_("Write a language tag such as en, zh-hans or pt-br."))
        return locale

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = part_forms.form_of(cleaned.get("channel") or "")
        if "content" not in self.fields:
            return cleaned
        if kind is None:  # its adapter is away at present, and what was written stays
            cleaned["content"] = self.instance.content
            return cleaned
        form = kind(cleaned.get("content") or {})
        if form.errors:
            self._content.errors = form.errors
            self.add_error("content", _("Mend what is marked above."))
        else:
            cleaned["content"] = {field: value for field, value in form.cleaned_data.items() if value != ""}
        return cleaned
