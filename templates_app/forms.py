"""Forms of the console for templates and versions."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from channels_app import registry
from pushcenter.dressing import PrettyJSONField
from templates_app import steps
from templates_app.locking import locked
from templates_app.models import Template, TemplateVersion
from templates_app.route_form import RouteField, stored
from templates_app.samples import samples_error
from templates_app.schema import schema_errors


def channel_choices() -> list[tuple[str, Any]]:
    return [(name, channel.label) for name, channel in registry.channels().items()]


class TemplateForm(forms.ModelForm):
    class Meta:
        model = Template
        fields = (
            "code",
            "name",
            "category",
            "priority",
            "route_mode",
            "channels",
            "time_to_live",
            "doubt_policy",
            "is_tracked",
            "folder",
            "owner",
            "kind",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "channels" in self.fields:
            self.fields["channels"] = RouteField(
                choices=channel_choices(),
                label=_("Channels"),
                help_text=_(
                    "In their order. Of channels one after another, each is given its time from its first attempt; "
                    "the next one starts when it has failed or its time is up, and never when it has succeeded. "
                    "Ask for “delivered” and “read” only where the provider reports them."
                ),
            )
            self.initial["channels"] = [
                (name, steps.of(self.instance.steps, name)) for name in self.instance.channels
            ]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and "channels" in cleaned:
            route = cleaned["channels"]
            cleaned["channels"] = [channel for channel, _step in route]
            self.instance.steps = stored(route)
        return cleaned


class VersionForm(forms.ModelForm):
    """``seen_revision`` is that of the version which this person began with: nobody overwrites another unawares.

    Where somebody saved meanwhile, ``conflict`` is the version as it stands now, and nothing is stored, unless the
    person has seen that one too and wants to overwrite it.
    """

    conflict: TemplateVersion | None = None
    seen_revision = forms.IntegerField(widget=forms.HiddenInput)
    variables = PrettyJSONField(
        label=_("Variables"),
        rows=14,
        help_text=_(
            "A JSON Schema of the parameters that callers give. Every template also has recipient and unsubscribe_url."
        ),
    )
    samples = PrettyJSONField(
        label=_("Samples"),
        rows=8,
        required=False,
        help_text=_('The preview is made with them: [{"name": "Li Wei", "params": {}}]'),
    )

    class Meta:
        model = TemplateVersion
        fields = ("note", "variables", "samples")
        widgets = {"note": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen_revision"] = self.instance.revision

    def clean(self) -> dict[str, Any] | None:
        """Held to the end of the transaction: whoever saves at the same time waits, and is told."""
        current = locked(self.instance)
        seen = {self.cleaned_data.get("seen_revision"), _number(self.data.get("_overwrite"))}
        if current.revision not in seen:
            self.conflict = current
            raise ValidationError(_("Nothing is saved yet: somebody else saved this version meanwhile."))
        self.instance.revision = current.revision
        return super().clean()

    def clean_variables(self) -> Any:
        schema = self.cleaned_data["variables"]
        if errors := schema_errors(schema):
            raise ValidationError(errors)
        return schema

    def clean_samples(self) -> Any:
        samples = self.cleaned_data["samples"] or []
        if error := samples_error(samples):
            raise ValidationError(error)
        return samples


def _number(text: str | None) -> int | None:
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdigit() else None
