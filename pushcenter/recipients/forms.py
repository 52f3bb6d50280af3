"""Forms of the console for recipients: addresses in the one form in which they are stored."""

import zoneinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from channels_app import registry
from pushcenter.recipients.models import Address, Category, Preference, Recipient, Suppression
from pushcenter.retold import named


def choices_of(names: dict[str, Any], *, empty: Any, present: str) -> list[tuple[str, Any]]:
    """An empty choice, the known ones, and what is stored already though nobody knows it any more."""
    known = list(names.items())
    return [("", empty), *known, *([(present, present)] if present and present not in names else [])]


def channel_labels() -> dict[str, Any]:
    return {name: channel.label for name, channel in registry.channels().items()}


class RecipientForm(forms.ModelForm):
    class Meta:
        model = Recipient
        fields = ("external_id", "name", "locale", "time_zone", "groups")

    def clean_time_zone(self) -> str:
        name: str = self.cleaned_data["time_zone"]
        if name and name not in zoneinfo.available_timezones():
            raise ValidationError(_("No such time zone; write it as Asia/Shanghai."))
        return name


class PlaceForm(forms.ModelForm):
    """A kind of address and its value, brought into the stored form by the kind's own rule."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" not in self.fields:  # shown read-only
            return
        kinds = {kind: named(kind) for kind in registry.address_kinds()}
        self.fields["kind"] = forms.ChoiceField(
            label=_("Kind"),
            choices=choices_of(kinds, empty=_("Select value"), present=self.instance.kind),
            widget=UnfoldAdminSelectWidget,
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        channel = registry.address_kinds().get(cleaned.get("kind", ""))
        if channel and cleaned.get("value"):
            try:
                cleaned["value"] = channel.normalise(cleaned["value"])
            except ValueError as error:
                self.add_error("value", str(error))
        return cleaned


class AddressForm(PlaceForm):
    class Meta:
        model = Address
        fields = ("kind", "value")


class ChannelForm(forms.ModelForm):
    """A row that speaks of one channel, or with an empty one of all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channel" not in self.fields:
            return
        self.fields["channel"] = forms.ChoiceField(
            label=_("Channel"),
            required=False,
            choices=choices_of(channel_labels(), empty=_("every channel"), present=self.instance.channel),
            widget=UnfoldAdminSelectWidget,
        )


class PreferenceForm(ChannelForm):
    class Meta:
        model = Preference
        fields = ("category", "channel", "is_muted")


class SuppressionForm(PlaceForm, ChannelForm):
    class Meta:
        model = Suppression
        fields = ("kind", "value", "channel", "category", "reason", "detail")

    def clean_category(self) -> str:
        code: str = self.cleaned_data["category"]
        if code and not Category.objects.filter(code=code).exists():
            raise ValidationError(_("No category has this code."))
        return code
