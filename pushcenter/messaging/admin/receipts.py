"""Receipts, and the providers' calls that brought them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display

from pushcenter.dressing import code, pretty
from pushcenter.log_admin import LogAdmin, PeriodFilter, as_uuid
from pushcenter.messaging.admin.personal import sees_personal_data
from pushcenter.messaging.models import Receipt, ReceiptCall
from pushcenter.retold import named

MAX_SHOWN = 20_000


@admin.register(Receipt)
class ReceiptAdmin(LogAdmin):
    time_field = "received_at"
    list_display = ("when", "outcome_shown", "account", "provider_id", "code", "is_matched")
    list_filter = (PeriodFilter, ("account", RelatedDropdownFilter))
    list_filter_submit = True
    list_select_related = ("account",)
    search_help_text = _("An exact id of a receipt or delivery")
    fields = (
        ("outcome_shown", "account"),
        "delivery",
        ("provider_id", "event_id"),
        ("code", "reason_told"),
        ("at", "received_at"),
        "call",
    )
    readonly_fields = ("outcome_shown", "reason_told")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        wanted = as_uuid(term)
        return queryset.filter(Q(pk=wanted) | Q(delivery_id=wanted)) if wanted else queryset.none()

    @display(description=_("outcome"))
    def outcome_shown(self, obj: Receipt) -> str:
        return named(obj.outcome)

    @display(description=_("delivery known"), boolean=True)
    def is_matched(self, obj: Receipt) -> bool:
        return obj.delivery_id is not None


@admin.register(ReceiptCall)
class ReceiptCallAdmin(LogAdmin):
    """A call carries whatever its provider wrote, addresses too; so its content is for few."""

    time_field = "received_at"
    list_display = ("when", "account", "error_told")
    list_filter = (PeriodFilter, ("account", RelatedDropdownFilter))
    list_filter_submit = True
    list_select_related = ("account",)
    readonly_fields = ("error_told", "query_shown", "body_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceiptCall]:
        rows: QuerySet[ReceiptCall] = super().get_queryset(request)
        is_list = request.resolver_match is not None and "object_id" not in request.resolver_match.kwargs
        return rows.defer("body", "headers", "query") if is_list else rows

    def get_fields(self, request: HttpRequest, obj: ReceiptCall | None = None) -> tuple[str, ...]:
        fields = ("account", "received_at", "error_told")
        return (*fields, "query_shown", "body_shown") if sees_personal_data(request) else fields

    @display(description=_("query"))
    def query_shown(self, obj: ReceiptCall) -> str:
        return code(pretty(obj.query))

    @display(description=_("body"))
    def body_shown(self, obj: ReceiptCall) -> str:
        return code(bytes(obj.body[:MAX_SHOWN]).decode("utf-8", "replace"))
