"""Messages."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.checks import ModelAdminChecks
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from pushcenter.dialogs import ask, go
from pushcenter.log_admin import LogAdmin, PeriodFilter, as_uuid
from pushcenter.messaging import cancelled, operate
from pushcenter.messaging.admin.labels import state_badge
from pushcenter.messaging.admin.page import page
from pushcenter.messaging.admin.stoppable import MAY_OPERATE
from pushcenter.messaging.models import Message
from pushcenter.messaging.states import State, summary
from pushcenter.recipients.models import Recipient

CANCEL = ask(
    _("Cancel this message?"),
    _(
        "What still waits is not sent, and no further channel starts. What has gone out is taken back where its "
        "provider can do that."
    ),
    _("Cancel the message"),
)
#: More messages of one reference or recipient than anybody will read.
FOUND_AT_MOST = 1_000


@admin.register(Message)
class MessageAdmin(LogAdmin):
    time_field = "accepted_at"
    list_display = ("when", "state", "template", "system", "recipient", "reference", "lane", "is_test")
    list_filter = (
        PeriodFilter,
        ("system", RelatedDropdownFilter),
        ("template", RelatedDropdownFilter),
        ("lane", ChoicesDropdownFilter),
        "is_test",
    )
    list_filter_submit = True
    list_select_related = ("template", "system", "recipient")
    # As ActingAdmin does: the theme's check of permission names would ask the database.
    checks_class = ModelAdminChecks
    actions_detail = ("cancel",)
    search_help_text = _("An exact id, reference, or recipient's external id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).prefetch_related("deliveries")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        # The index of references begins with the system, so that naming every system makes it serve.
        systems = list(apps.get_model("access.System").objects.values_list("pk", flat=True))
        by_reference = Message.objects.filter(system__in=systems, reference=term)
        person = Recipient.objects.filter(external_id=term).first()
        by_recipient = Message.objects.filter(recipient=person) if person else Message.objects.none()
        ids = [
            *by_reference.order_by("-id").values_list("pk", flat=True)[:FOUND_AT_MOST],
            *by_recipient.order_by("-id").values_list("pk", flat=True)[:FOUND_AT_MOST],
        ]
        return queryset.filter(Q(pk=as_uuid(term)) | Q(pk__in=ids))

    @display(description=_("state"))
    def state(self, obj: Message) -> str:
        return state_badge(summary([State(each.state) for each in obj.deliveries.all()]))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        message = Message.objects.filter(pk=object_id).first()
        gone = message is None or message.pk in cancelled.among([message])
        found = super().get_actions_detail(request, object_id)
        return [each for each in found if not (gone and each.action_name == "messaging_message_cancel")]

    @action(
        description=_("Cancel"),
        permissions=MAY_OPERATE,
        dialog=CANCEL,
        variant=ActionVariant.DANGER,
        icon="cancel",
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        message = Message.objects.get(pk=object_id)
        done = operate.cancel_message(message, by=request.user.get_username())
        told = _(
            "Cancelled: %(cancelled)s deliveries do not go out; %(late)s had gone out or were on their way, and "
            "%(recalling)s of them are being taken back."
        )
        numbers = {
            "cancelled": len(done.cancelled),
            "late": len(done.too_late),
            "recalling": len(done.recalling),
        }
        messages.success(request, told % numbers)
        return go(request, reverse("admin:messaging_message_change", args=[object_id]))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        *args: Any,
        obj: Message | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"message": obj, "page": page(obj, request)}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)
