"""Systems, their keys, and what was refused, in the console."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from channels_app import secrets
from pushcenter.access import keys
from pushcenter.access.forms import ApiKeyForm, RotationForm, SystemForm
from pushcenter.access.models import ApiKey, Refusal, System
from pushcenter.acting import ActingAdmin
from pushcenter.dialogs import ask, go
from pushcenter.log_admin import LogAdmin, PeriodFilter, as_uuid
from pushcenter.messaging.admin.stoppable import Stoppable
from pushcenter.messaging.models import StopKind

#: What a page of a key shows below what can be changed.
KEPT = ("predecessor", "created_at", "last_used_at", "revoked_at")
MOST_CHOICES = 200
#: Under this name the session holds a new key until it has been shown.
ISSUED = "issued_key"
REVOKE = ask(
    _("Revoke this key?"),
    _("Calls that use it are refused within seconds. A revoked key never works again."),
    _("Revoke"),
)
ROTATE = ask(
    _("Replace this key?"),
    _(
        "A successor with the same rights is made and shown once. The old key stays usable for the overlap, so "
        "that its callers can change over without a gap."
    ),
    _("Make the successor"),
    form=RotationForm,
)


@admin.register(System)
class SystemAdmin(Stoppable, ActingAdmin):
    form = SystemForm
    stop_kind = StopKind.SYSTEM
    actions_detail = ("pause", "resume")
    list_display = ("name", "code", "is_active", "highest_priority", "rate", "owner_email", "created_at")
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    fieldsets = (
        (None, {"fields": (("code", "name"), "owner_email", "is_active", "created_at", "refused")}),
        (
            _("Permissions"),
            {
                "fields": (
                    "templates",
                    "categories",
                    "channels",
                    "highest_priority",
                    ("may_address_inline", "may_broadcast"),
                ),
                "description": _("What the system may ask for. What is left empty permits everything."),
            },
        ),
        (
            _("Limits"),
            {
                "fields": (("rate", "burst"), ("daily_quota", "max_batch"), "max_broadcast"),
                "description": _("All keys of the system share them. Changes take effect within seconds."),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: System | None = None) -> tuple[str, ...]:
        return ("code", "created_at", "refused") if obj else ("created_at", "refused")

    def get_fieldsets(self, request: HttpRequest, obj: System | None = None) -> Any:
        first, *others = super().get_fieldsets(request, obj)
        if obj is None:  # nothing has happened yet
            first = (None, {"fields": (("code", "name"), "owner_email", "is_active")})
        return (first, *others)

    def has_delete_permission(self, request: HttpRequest, obj: System | None = None) -> bool:
        """Messages name their system for ever, so that it is made inactive instead."""
        return False

    @display(description=_("refused in the last hour"))
    def refused(self, obj: System) -> str:
        count = Refusal.objects.filter(system=obj).in_the_last(timedelta(hours=1))
        place = reverse("admin:access_refusal_changelist", query={"system__id__exact": obj.pk})
        text = ngettext("%(count)s request", "%(count)s requests", count) % {"count": f"{count:,}"}
        return format_html('<a class="text-link" href="{}">{}</a>', place, text)


@admin.register(ApiKey)
class ApiKeyAdmin(ActingAdmin):
    form = ApiKeyForm
    list_display = ("prefix_shown", "name", "system", "kind", "status", "last_used_at", "expires_at")
    list_filter = ("system", "is_test")
    list_select_related = ("system",)
    search_fields = ("prefix", "name")
    autocomplete_fields = ("system",)
    actions = None
    actions_detail = ("rotate", "revoke")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fields = ("name", "scopes", "allowed_networks", "expires_at")
        if obj is None:
            return ("system", *fields[:1], "is_test", *fields[1:])
        return ("prefix_shown", "system", "is_test", *fields, *KEPT)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return ("prefix_shown", "system", "is_test", *KEPT) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_over = isinstance(obj, ApiKey) and obj.revoked_at is not None
        return super().has_change_permission(request, obj) and not is_over

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key is revoked, not deleted: what it sent keeps saying so."""
        return False

    @display(description=_("key"))
    def prefix_shown(self, obj: ApiKey) -> str:
        return str(obj)

    @display(description=_("kind"), label={"test": "info", "live": "primary"})
    def kind(self, obj: ApiKey) -> tuple[str, Any]:
        return ("test", _("test")) if obj.is_test else ("live", _("live"))

    @display(description=_("status"), label={"usable": "success", "revoked": "danger", "expired": "warning"})
    def status(self, obj: ApiKey) -> tuple[str, Any]:
        if obj.revoked_at:
            return "revoked", _("revoked")
        if obj.is_usable(timezone.now()):
            return "usable", _("usable")
        return "expired", _("expired")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, obj, form, change)
        else:
            keep_until_shown(request, obj, obj.issue())

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:access_apikey_issued"))

    def get_urls(self) -> list[URLPattern]:
        issued = self.admin_site.admin_view(self.issued)
        return [path("issued/", issued, name="access_apikey_issued"), *super().get_urls()]

    def issued(self, request: HttpRequest) -> HttpResponse:
        """The new key, once; after that the list, which no longer knows it."""
        kept = request.session.pop(ISSUED, None)
        if kept is None:
            messages.warning(
                request, _("A key is shown once. Revoke it and create another if it was not copied.")
            )
            return HttpResponseRedirect(reverse("admin:access_apikey_changelist"))
        system, secret, ends = secrets.decrypt(kept)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new key"),
            "opts": self.opts,
            "system": system,
            "secret": secret,
            "ends": parse_datetime(ends),
        }
        # Pages of the console are not stored by browsers (never_cache), this one neither.
        return TemplateResponse(request, "admin/access/apikey/issued.html", context)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        key = self.get_object(request, object_id)
        if key is None or key.revoked_at:
            return []
        actions = super().get_actions_detail(request, object_id)
        return (
            actions
            if key.is_usable(timezone.now())
            else [each for each in actions if "rotate" not in each.path]
        )

    @action(description=_("Replace"), permissions=["access.add_apikey"], dialog=ROTATE, icon="autorenew")
    def rotate(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None or not key.is_usable(timezone.now()):
            messages.warning(request, _("This key has ended; make a new one."))
            return go(request, reverse("admin:access_apikey_changelist"))
        successor, secret = key.rotate(form.cleaned_data["overlap"])
        self.log_change(request, key, f"Replaced by {successor}.")
        self.log_addition(request, successor, f"Replaces {key}.")
        keep_until_shown(request, successor, secret)
        return go(request, reverse("admin:access_apikey_issued"))

    @action(
        description=_("Revoke"),
        permissions=["access.change_apikey"],
        dialog=REVOKE,
        variant=ActionVariant.DANGER,
        icon="key_off",
    )
    def revoke(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is not None and ApiKey.objects.filter(pk=key.pk).revoke():
            self.log_change(request, key, "Revoked.")
            messages.success(request, _("The key was revoked: within seconds it opens nothing any more."))
        return go(request, reverse("admin:access_apikey_change", args=[object_id]))


def keep_until_shown(request: HttpRequest, key: ApiKey, secret: str) -> None:
    """Keep a new key, encrypted, until the page after this one has shown it.

    That page can be loaded anew without making another key.
    """
    ends = key.predecessor and key.predecessor.expires_at
    request.session[ISSUED] = secrets.encrypt([key.system.name, secret, ends.isoformat() if ends else ""])


def values_of(field: str, name: Any) -> type[DropdownFilter]:
    """A filter by the values that a column of the refusals has."""

    class ValuesFilter(DropdownFilter):
        title = name
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            found = Refusal.objects.order_by(field).values_list(field, flat=True).distinct()
            return [(str(value), str(value)) for value in found[:MOST_CHOICES] if value != ""]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            offered = {value for value, _label in self.lookup_choices}
            return queryset.filter(**{field: value}) if value in offered else queryset

    return ValuesFilter


@admin.register(Refusal)
class RefusalAdmin(LogAdmin):
    time_field = "last_at"
    list_display = ("when", "system", "prefix_shown", "status", "code", "call", "count", "address")
    list_filter = (
        PeriodFilter,
        ("system", RelatedDropdownFilter),
        values_of("status", _("status")),
        values_of("code", _("reason")),
        values_of("call", _("call")),
    )
    list_filter_submit = True
    list_select_related = ("system",)
    search_fields = ("id",)
    search_help_text = _("A key, its prefix, a system's code, or a request id")
    fields = (
        ("system", "prefix_shown"),
        ("status", "code"),
        "call",
        ("count", "address"),
        ("first_at", "last_at"),
        "request_id",
    )

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        prefix = keys.visible_prefix(term)
        found = Q(prefix=prefix) if prefix[: keys.KIND_LENGTH] in keys.KINDS else Q(pk=as_uuid(term))
        return queryset.filter(found | Q(system__code=term) | Q(request_id=term))

    @display(description=_("key"))
    def prefix_shown(self, obj: Refusal) -> str:
        return f"{obj.prefix}…" if obj.prefix else ""
