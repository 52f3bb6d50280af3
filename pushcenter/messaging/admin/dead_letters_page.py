"""Dead letters in the console: what failed, by cause, channel, account and template; and what is sent again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from channels_app.models import Account
from pushcenter.messaging import dead_letters
from pushcenter.messaging.admin.page import label_of
from pushcenter.messaging.dead_letters import Group
from pushcenter.messaging.models import Resend
from pushcenter.messaging.states import State
from templates_app.models import Template

SPANS = {
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "month": (_("Last 30 days"), timedelta(days=30)),
}
MAY_OPERATE = "messaging.operate_delivery"
#: Groups that were sent again, newest first.
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A group as the table shows it."""

    group: Group
    channel: Any
    account: str
    template: str
    url: str


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The page; a POST sends a group again, or stops that."""
    if not request.user.has_perm("messaging.view_delivery"):
        raise PermissionDenied
    if request.method == "POST":
        return _act(request)
    name = request.GET.get("span", "")
    label, span = SPANS.get(name, SPANS["week"])
    since = timezone.now() - span
    groups = dead_letters.groups(since)
    looked_at = sum(group.number for group in groups)
    context = {
        **site.each_context(request),
        "title": _("Dead letters"),
        "rows": list(_rows(groups)),
        "number": looked_at,
        "is_cut": looked_at >= dead_letters.GROUPED or len(groups) == dead_letters.GROUPS,
        "grouped": dead_letters.GROUPED,
        "since": since,
        "span": name if name in SPANS else "week",
        "spans": [(key, text) for key, (text, _span) in SPANS.items()],
        "label": label,
        "jobs": [(job, label_of(job.channel)) for job in _jobs()],
        "may_operate": request.user.has_perm(MAY_OPERATE),
    }
    return TemplateResponse(request, "messaging/dead_letters.html", context)


def _jobs() -> list[Resend]:
    return list(Resend.objects.select_related("account", "template").order_by("-id")[:SHOWN])


def _rows(groups: list[Group]) -> Iterator[Row]:
    accounts = dict(Account.objects.values_list("pk", "name"))
    templates = Template.objects.in_bulk({group.template_id for group in groups})
    for group in groups:
        yield Row(
            group=group,
            channel=label_of(group.channel),
            account=accounts.get(group.account_id, "") if group.account_id else "",
            template=str(templates.get(group.template_id, group.template_id)),
            url=_behind(group),
        )


def _behind(group: Group) -> str:
    """The address of the deliveries of a group."""
    query = {
        "state__exact": State.FAILED.value,
        "channel": group.channel,
        "code": group.code,
        "message__template__id__exact": group.template_id,
        **({"account__id__exact": group.account_id} if group.account_id else {"account__isnull": "True"}),
    }
    return f"{reverse('admin:messaging_delivery_changelist')}?{urlencode(query)}"


def _act(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY_OPERATE):
        raise PermissionDenied
    try:
        if "stop" in request.POST:
            _stop(request)
        else:
            _send_again(request)
    except (KeyError, ValueError):
        messages.error(request, _("This group cannot be understood."))
    return HttpResponseRedirect(request.get_full_path())


def _stop(request: HttpRequest) -> None:
    if dead_letters.stop(UUID(request.POST["stop"])):
        messages.success(request, _("No more of this group is sent again."))


def _send_again(request: HttpRequest) -> None:
    account, since = request.POST["account"], parse_datetime(request.POST["since"])
    if since is None:
        raise ValueError(request.POST["since"])
    job = dead_letters.send_again(
        code=request.POST["code"],
        channel=request.POST["channel"],
        account_id=UUID(account) if account else None,
        template_id=UUID(request.POST["template"]),
        since=since,
        by=request.user.get_username(),
    )
    if job.ended_at is None:
        told = _("%(sent)s of %(all)s are sent again; a worker goes on with the others.")
    else:
        told = _("%(sent)s of %(all)s are sent again.")
    level = messages.SUCCESS if job.sent else messages.WARNING
    messages.add_message(request, level, told % {"sent": job.sent, "all": job.expected})
