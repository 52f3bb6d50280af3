"""Batches and broadcasts: how far they are, and pause, resume and cancel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.checks import ModelAdminChecks
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from pushcenter.dialogs import RemarkForm, ask, go
from pushcenter.dressing import badge, pretty
from pushcenter.log_admin import LogAdmin, PeriodFilter
from pushcenter.messaging import batches, braking, recall
from pushcenter.messaging.admin.labels import STATE_COLOURS
from pushcenter.messaging.admin.stoppable import MAY_OPERATE
from pushcenter.messaging.batches import Status
from pushcenter.messaging.models import Batch, BatchEvent, Brake, BrakeState, Delivery
from pushcenter.messaging.routing import Reason
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import EVENTS

COLOURS = {
    Status.EXPANDING: "info",
    Status.WAITING: "warning",
    Status.RUNNING: "info",
    Status.PAUSED: "warning",
    Status.CANCELLED: "default",
    Status.DONE: "success",
}
REASONS = {
    Reason.NOT_PERMITTED: _("the system may not use the channel"),
    Reason.NO_VARIANT: _("the template says nothing on the channel"),
    Reason.NO_ACCOUNT: _("no account serves the channel"),
    Reason.NO_ADDRESS: _("no address"),
    Reason.SUPPRESSED: _("the address is suppressed"),
    Reason.OPTED_OUT: _("does not want it"),
    "expired": _("there was no time left"),
}
PAUSE = ask(
    _("Pause this batch?"),
    _("No delivery of it starts any more until it is resumed; what is being sent at this moment goes on."),
    _("Pause"),
    form=RemarkForm,
)
RESUME = ask(_("Resume this batch?"), _("What has expired meanwhile is not sent."), _("Resume"))
RELEASE = ask(
    _("Send the rest now?"),
    _("The rest goes out without waiting for what becomes of the first slice. It is watched all the same."),
    _("Send the rest"),
)
CANCEL = ask(
    _("Cancel this batch?"),
    _(
        "What still waits is not sent, and nobody can undo that. What has gone out is taken back where its provider "
        "can do that, and else stays out."
    ),
    _("Cancel the batch"),
)
#: What cannot be done in a status.
UNFIT = {
    Status.EXPANDING: {"resume"},
    Status.WAITING: {"resume"},
    Status.RUNNING: {"resume"},
    Status.PAUSED: {"pause"},
    Status.CANCELLED: {"pause", "resume", "cancel"},
    Status.DONE: {"pause", "resume", "cancel"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many of a kind, and their share of the whole in percent."""

    label: Any
    number: int
    colour: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the history."""

    event: BatchEvent
    title: Any


BRAKE_COLOURS = {
    BrakeState.SLICE: "warning",
    BrakeState.OPEN: "success",
    BrakeState.PULLED: "danger",
    BrakeState.OVER: "default",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows."""

    status: Status
    colour: str
    deliveries: list[Count]
    left_out: list[tuple[Any, int]]
    looked_at: float
    audience: str
    history: list[Line]
    brake: Brake | None
    brake_colour: str
    limits: tuple[str, str]


def page(batch: Batch) -> Page:
    progress = batches.progress(batch)
    brake = Brake.objects.filter(batch=batch).first()
    return Page(
        brake=brake,
        brake_colour=BRAKE_COLOURS[BrakeState(brake.state)] if brake else "",
        limits=(f"{100 * settings.BRAKE_FAILURES:g}", f"{100 * settings.BRAKE_COMPLAINTS:g}"),
        status=progress.status,
        colour=COLOURS[progress.status],
        deliveries=_counts(progress.deliveries),
        left_out=[(REASONS.get(reason, reason), number) for reason, number in batch.left_out.items()],
        looked_at=_share(batch.expanded, batch.people) if batch.expanded_at is None else 100.0,
        audience=pretty(batch.audience) if batch.is_broadcast else "",
        history=[Line(event=each, title=EVENTS[each.kind][0]) for each in batch.events.order_by("id")],
    )


def _counts(deliveries: Mapping[str, int]) -> list[Count]:
    whole = sum(deliveries.values())
    return [
        Count(
            label=state.label,
            number=deliveries[state],
            colour=STATE_COLOURS[state],
            share=_share(deliveries[state], whole),
        )
        for state in State
        if state in deliveries
    ]


def _share(part: int, whole: int) -> float:
    return round(min(100.0, 100 * part / whole), 1) if whole else 100.0


@admin.register(Batch)
class BatchAdmin(LogAdmin):
    # As ActingAdmin does: the theme's check of permission names would ask the database.
    checks_class = ModelAdminChecks
    time_field = "accepted_at"
    list_display = (
        "when",
        "status_shown",
        "kind",
        "system",
        "template",
        "reference",
        "accepted",
        "rejected",
        "is_test",
    )
    list_filter = (PeriodFilter, ("system", RelatedDropdownFilter), "is_test")
    list_filter_submit = True
    list_select_related = ("system", "template")
    fields = ("id", "system", "reference", "accepted", "rejected", "accepted_at")
    actions_detail = ("release", "pause", "resume", "cancel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return batches.listed(super().get_queryset(request))

    @display(description=_("status"))
    def status_shown(self, obj: Batch) -> str:
        status = batches.status(obj, in_flight=obj.in_flight)  # type: ignore[attr-defined]  # annotated by listed()
        return badge(status.label, COLOURS[status])

    @display(description=_("kind"))
    def kind(self, obj: Batch) -> Any:
        return _("broadcast") if obj.is_broadcast else _("batch")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Batch | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"batch": obj, "page": page(obj)}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        batch = self.get_object(request, object_id)
        status = batches.progress(batch).status if batch else Status.DONE
        unfit = UNFIT[status] if batch else set()
        if status is Status.DONE and recall.possible(Delivery.objects.filter(batch=batch)).exists():
            unfit = unfit - {"cancel"}
        brake = getattr(batch, "brake", None)
        if batch is None or batch.is_stopped or brake is None or brake.state != BrakeState.SLICE:
            unfit = unfit | {"release"}
        names = {f"messaging_batch_{each}" for each in unfit}
        found = super().get_actions_detail(request, object_id)
        return [each for each in found if each.action_name not in names]

    @action(
        description=_("Send the rest now"),
        permissions=MAY_OPERATE,
        dialog=RELEASE,
        variant=ActionVariant.SUCCESS,
        icon="fast_forward",
    )
    def release(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._change(request, object_id, braking.release, _("The rest goes out."))

    @action(
        description=_("Pause"),
        permissions=MAY_OPERATE,
        dialog=PAUSE,
        variant=ActionVariant.WARNING,
        icon="pause",
    )
    def pause(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        pause = partial(batches.pause, reason=form.cleaned_data["reason"])
        return self._change(request, object_id, pause, _("The batch is paused."))

    @action(
        description=_("Resume"),
        permissions=MAY_OPERATE,
        dialog=RESUME,
        variant=ActionVariant.SUCCESS,
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._change(request, object_id, batches.resume, _("The batch goes on."))

    @action(
        description=_("Cancel"),
        permissions=MAY_OPERATE,
        dialog=CANCEL,
        variant=ActionVariant.DANGER,
        icon="cancel",
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        done = batches.cancel(self._id(request, object_id), by=request.user.get_username())
        told = _(
            "Cancelled: %(cancelled)s deliveries do not go out; %(late)s had gone out or were on their way, and "
            "%(recalling)s of them are being taken back."
        )
        numbers = {
            "cancelled": done.cancelled,
            "late": sum(done.too_late.values()),
            "recalling": done.recalling,
        }
        messages.success(request, told % numbers)
        return go(request, reverse("admin:messaging_batch_change", args=[object_id]))

    def _change(
        self, request: HttpRequest, object_id: str, change: Callable[..., object], told: Any
    ) -> HttpResponse:
        try:
            change(self._id(request, object_id), by=request.user.get_username())
            messages.success(request, told)
        except batches.IsCancelled:
            messages.warning(request, _("This batch was cancelled meanwhile."))
        return go(request, reverse("admin:messaging_batch_change", args=[object_id]))

    def _id(self, request: HttpRequest, object_id: str) -> Any:
        return self.get_queryset(request).values_list("pk", flat=True).get(pk=object_id)
