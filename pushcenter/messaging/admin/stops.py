"""What is stopped, the switch for all that is not critical, and the history of stops."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.checks import ModelAdminChecks
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from pushcenter.dialogs import ReasonForm, RemarkForm, ask, go
from pushcenter.dressing import badge
from pushcenter.lanes import Lane
from pushcenter.log_admin import LogAdmin
from pushcenter.messaging import stops
from pushcenter.messaging.admin.stoppable import GOES_ON, MAY_OPERATE, WAITS
from pushcenter.messaging.admin.stopped import of_stops, with_accounts
from pushcenter.messaging.models import Stop, StopKind


class LaneForm(ReasonForm):
    """Which lane, and why."""

    lane = forms.ChoiceField(label=_("Lane"), choices=Lane.choices, widget=UnfoldAdminSelectWidget)
    field_order = ("lane", "reason")


STOP_ALL = ask(
    _("Stop all that is not critical?"),
    _(
        "At the latest two seconds later no delivery of the lanes high, normal and low starts any more, of whatever "
        "system. Messages are accepted as before, and wait. The lane critical goes on."
    ),
    _("Stop all that is not critical"),
    form=ReasonForm,
)
STOP_LANE = ask(_("Pause a lane?"), WAITS, _("Pause"), form=LaneForm)
RESUME = ask(_("Resume it?"), GOES_ON, _("Resume"), form=RemarkForm)
RESUME_ALL = ask(_("Resume all that is not critical?"), GOES_ON, _("Resume"), form=RemarkForm)


@admin.register(Stop)
class StopAdmin(LogAdmin):
    # As ActingAdmin does: the theme's check of permission names would ask the database.
    checks_class = ModelAdminChecks
    list_display = ("when", "state_shown", "what", "by", "reason", "ended_shown", "ended_by", "end_reason")
    list_display_links = ("when",)
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_filter_submit = True
    list_before_template = "admin/messaging/stop/stopped.html"
    ordering = (F("ended_at").desc(nulls_first=True), "-id")
    fields = ("what", "state_shown", "at", "by", "reason", "ended_at", "ended_by", "end_reason")
    readonly_fields = ("what", "state_shown")
    actions_list = ("stop_all", "resume_all", "stop_lane")
    actions_detail = ("resume",)

    @display(description=_("state"))
    def state_shown(self, obj: Stop) -> str:
        return badge(_("over"), "default") if obj.ended_at else badge(_("stopped"), "danger")

    @display(description=_("what"))
    def what(self, obj: Stop) -> str:
        [found] = of_stops([obj])
        return f"{found.kind}: {found.name}" if obj.target else str(found.name).capitalize()

    @display(description=_("ended"))
    def ended_shown(self, obj: Stop) -> str:
        return timezone.localtime(obj.ended_at).strftime("%Y-%m-%d %H:%M:%S") if obj.ended_at else "–"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_operate = request.user.has_perms(MAY_OPERATE)
        context = {"title": _("What is stopped"), "stopped": with_accounts(), "may_operate": may_operate}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        unfit = "stop_all" if _switch() else "resume_all"
        found = super().get_actions_list(request)
        return [each for each in found if each.action_name != f"messaging_stop_{unfit}"]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        stop = self.get_object(request, object_id)
        is_over = stop is None or stop.ended_at is not None
        return [] if is_over else super().get_actions_detail(request, object_id)

    @action(
        description=_("Stop all that is not critical"),
        permissions=MAY_OPERATE,
        dialog=STOP_ALL,
        variant=ActionVariant.DANGER,
        icon="stop_circle",
    )
    def stop_all(self, request: HttpRequest, form: ReasonForm) -> HttpResponse:
        stops.stop(StopKind.NON_CRITICAL, by=request.user.get_username(), reason=form.cleaned_data["reason"])
        messages.warning(request, _("All that is not critical is stopped."))
        return self._list(request)

    @action(
        description=_("Resume all that is not critical"),
        permissions=MAY_OPERATE,
        dialog=RESUME_ALL,
        variant=ActionVariant.SUCCESS,
        icon="play_arrow",
    )
    def resume_all(self, request: HttpRequest, form: RemarkForm) -> HttpResponse:
        return self._resume(request, _switch(), form)

    @action(description=_("Pause a lane"), permissions=MAY_OPERATE, dialog=STOP_LANE, icon="pause")
    def stop_lane(self, request: HttpRequest, form: LaneForm) -> HttpResponse:
        given = form.cleaned_data
        stops.stop(StopKind.LANE, given["lane"], by=request.user.get_username(), reason=given["reason"])
        return self._list(request)

    @action(
        description=_("Resume"),
        permissions=MAY_OPERATE,
        dialog=RESUME,
        variant=ActionVariant.SUCCESS,
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, form: RemarkForm, object_id: str) -> HttpResponse:
        return self._resume(request, self.get_object(request, object_id), form)

    def _resume(self, request: HttpRequest, stop: Stop | None, form: RemarkForm) -> HttpResponse:
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        if stop and stops.resume(StopKind(stop.kind), stop.target, by=by, reason=reason):
            messages.success(request, _("It goes on."))
        return self._list(request)

    def _list(self, request: HttpRequest) -> HttpResponse:
        return go(request, reverse("admin:messaging_stop_changelist"))


def _switch() -> Stop | None:
    return Stop.objects.filter(kind=StopKind.NON_CRITICAL, ended_at=None).first()
