"""Systems and their keys in the console."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from channels_app import secrets
from pushcenter.access.forms import ApiKeyForm, SystemForm
from pushcenter.access.models import ApiKey, System
from pushcenter.acting import ActingAdmin
from pushcenter.dialogs import ask, go

#: Under this name the session holds a new key until it has been shown.
ISSUED = "issued_key"
REVOKE = ask(
    _("Revoke this key?"),
    _("Calls that use it are refused at once. A revoked key never works again."),
    _("Revoke"),
)


@admin.register(System)
class SystemAdmin(ModelAdmin):
    form = SystemForm
    list_display = ("name", "code", "is_active", "highest_priority", "owner_email", "created_at")
    list_filter = ("is_active",)
    search_fields = ("code", "name")
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: System | None = None) -> tuple[str, ...]:
        return ("code", "created_at") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: System | None = None) -> bool:
        """Messages name their system for ever, so that it is made inactive instead."""
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(ActingAdmin):
    form = ApiKeyForm
    list_display = ("prefix_shown", "name", "system", "kind", "status", "last_used_at", "expires_at")
    list_filter = ("system", "is_test")
    list_select_related = ("system",)
    search_fields = ("prefix", "name")
    autocomplete_fields = ("system",)
    actions = None
    actions_detail = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        fields = ("name", "scopes", "allowed_networks", "expires_at")
        if obj is None:
            return ("system", *fields[:1], "is_test", *fields[1:])
        return ("prefix_shown", "system", "is_test", *fields, "created_at", "last_used_at", "revoked_at")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        always = ("prefix_shown", "system", "is_test", "created_at", "last_used_at", "revoked_at")
        return always if obj else ()

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
            # Kept, encrypted, until the page after this one has shown it: that page can be loaded anew
            # without making another key.
            request.session[ISSUED] = secrets.encrypt([obj.system.name, obj.issue()])

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
        system, secret = secrets.decrypt(kept)
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new key"),
            "opts": self.opts,
            "system": system,
            "secret": secret,
        }
        # Pages of the console are not stored by browsers (never_cache), this one neither.
        return TemplateResponse(request, "admin/access/apikey/issued.html", context)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        usable = self.get_queryset(request).filter(pk=object_id, revoked_at=None).exists()
        return super().get_actions_detail(request, object_id) if usable else []

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
            messages.success(request, _("The key was revoked."))
        return go(request, reverse("admin:access_apikey_changelist"))
