"""What the console shows of an account's health and use, and the action that lets calls through again."""

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from channels_app import health
from channels_app.account_form import adapter_of
from channels_app.breaker import Switch
from channels_app.models import Account, AccountHealth, AccountQuerySet
from pushcenter.acting import ActingAdmin
from pushcenter.dialogs import ask, go
from pushcenter.dressing import badge

RELEASE = ask(
    _("Use this account again now?"),
    _("The breaker closes, and a pause that the provider asked for ends. What fails again opens it again."),
    _("Use it again"),
)
#: Lines of the history that are shown.
SHOWN = 10


class HealthColumns(ActingAdmin):
    """Adds state, use and history of accounts to their pages."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        rows = cast("AccountQuerySet", super().get_queryset(request))
        return rows.with_use().select_related("condition")

    @display(description=_("status"))
    def status(self, obj: Account) -> str:
        if not obj.is_active or adapter_of(obj) is None:
            return badge(_("not active"), "danger")
        if obj.is_paused:
            return badge(_("paused"), "warning")
        found = health_of(obj)
        now = timezone.now()
        if found is not None and found.is_open:
            return _with_error(badge(_open(found, now), "danger"), found)
        if found is not None and found.slowed_until and found.slowed_until > now:
            until = _("slowed until %(time)s") % {"time": clock(found.slowed_until, now)}
            return _with_error(badge(until, "warning"), found)
        return badge(_("serving"), "success")

    @display(description=_("used today"))
    def used_today(self, obj: Account) -> str:
        used = getattr(obj, "used", None)
        if obj.daily_quota is None:
            return "–"
        return _of(used or 0, obj.daily_quota)

    @display(description=_("under way"))
    def under_way(self, obj: Account) -> str:
        calls = getattr(obj, "calls", None) or 0
        if obj.max_in_flight is None:
            return f"{calls:,}"
        return _of(calls, obj.max_in_flight)

    @display(description=_("last error"))
    def last_error(self, obj: Account) -> str:
        found = health_of(obj)
        if found is None or found.failed_at is None:
            return "–"
        said = ": ".join(filter(None, (found.code, found.detail)))
        return f"{date_format(timezone.localtime(found.failed_at), 'Y-m-d H:i:s')}, {said}"

    @display(description=_("what happened"))
    def history(self, obj: Account) -> str:
        events = obj.events.order_by("-at", "-id")[:SHOWN]
        return render_to_string("admin/channels_app/account/history.html", {"events": events})

    @admin.action(description=_("Use again now"), permissions=["change"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        accounts = list(Account.objects.filter(pk__in=[each.pk for each in queryset]))
        count = health.close(accounts, by=str(request.user))
        messages.success(request, _("%(count)s let through again.") % {"count": count})

    @action(
        description=_("Use again now"),
        permissions=["channels_app.change_account"],
        dialog=RELEASE,
        variant=ActionVariant.SUCCESS,
        icon="restart_alt",
    )
    def release(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        self.release_selected(request, self.get_queryset(request).filter(pk=object_id))
        return go(request, reverse("admin:channels_app_account_change", args=[object_id]))


def health_of(account: Account) -> AccountHealth | None:
    """None where nothing has ever been reported of it."""
    return getattr(account, "condition", None)


def is_held_up(account: Account) -> bool:
    """Is there a breaker or a pause that an operator could end?"""
    found = health_of(account)
    if found is None:
        return False
    return found.is_open or (found.slowed_until is not None and found.slowed_until > timezone.now())


def clock(moment: datetime, now: datetime) -> str:
    """The time of day, and the day where it is another one."""
    local = timezone.localtime(moment)
    is_today = local.date() == timezone.localtime(now).date()
    return date_format(local, "H:i:s" if is_today else "Y-m-d H:i")


def _with_error(label: str, found: AccountHealth) -> str:
    return format_html('{}<div class="pc-note">{}</div>', label, found.code)


def _of(used: int, limit: int) -> str:
    """On one line, however narrow its column."""
    return (str(_("%(used)s of %(limit)s")) % {"used": f"{used:,}", "limit": f"{limit:,}"}).replace(
        " ", "\u00a0"
    )


def _open(found: AccountHealth, now: datetime) -> Any:
    if found.switch == Switch.HALF_OPEN:
        return _("breaker open, being tried out")
    if found.until is None or found.until <= now:
        return _("breaker open, to be tried out")
    return _("breaker open until %(time)s") % {"time": clock(found.until, now)}
