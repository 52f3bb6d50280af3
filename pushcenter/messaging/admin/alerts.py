"""Alerts: what is wrong, what was, and who is told of it over which channels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.checks import ModelAdminChecks
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from pushcenter.dialogs import ask, go
from pushcenter.dressing import badge
from pushcenter.log_admin import LogAdmin
from pushcenter.messaging import alerts, operators
from pushcenter.messaging.admin.operator_form import OperatorForm
from pushcenter.messaging.admin.page import label_of
from pushcenter.messaging.admin.stoppable import MAY_OPERATE
from pushcenter.messaging.models import Alert
from pushcenter.messaging.routing import Choice, Reason
from pushcenter.recipients.models import Recipient
from pushcenter.retold import named, retold

SEVERITY_COLOURS = {"info": "info", "warning": "warning", "critical": "danger"}
WHAT = {"raised": _("of its beginning"), "reminder": _("again"), "resolved": _("of its end")}
MAY_SUBSCRIBE = "recipients.change_recipient"
#: More people than are told of alerts anywhere.
SHOWN_PEOPLE = 50
RESOLVE = ask(
    _("Is this over?"),
    _("If it is still wrong, it will be reported again as a new alert."),
    _("It is over"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A channel over which somebody is told, or the reason why not."""

    label: Any
    is_open: bool
    reason: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who is told."""

    person: Recipient
    ways: list[Way]

    @property
    def is_reached(self) -> bool:
        return any(way.is_open for way in self.ways)


#: What is not worth a word: the person has no such address, or nobody has set such a channel up.
PLAIN = {Reason.NO_ADDRESS, Reason.NO_ACCOUNT}
REASONS = {
    Reason.OPTED_OUT: _("not wanted"),
    Reason.SUPPRESSED: _("suppressed"),
    Reason.NO_VARIANT: _("no text"),
}


def listed() -> list[Operator]:
    return [Operator(person=each, ways=list(_ways(each))) for each in operators.people()[:SHOWN_PEOPLE]]


def _ways(person: Recipient) -> Iterable[Way]:
    for each in operators.reach(person):
        if each.reason not in PLAIN:
            is_open = each.choice is Choice.CHOSEN
            reason = "" if is_open else REASONS.get(each.reason, each.reason.value)
            yield Way(label=label_of(each.channel), is_open=is_open, reason=reason)


class OpenFilter(DropdownFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("open")), ("resolved", _("resolved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"open", "resolved"}:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "open")


@admin.register(Alert)
class AlertAdmin(LogAdmin):
    # As ActingAdmin does: the theme's check of permission names would ask the database.
    checks_class = ModelAdminChecks
    time_field = "since"
    list_display = ("when", "state_shown", "severity_shown", "text_shown", "count", "last_seen", "told_shown")
    list_filter = (OpenFilter, ("severity", ChoicesDropdownFilter))
    list_filter_submit = True
    list_before_template = "admin/messaging/alert/people.html"
    fields = ("text", "severity")
    actions_list = ("tell_somebody",)
    actions_detail = ("end",)
    search_help_text = _("An exact id or key")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        found = super().find(queryset, term)
        return found if found.exists() else queryset.filter(key=term)

    @display(description=_("state"))
    def state_shown(self, obj: Alert) -> str:
        return state_badge(obj)

    @display(description=_("severity"))
    def severity_shown(self, obj: Alert) -> str:
        return severity_badge(obj)

    @display(description=_("what is wrong"))
    def text_shown(self, obj: Alert) -> str:
        return retold(obj.text)

    @display(description=_("last seen"))
    def last_seen(self, obj: Alert) -> str:
        return timezone.localtime(obj.seen_at).strftime("%Y-%m-%d %H:%M:%S")

    @display(description=_("told"))
    def told_shown(self, obj: Alert) -> str:
        return ", ".join(dict.fromkeys(each["name"] for each in obj.told if each.get("channels"))) or "–"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        alerts.fold()  # what was noted a moment ago, so that nobody looks at an old list
        context = {"operators": listed(), "may_subscribe": request.user.has_perm(MAY_SUBSCRIBE)}
        return super().changelist_view(request, context | (extra_context or {}))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Alert | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"alert": obj, "page": page(obj)}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        alert = self.get_object(request, object_id)
        return super().get_actions_detail(request, object_id) if alert and alert.is_open else []

    @action(description=_("It is over"), permissions=MAY_OPERATE, dialog=RESOLVE, icon="check")
    def end(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        alert = self.get_object(request, object_id)
        if alert is not None and alert.is_open:
            alerts.resolve(alert.key)
            alerts.fold()
            messages.success(request, _("The alert is resolved."))
        return go(request, reverse("admin:messaging_alert_change", args=[object_id]))

    @action(description=_("Tell somebody"), permissions=[MAY_SUBSCRIBE], icon="person_add")
    def tell_somebody(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:messaging_alert_operator"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.operator)
        return [path("operator/", view, name="messaging_alert_operator"), *super().get_urls()]

    def operator(self, request: HttpRequest) -> HttpResponse:
        """The page on which somebody is told, from now on or no longer."""
        if not request.user.has_perm(MAY_SUBSCRIBE):
            raise PermissionDenied
        known = Recipient.objects.filter(external_id=request.GET.get("person", "")).first()
        form = OperatorForm(request, known)
        back = HttpResponseRedirect(reverse("admin:messaging_alert_changelist"))
        if request.method == "POST" and "remove" in request.POST and known:
            operators.unsubscribe(known)
            messages.success(request, _("%(name)s is told nothing any more.") % {"name": known})
            return back
        if request.method == "POST" and form.is_valid():
            messages.success(request, _("%(name)s is told from now on.") % {"name": form.save()})
            return back
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who is told of alerts"),
            "opts": self.opts,
            "form": form,
            "known": known,
        }
        return TemplateResponse(request, "admin/messaging/alert/operator.html", context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line on who was told."""

    at: Any
    what: Any
    name: str
    channels: list[Any]
    message: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows."""

    state: str
    severity: str
    facts: list[tuple[str, str]]
    told: list[Told]


def page(alert: Alert) -> Page:
    return Page(
        state=state_badge(alert),
        severity=severity_badge(alert),
        facts=[(named(name), retold(_words(value))) for name, value in alert.data.items()],
        told=[_told(each) for each in reversed(alert.told)],
    )


def _words(value: Any) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _told(line: Mapping[str, Any]) -> Told:
    return Told(
        at=parse_datetime(line["at"]),
        what=WHAT[line["what"]],
        name=line["name"],
        channels=[label_of(each) for each in line.get("channels", [])],
        message=line.get("message", ""),
        why=line.get("why", ""),
    )


def state_badge(alert: Alert) -> str:
    return badge(_("open"), "danger") if alert.is_open else badge(_("resolved"), "success")


def severity_badge(alert: Alert) -> str:
    return badge(alert.get_severity_display(), SEVERITY_COLOURS[alert.severity])
