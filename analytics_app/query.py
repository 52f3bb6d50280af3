"""What a report is asked for: the form above it, and the question as a value."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from channels_app import registry
from templates_app.models import Template

LONGEST = timedelta(days=2 * 366)
#: Years at the ends of the calendar have no day before or after them.
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
GROUPS = [
    ("day", _("Day")),
    ("channel", _("Channel")),
    ("template", _("Template")),
    ("system", pgettext_lazy("caller", "System")),
]
DEFAULTS = {"period": "30", "group": "day"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Days are inclusive, and days of the current time zone. Messages of test keys are counted nowhere."""

    first: date
    last: date
    group: str
    channel: str = ""
    template: UUID | None = None
    system: UUID | None = None
    of_tests: bool = False

    @property
    def label(self) -> Any:
        """By what the lines are grouped."""
        return dict(GROUPS)[self.group]

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        return midnight(self.last + timedelta(days=1))


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class ReportForm(forms.Form):
    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[("7", _("Last 7 days")), ("30", _("Last 30 days")), ("90", _("Last 90 days"))],
        widget=UnfoldAdminSelectWidget,
    )
    start = forms.DateField(
        label=_("From"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"})
    )
    end = forms.DateField(label=_("To"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"}))
    channel = forms.ChoiceField(label=_("Channel"), required=False, widget=UnfoldAdminSelectWidget)
    template = forms.ModelChoiceField(
        Template.objects.all(),
        label=_("Template"),
        required=False,
        empty_label=_("all"),
        widget=UnfoldAdminSelectWidget,
    )
    system: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(
        None,
        label=pgettext_lazy("caller", "System"),
        required=False,
        empty_label=_("all"),
        widget=UnfoldAdminSelectWidget,
    )
    group = forms.ChoiceField(
        label=pgettext_lazy("grouping", "By"), required=False, choices=GROUPS, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, given: QueryDict) -> None:
        # What is not asked for is as in the form that people see first.
        super().__init__({**DEFAULTS, **{name: value for name, value in given.items() if value}})
        # The tier above owns systems; figures only point to them.
        self.fields["system"].queryset = apps.get_model("access.System").objects.all()  # type: ignore[attr-defined]
        channels = [(name, channel.label) for name, channel in registry.channels().items()]
        self.fields["channel"].choices = [("", _("all")), *channels]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        cleaned["first"], cleaned["last"] = self._days(cleaned)
        if cleaned["first"] > cleaned["last"]:
            raise ValidationError({"end": _("This day lies before the first one.")})
        if cleaned["last"] - cleaned["first"] > LONGEST:
            raise ValidationError({"start": _("A report covers two years at most.")})
        return cleaned

    def _days(self, cleaned: dict[str, Any]) -> tuple[date, date]:
        """The days from and to, as given; else the period that ends today, or on the day that is given."""
        span = timedelta(days=int(cleaned["period"]) - 1)
        last: date = cleaned["end"] or max(timezone.localdate(), cleaned["start"] or date.min)
        return cleaned["start"] or max(last, date.min + span) - span, last

    def clean_start(self) -> date | None:
        return self._sane("start")

    def clean_end(self) -> date | None:
        return self._sane("end")

    def _sane(self, name: str) -> date | None:
        day: date | None = self.cleaned_data[name]
        if day and not EARLIEST <= day <= LATEST:
            raise ValidationError(_("There are no figures of that year."))
        return day

    def query(self) -> Query:
        """The question; only of a form that is valid."""
        cleaned = self.cleaned_data
        return Query(
            first=cleaned["first"],
            last=cleaned["last"],
            group=cleaned["group"],
            channel=cleaned["channel"],
            template=cleaned["template"].pk if cleaned["template"] else None,
            system=cleaned["system"].pk if cleaned["system"] else None,
        )
