"""Forms of the console for systems and keys."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from channels_app.registry import channels
from pushcenter.access.models import OVERLAP, ApiKey, Scope, System, default_scopes
from pushcenter.networks import check_network
from pushcenter.recipients.models import Category
from templates_app.models import Template

#: Seconds that an old key stays usable beside its successor.
OVERLAPS = {
    0: _("not at all: the old key ends at once"),
    3600: _("an hour"),
    24 * 3600: _("a day"),
    7 * 24 * 3600: _("a week"),
    30 * 24 * 3600: _("30 days"),
}


class SystemForm(forms.ModelForm):
    templates = forms.MultipleChoiceField(
        required=False,
        label=_("Permitted templates"),
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("With no template and no category chosen, every template is permitted."),
    )
    categories = forms.MultipleChoiceField(
        required=False,
        label=_("Permitted categories"),
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text=_("All templates of these categories are permitted, besides the templates above."),
    )
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
            "templates",
            "categories",
            "channels",
            "highest_priority",
            "may_address_inline",
            "may_broadcast",
            "rate",
            "burst",
            "daily_quota",
            "max_batch",
            "max_broadcast",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("templates", named(Template))
        self._offer("categories", named(Category))
        self._offer("channels", {name: channel.label for name, channel in channels().items()})

    def _offer(self, name: str, known: Mapping[str, Any]) -> None:
        """What there is to choose; what was chosen and is gone stays to be seen, so that saving does not drop it."""
        if name in self.fields:
            chosen = getattr(self.instance, name)
            gone = {
                each: _("%(code)s (no longer there)") % {"code": each} for each in chosen if each not in known
            }
            self.fields[name].choices = list({**known, **gone}.items())  # type: ignore[attr-defined]


def named(model: type[Template] | type[Category]) -> dict[str, str]:
    """The names of all by their codes."""
    rows = model.objects.order_by("code").values_list("code", "name")
    return {code: f"{name} ({code})" if name != code else code for code, name in rows}


class RotationForm(BaseDialogForm):
    """How a key gives way to its successor."""

    overlap = forms.TypedChoiceField(
        choices=list(OVERLAPS.items()),
        coerce=lambda seconds: timedelta(seconds=int(seconds)),
        initial=int(OVERLAP.total_seconds()),
        label=_("The old key stays usable for"),
        widget=UnfoldAdminSelectWidget,
    )


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
