"""Deliveries, and the attempts, events and interactions that belong to them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from pushcenter.dressing import badge, code, pretty
from pushcenter.log_admin import LogAdmin, PeriodFilter, as_uuid
from pushcenter.messaging.admin.labels import OUTCOME_COLOURS, state_badge
from pushcenter.messaging.admin.operations import Operations
from pushcenter.messaging.admin.page import label_of
from pushcenter.messaging.admin.personal import sees_personal_data
from pushcenter.messaging.models import Attempt, Delivery, Event, Interaction
from pushcenter.messaging.trace import EVENTS
from pushcenter.recipients.masking import mask
from pushcenter.retold import retold


class AttemptInline(TabularInline):
    model = Attempt
    fields = ("number", "outcome", "account", "code", "detail_told", "started_at", "milliseconds")
    readonly_fields = fields
    ordering = ("number",)
    extra = 0
    can_delete = False

    @display(description=_("detail"))
    def detail_told(self, obj: Attempt) -> str:
        return retold(obj.detail)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Delivery)
class DeliveryAdmin(Operations, LogAdmin):
    time_field = "accepted_at"
    inlines = (AttemptInline,)
    list_filter = (
        PeriodFilter,
        ("state", ChoicesDropdownFilter),
        ("lane", ChoicesDropdownFilter),
        ("account", RelatedDropdownFilter),
        ("message__system", RelatedDropdownFilter),
        ("message__template", RelatedDropdownFilter),
        "message__is_test",
    )
    list_filter_submit = True
    list_before_template = "messaging/of_a_day.html"
    list_select_related = ("account",)
    search_help_text = _("An exact id of a delivery or message, or the provider's id")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        first = ("when", "state_shown", "channel_shown", place(request))
        return (*first, "lane", "due_at", "attempts", "account", "code")

    def get_fields(self, request: HttpRequest, obj: Delivery | None = None) -> tuple[Any, ...]:
        return (
            ("message_link", "state_shown"),
            ("channel_shown", "locale"),
            ("kind", place(request)),
            ("lane", "account"),
            ("due_at", "expires_at"),
            ("attempts", "maybe_duplicate"),
            ("code", "provider_id"),
            "reason_told",
            ("accepted_at", "ended_at"),
            ("sent_at", "delivered_at"),
            ("opened_at", "clicked_at"),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Delivery | None = None) -> tuple[str, ...]:
        return ("message_link", "state_shown", "channel_shown", "masked", "reason_told")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        wanted = as_uuid(term)
        if wanted:
            return queryset.filter(Q(pk=wanted) | Q(message_id=wanted))
        return queryset.filter(provider_id=term)

    @display(description=_("state"))
    def state_shown(self, obj: Delivery) -> str:
        return state_badge(obj.state)

    @display(description=_("channel"))
    def channel_shown(self, obj: Delivery) -> str:
        return str(label_of(obj.channel))

    @display(description=_("address"))
    def masked(self, obj: Delivery) -> str:
        return mask(obj.address)

    @display(description=_("message"))
    def message_link(self, obj: Delivery) -> str:
        return message_link(obj)


def place(request: HttpRequest) -> str:
    return "address" if sees_personal_data(request) else "masked"


def message_link(row: Delivery | Event) -> str:
    url = reverse("admin:messaging_message_change", args=[row.message_id])
    return format_html('<a class="text-link" href="{}">{}</a>', url, row.message_id)


@admin.register(Attempt)
class AttemptAdmin(LogAdmin):
    time_field = "started_at"
    list_display = ("when", "outcome_shown", "adapter", "account", "number", "code", "milliseconds")
    list_filter = (PeriodFilter, ("outcome", ChoicesDropdownFilter), ("account", RelatedDropdownFilter))
    list_filter_submit = True
    list_select_related = ("account",)
    search_help_text = _("An exact id of an attempt or delivery")
    fields = (
        "delivery",
        ("number", "outcome"),
        ("adapter", "account"),
        ("code", "provider_id"),
        "detail_told",
        ("started_at", "finished_at", "milliseconds"),
    )
    readonly_fields = ("milliseconds", "detail_told")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        wanted = as_uuid(term)
        return queryset.filter(Q(pk=wanted) | Q(delivery_id=wanted)) if wanted else queryset.none()

    @display(description=_("outcome"))
    def outcome_shown(self, obj: Attempt) -> str:
        return badge(obj.get_outcome_display(), OUTCOME_COLOURS[obj.outcome])


@admin.register(Event)
class EventAdmin(LogAdmin):
    list_display = ("when", "kind_told", "message_shown")
    fields = ("at", "kind_told", "message_shown", "data_shown")
    readonly_fields = ("kind_told", "message_shown", "data_shown")
    search_help_text = _("An exact id of an event or message")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        wanted = as_uuid(term)
        return queryset.filter(Q(pk=wanted) | Q(message_id=wanted)) if wanted else queryset.none()

    @display(description=_("kind"))
    def kind_told(self, obj: Event) -> str:
        return str(EVENTS[obj.kind][0]) if obj.kind in EVENTS else obj.kind

    @display(description=_("message"))
    def message_shown(self, obj: Event) -> str:
        return message_link(obj)

    @display(description=_("data"))
    def data_shown(self, obj: Event) -> str:
        return code(pretty(obj.data))


@admin.register(Interaction)
class InteractionAdmin(LogAdmin):
    list_display = ("when", "kind", "source", "delivery_id")
    list_filter = (PeriodFilter, ("kind", ChoicesDropdownFilter))
    list_filter_submit = True
    fields = ("at", "kind", "source", "delivery", "data_shown")
    readonly_fields = ("data_shown",)
    search_help_text = _("An exact id of an interaction or delivery")

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        wanted = as_uuid(term)
        return queryset.filter(Q(pk=wanted) | Q(delivery_id=wanted)) if wanted else queryset.none()

    @display(description=_("data"))
    def data_shown(self, obj: Interaction) -> str:
        return code(pretty(obj.data))
