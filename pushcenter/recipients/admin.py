"""Recipients in the console. Who may not see personal data sees masked addresses, and cannot change them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from channels_app import registry
from pushcenter.log_admin import BigTableAdmin
from pushcenter.recipients.forms import AddressForm, PreferenceForm, RecipientForm, SuppressionForm
from pushcenter.recipients.masking import mask
from pushcenter.recipients.models import Address, Category, Group, Preference, Recipient, Suppression
from pushcenter.retold import named


def sees_personal_data(request: HttpRequest) -> bool:
    return request.user.has_perm("messaging.view_personal_data")


class AddressInline(TabularInline):
    model = Address
    form = AddressForm
    extra = 0
    verbose_name_plural = _("addresses")

    def get_fields(self, request: HttpRequest, obj: Recipient | None = None) -> tuple[str, ...]:
        return ("kind", "value") if sees_personal_data(request) else ("kind", "masked")

    def get_readonly_fields(self, request: HttpRequest, obj: Recipient | None = None) -> tuple[str, ...]:
        return () if sees_personal_data(request) else ("kind", "masked")

    def has_add_permission(self, request: HttpRequest, obj: Recipient | None = None) -> bool:
        return sees_personal_data(request) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Recipient | None = None) -> bool:
        return sees_personal_data(request) and super().has_change_permission(request, obj)

    @display(description=_("address"))
    def masked(self, obj: Address) -> str:
        return mask(obj.value)


class PreferenceInline(TabularInline):
    model = Preference
    form = PreferenceForm
    extra = 0
    verbose_name_plural = _("preferences")


@admin.register(Recipient)
class RecipientAdmin(BigTableAdmin):
    form = RecipientForm
    inlines = (AddressInline, PreferenceInline)
    list_display = ("external_id", "name", "locale", "time_zone", "updated_at")
    list_filter = ("groups",)
    ordering = ("external_id",)
    search_fields = ("external_id__startswith",)
    search_help_text = _("The external id, or its beginning")
    autocomplete_fields = ("groups",)


@admin.register(Group)
class RecipientGroupAdmin(ModelAdmin):
    list_display = ("name", "code", "is_for_tests")
    list_filter = ("is_for_tests",)
    search_fields = ("code", "name")


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    list_display = ("name", "code", "is_mandatory", "needs_approval", "description")
    search_fields = ("code", "name")


@admin.register(Suppression)
class SuppressionAdmin(BigTableAdmin):
    form = SuppressionForm
    fields = ("kind", "value", "channel", "category", "reason", "detail")
    list_filter = ("reason",)
    ordering = ("-id",)
    search_fields = ("value",)
    search_help_text = _("An exact address")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        place = "value" if sees_personal_data(request) else "masked"
        return (place, "kind_shown", "channel_shown", "category_shown", "reason", "detail", "created_at")

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        if obj is None:
            return self.fields
        place = "value" if sees_personal_data(request) else "masked"
        return ("kind_shown", place, "channel_shown", "category_shown", "reason", "detail", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A suppression is lifted by deleting it; to change one would blur what was decided."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        kinds = registry.address_kinds()
        # The unique index begins with the kind, so that naming every kind makes it serve.
        return queryset.filter(kind__in=list(kinds), value__in=spellings(term)), False

    @display(description=_("address"))
    def masked(self, obj: Suppression) -> str:
        return mask(obj.value)

    @display(description=_("channel"))
    def channel_shown(self, obj: Suppression) -> Any:
        return registry.label(obj.channel) if obj.channel else _("every channel")

    @display(description=_("kind"), ordering="kind")
    def kind_shown(self, obj: Suppression) -> str:
        return named(obj.kind)

    @display(description=_("category"))
    def category_shown(self, obj: Suppression) -> Any:
        return obj.category or _("every category")


def spellings(term: str) -> set[str]:
    """What somebody wrote, and the forms in which it may be stored."""
    found = {term}
    for channel in registry.address_kinds().values():
        try:
            found.add(channel.normalise(term))
        except ValueError:
            continue
    return found
