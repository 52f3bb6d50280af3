"""The ledger in the console: by system and day, each way in which deliveries ended, and what does not fit."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.messaging import ledger, queue
from pushcenter.messaging.ledger_checks import LABELS
from pushcenter.messaging.models import LedgerDay, LedgerLine
from pushcenter.messaging.states import IN_FLIGHT, State

SPANS = {"7": 7, "30": 30, "90": 90, "365": 365}
TASK = "pushcenter.messaging.audit.recount_now"
#: In the order in which they are read: good ends, bad ends, and what is open.
COLUMNS = (
    State.DELIVERED,
    State.SENT,
    State.UNDELIVERED,
    State.FAILED,
    State.EXPIRED,
    State.SKIPPED,
    State.CANCELLED,
    State.IN_DOUBT,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A number with the address of the deliveries behind it."""

    number: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one check found."""

    label: Any
    number: int
    samples: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One system on one day."""

    line: LedgerLine
    cells: list[Cell]
    found: list[Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day with its systems."""

    day: date
    counted: LedgerDay
    rows: list[Row]


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The page; a POST asks a worker to count a day again, every row of it."""
    if not request.user.has_perm("messaging.view_delivery"):
        raise PermissionDenied
    if request.method == "POST":
        return _count_again(request)
    span = SPANS.get(request.GET.get("span", ""), 7)
    system = request.GET.get("system", "")
    days = list(_days(span, system))
    context = {
        **site.each_context(request),
        "title": _("Ledger"),
        "days": days,
        "columns": [state.label for state in COLUMNS],
        "difference": sum(row.line.difference for day in days for row in day.rows),
        "span": str(span),
        "spans": list(SPANS),
        "system": system,
        "systems": apps.get_model("access.System").objects.order_by("code"),
        "labels": [*LABELS.values()],
    }
    return TemplateResponse(request, "messaging/ledger.html", context)


def _days(span: int, system: str) -> Iterator[Day]:
    first = datetime.now(UTC).date() - timedelta(days=span - 1)
    lines = (
        LedgerLine.objects.filter(day__gte=first).select_related("system").order_by("system__code", "is_test")
    )
    by_day: dict[date, list[LedgerLine]] = {}
    for line in lines:
        if not system or line.system.code == system:
            by_day.setdefault(line.day, []).append(line)
    for counted in LedgerDay.objects.filter(day__gte=first).order_by("-day"):
        if rows := [_row(line) for line in by_day.get(counted.day, [])]:
            yield Day(day=counted.day, counted=counted, rows=rows)


def _row(line: LedgerLine) -> Row:
    cells = [
        Cell(number=line.states.get(state, 0), url=_behind(line, state__exact=state.value))
        for state in COLUMNS
    ]
    return Row(
        line=line,
        cells=[*cells, Cell(number=line.in_flight, url=_behind(line, state__in=",".join(sorted(IN_FLIGHT))))],
        found=[
            Found(label=LABELS.get(name, name), number=each["number"], samples=each["samples"])
            for name, each in line.differences.items()
        ],
    )


def _behind(line: LedgerLine, **lookup: str) -> str:
    """The address of the deliveries that were counted."""
    span = ledger.bounds(line.day)
    query = {
        "accepted_at__gte": span["start"].isoformat(),
        "accepted_at__lt": span["end"].isoformat(),
        "message__system__id__exact": line.system_id,
        "message__is_test__exact": int(line.is_test),
        **lookup,
    }
    return f"{reverse('admin:messaging_delivery_changelist')}?{urlencode(query)}"


def _count_again(request: HttpRequest) -> HttpResponse:
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        messages.error(request, _("This is no day."))
    else:
        queue.later(TASK, str(day), at=timezone.now())
        messages.success(
            request, _("%(day)s is counted again; look at this page in a moment.") % {"day": day}
        )
    return HttpResponseRedirect(request.get_full_path())
