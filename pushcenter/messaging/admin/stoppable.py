"""Pause and resume on the pages of what can be stopped, with who, when and why."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from pushcenter.dialogs import ReasonForm, RemarkForm, ask, go
from pushcenter.messaging import stops
from pushcenter.messaging.models import Stop, StopKind

MAY_OPERATE = ["messaging.operate_delivery"]


WAITS = _(
    "At the latest two seconds later no delivery of it starts any more; what is being sent at this moment goes on. "
    "Messages are accepted as before, and wait."
)
GOES_ON = _("What has waited goes out, in its order. What has expired meanwhile is not sent.")
PAUSE = ask(_("Pause it?"), WAITS, _("Pause"), form=ReasonForm)
RESUME = ask(_("Resume it?"), GOES_ON, _("Resume"), form=RemarkForm)


def said(stop: Stop) -> Any:
    """One sentence on a stop."""
    at = timezone.localtime(stop.at).strftime("%Y-%m-%d %H:%M:%S")
    words = {"at": at, "by": stop.by, "reason": stop.reason or "–"}
    return _("Paused since %(at)s by %(by)s: %(reason)s") % words


class Stoppable:
    """Adds both actions to a console page; ``stop_kind`` says what its rows are."""

    stop_kind: StopKind

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        stop = self._stop_of(request, object_id) if request.method == "GET" else None
        if stop is not None:
            messages.warning(request, said(stop))
        return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        unfit = "pause" if self._stop_of(request, object_id) else "resume"
        found: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [each for each in found if not each.action_name.endswith(f"_{unfit}")]

    @action(
        description=_("Pause"),
        permissions=MAY_OPERATE,
        dialog=PAUSE,
        variant=ActionVariant.WARNING,
        icon="pause",
    )
    def pause(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        target, by = self._target(request, object_id), request.user.get_username()
        stops.stop(self.stop_kind, target, by=by, reason=form.cleaned_data["reason"])
        return self._back(request, object_id)

    @action(
        description=_("Resume"),
        permissions=MAY_OPERATE,
        dialog=RESUME,
        variant=ActionVariant.SUCCESS,
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, form: RemarkForm, object_id: str) -> HttpResponse:
        target, by = self._target(request, object_id), request.user.get_username()
        if stops.resume(self.stop_kind, target, by=by, reason=form.cleaned_data["reason"]):
            messages.success(request, _("It goes on."))
        return self._back(request, object_id)

    def _target(self, request: HttpRequest, object_id: str) -> str:
        return str(self.get_queryset(request).values_list("pk", flat=True).get(pk=object_id))  # type: ignore[attr-defined]

    def _stop_of(self, request: HttpRequest, object_id: Any) -> Stop | None:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if row is None:
            return None
        return Stop.objects.filter(kind=self.stop_kind, target=str(row.pk), ended_at=None).first()

    def _back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        opts = self.opts  # type: ignore[attr-defined]
        return go(request, reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[object_id]))
