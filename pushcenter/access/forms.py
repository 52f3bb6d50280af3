"""Forms of the console for systems and keys."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from channels_app.registry import channels
from pushcenter.access.models import ApiKey, Scope, System, default_scopes
from pushcenter.networks import check_network


class SystemForm(forms.ModelForm):
    channels = forms.MultipleChoiceField(
        required=False,
        label=_("Permitted channels"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None permits every channel."),
    )

    class Meta:
        model = System
        fields = (
            "code",
            "name",
            "owner_email",
            "is_active",
            "channels",
            "highest_priority",
            "may_address_inline",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channels" in self.fields:
            known = {name: channel.label for name, channel in channels().items()}
            # A channel whose plug-in is gone stays to be seen, so that saving does not drop it without a word.
            kept = {name: name for name in self.instance.channels if name not in known}
            self.fields["channels"].choices = list((known | kept).items())  # type: ignore[attr-defined]


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=default_scopes,
        label=_("Scopes"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ("system", "name", "is_test", "scopes", "allowed_networks", "expires_at")
        widgets = {"allowed_networks": UnfoldAdminTextInputWidget}

    def clean_allowed_networks(self) -> list[str]:
        # Asked here too, because the form would replace the sentence by one that does not name the culprit.
        networks: list[str] = self.cleaned_data["allowed_networks"]
        for network in networks:
            check_network(network)
        return networks
