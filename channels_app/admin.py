"""Accounts in the console: choose a channel and its provider first, then fill in what the provider needs."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from channels_app import registry
from channels_app.account_form import AccountForm, adapter_of, forgets, form_for, kept_secrets, shown_as
from channels_app.contract import Adapter, BaseURLField, SecretField
from channels_app.health_admin import HealthColumns, is_held_up
from channels_app.models import Account
from channels_app.trial_admin import TrialPages
from pushcenter.dialogs import LONGEST_REASON, ReasonForm, ask, go

PAUSE = ask(
    _("Pause this account?"), _("Deliveries go to the next account, or wait."), _("Pause"), form=ReasonForm
)
RESUME = ask(_("Resume this account?"), _("Deliveries go through it again."), _("Resume"))
LIMITS = (("rate_per_second", "max_in_flight"), ("address_rate_per_minute", "daily_quota"))
STATE = ("status", "paused_at", "pause_reason", "under_way", "used_today", "last_error", "history")


@admin.register(Account)
class AccountAdmin(HealthColumns, TrialPages):
    list_display = (
        "name", "channel_shown", "adapter_shown", "priority", "weight", "status", "under_way", "used_today",
    )  # fmt: skip
    list_filter = ("channel", "is_active", "is_paused")
    search_fields = ("name",)
    actions = ("pause_selected", "resume_selected", "release_selected")
    actions_detail = ("try_out", "pause", "resume", "release")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_add_permission(request) and chosen(request) is None:
            context = {
                **self.admin_site.each_context(request),
                "title": _("New account: which provider?"),
                "opts": self.opts,
                "offers": offers(),
            }
            return TemplateResponse(request, "admin/channels_app/account/choose.html", context)
        return super().add_view(request, form_url, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        if request.method == "GET" and account is not None:
            warn(request, account)
        return super().change_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Account | None = None, *args: Any, **kwargs: Any) -> Any:
        adapter = adapter_for(request, obj)
        channel = obj.channel if obj else request.GET.get("channel", "")
        kwargs["form"] = form_for(adapter, channel=channel) if adapter else AccountForm
        return super().get_form(request, obj, *args, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        adapter = adapter_for(request, obj)
        kind = ("channel_shown", "adapter_shown") if obj else ()
        sets: list[Any] = [(None, {"fields": ("name", *kind, "priority", "weight", "is_active")})]
        if adapter and adapter.Config.base_fields and self.may_change(request, obj):
            own, advanced = config_fields(adapter, obj), advanced_fields(adapter)
            plain = [name for name in own if name not in advanced]
            sets.append((str(adapter.label), {"fields": plain}))
            if advanced:
                sets.append((_("Advanced"), {"fields": advanced, "classes": ["collapse"]}))
        if obj and adapter and adapter.capabilities.receipts and self.may_change(request, obj):
            sets.append((_("Receipts"), {"fields": ("callback_url", "callback_networks")}))
        sets.append((_("Limits"), {"fields": LIMITS}))
        sets.append((_("Costs"), {"fields": (("price", "currency"),)}))
        if obj:
            sets.append((_("State"), {"fields": (*STATE, "created_at", "updated_at")}))
        return sets

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("channel_shown", "adapter_shown", "callback_url", *STATE, "created_at", "updated_at")

    @display(description=_("channel"), ordering="channel")
    def channel_shown(self, obj: Account) -> str:
        return str(registry.label(obj.channel))

    @display(description=_("adapter"), ordering="adapter")
    def adapter_shown(self, obj: Account) -> str:
        known = registry.adapters().get(obj.adapter)
        return str(known.label) if known else obj.adapter

    def may_change(self, request: HttpRequest, obj: Account | None) -> bool:
        return self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)

    @display(description=_("callback URL"))
    def callback_url(self, obj: Account) -> str:
        return format_html('<code class="pc-url">{}</code>', obj.callback_url)

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        count = Account.objects.filter(pk__in=queryset).pause(reason=f"by {request.user}")
        messages.success(request, _("%(count)s paused.") % {"count": count})

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        count = Account.objects.filter(pk__in=queryset).resume(by=str(request.user))
        messages.success(request, _("%(count)s resumed.") % {"count": count})

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        account = self.get_object(request, object_id)
        unfit = {"pause" if account and account.is_paused else "resume"}
        if account is None or not is_held_up(account):
            unfit.add("release")
        found = super().get_actions_detail(request, object_id)
        names = {f"channels_app_account_{each}" for each in unfit}
        return [each for each in found if each.action_name not in names]

    @action(
        description=_("Pause"),
        permissions=["channels_app.change_account"],
        dialog=PAUSE,
        variant=ActionVariant.WARNING,
        icon="pause",
    )
    def pause(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason = f"by {request.user}: {form.cleaned_data['reason']}"[:LONGEST_REASON]
        Account.objects.filter(pk__in=self.get_queryset(request).filter(pk=object_id)).pause(reason=reason)
        return go(request, reverse("admin:channels_app_account_change", args=[object_id]))

    @action(
        description=_("Resume"),
        permissions=["channels_app.change_account"],
        dialog=RESUME,
        variant=ActionVariant.SUCCESS,
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.resume_selected(request, self.get_queryset(request).filter(pk=object_id))
        return go(request, reverse("admin:channels_app_account_change", args=[object_id]))


def warn(request: HttpRequest, account: Account) -> None:
    """Say what stands in the way of using an account."""
    if adapter_of(account) is None:
        messages.warning(
            request, _("The adapter of this account is not installed; nothing is sent through it.")
        )
    elif kept_secrets(account)[1]:
        messages.warning(
            request, _("The stored secrets cannot be read with the present keys; enter them again.")
        )


def offers() -> list[tuple[Any, list[tuple[str, type[Adapter]]]]]:
    """For each channel its label, and the providers that serve it, each with its query string."""
    found = []
    for name, channel in registry.channels().items():
        serving = [
            each for each in registry.adapters().values() if each.channel is None or each.channel.name == name
        ]
        found.append((channel.label, [(f"?channel={name}&adapter={each.name}", each) for each in serving]))
    return found


def chosen(request: HttpRequest) -> tuple[str, type[Adapter]] | None:
    """The channel and the adapter that an address line names, where they fit."""
    name, adapter = request.GET.get("channel", ""), registry.adapters().get(request.GET.get("adapter", ""))
    if adapter is None or name not in registry.channels():
        return None
    return (name, adapter) if adapter.channel is None or adapter.channel.name == name else None


def adapter_for(request: HttpRequest, account: Account | None) -> type[Adapter] | None:
    if account is not None:
        return adapter_of(account)
    found = chosen(request)
    return found[1] if found else None


def advanced_fields(adapter: type[Adapter]) -> list[str]:
    """The fields that hardly anybody has to change."""
    fields = adapter.Config.base_fields.items()
    return [shown_as(name) for name, field in fields if isinstance(field, BaseURLField)]


def config_fields(adapter: type[Adapter], account: Account | None) -> list[str]:
    """The fields of the adapter, each stored secret that may be missing with a box to remove it."""
    kept = kept_secrets(account)[0] if account else {}
    names: list[str] = []
    for name, field in adapter.Config.base_fields.items():
        names.append(shown_as(name))
        if isinstance(field, SecretField) and not field.required and name in kept:
            names.append(forgets(name))
    return names
