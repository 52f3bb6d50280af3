"""The dialogs of a version's life: each says what stands in the way for this person, and what changes for callers."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanWidget,
)

from templates_app import canary, publishing
from templates_app.models import TemplateVersion
from templates_app.readiness import Readiness, readiness


class StepForm(BaseDialogForm):
    """A step of one version. A step that cannot be taken has no button, and its POST is refused with the reasons."""

    form_before_template = "templates_app/life/before.html"

    def __init__(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        if not self.readiness.is_possible:
            for name in set(self.fields) - {"_form_submitted"}:  # nothing is to be filled in
                del self.fields[name]
        elif "seen" in self.fields and not self.readiness.has_to_be_seen:
            del self.fields["seen"]

    def attempt(self) -> object:
        """The step with values that are always good; it is undone again."""
        raise NotImplementedError

    @cached_property
    def version(self) -> TemplateVersion:
        rows = TemplateVersion.objects.listed().select_related("template__category")
        try:
            return rows.get(pk=self.object_id)
        except (TemplateVersion.DoesNotExist, ValidationError):
            raise Http404 from None

    @cached_property
    def readiness(self) -> Readiness:
        return readiness(self.version, self.attempt)

    @property
    def by(self) -> Any:
        return self.request.user

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        return {"form": self, "version": self.version, "readiness": self.readiness}

    def clean(self) -> dict[str, Any]:
        if not self.readiness.is_possible:
            raise ValidationError(list(self.readiness.obstacles))
        return super().clean() or self.cleaned_data


class _Seen(StepForm):
    seen = forms.BooleanField(label=_("I have seen this."), widget=UnfoldBooleanWidget)


class SubmitForm(StepForm):
    """Who asks for a review sees it; who publishes has to say so."""

    def attempt(self) -> object:
        return publishing.submit(version=self.version, by=self.by)


class PublishForm(_Seen):
    def attempt(self) -> object:
        return publishing.publish(version=self.version, by=self.by)


class _LocalTimeInput(forms.DateTimeInput):
    """The browser's own field for a date and a time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES), "step": 60}, format="%Y-%m-%dT%H:%M")


class ScheduleForm(_Seen):
    """A script fills in the zone of the browser; without it, the times are those of the console."""

    at = forms.CharField(label=_("Goes live at"), widget=_LocalTimeInput)
    zone = forms.CharField(required=False, widget=forms.HiddenInput({"data-zone": ""}))
    field_order = ("at", "zone", "seen")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "at" not in self.fields:
            return
        name = timezone.get_current_timezone_name()
        shown = format_html("<span data-zone-name>{}</span>", name)
        self.fields["at"].help_text = format_html(gettext("In the time zone {}."), shown)

    def attempt(self) -> object:
        tomorrow = timezone.now() + timedelta(days=1)
        return publishing.schedule(version=self.version, by=self.by, at=tomorrow)

    @property
    def place(self) -> ZoneInfo:
        """The zone of the person, or that of the console."""
        name = str(self.data.get("zone", ""))
        return ZoneInfo(name if name in available_timezones() else timezone.get_current_timezone_name())

    def clean_at(self) -> datetime:
        try:
            at = datetime.fromisoformat(self.cleaned_data["at"]).replace(tzinfo=self.place)
        except ValueError:
            raise ValidationError(_("Write a date and a time.")) from None
        if at <= timezone.now():
            raise ValidationError(_("Choose a time to come."))
        return at


def _share() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Per cent of the messages"),
        min_value=1,
        max_value=99,
        widget=UnfoldAdminIntegerFieldWidget({"min": 1, "max": 99}),
    )


class CanaryForm(_Seen):
    percent = _share()
    field_order = ("percent", "seen")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": {"percent": 5}, **kwargs})

    def attempt(self) -> object:
        return canary.start(version=self.version, by=self.by, percent=1)


class ShareForm(StepForm):
    percent = _share()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["percent"] = self.version.canary_percent

    def attempt(self) -> object:
        return canary.change_share(version=self.version, by=self.by, percent=1)


class PromoteForm(StepForm):
    def attempt(self) -> object:
        return canary.promote(version=self.version, by=self.by)


class RollBackForm(StepForm):
    """One click: what changes for callers is said, and nobody has to tick it, because it is urgent."""

    def attempt(self) -> object:
        return publishing.roll_back(version=self.version, by=self.by)


class SendBackForm(BaseDialogForm):
    reason = forms.CharField(
        label=_("What has to be different"),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget({"rows": 4, "autofocus": True}),
    )
