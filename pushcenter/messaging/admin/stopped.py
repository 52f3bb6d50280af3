"""All that is stopped at this moment, of whatever kind, with who, when and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels_app.models import Account
from pushcenter.lanes import Lane
from pushcenter.messaging.models import Batch, BatchEvent, Stop, StopKind
from templates_app.models import Template

#: More than anybody reads.
SHOWN = 50
PAGES = {StopKind.TEMPLATE: "templates_app_template", StopKind.SYSTEM: "access_system"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """One thing that is stopped. ``resume`` is the address of the dialog that lets it go on, where there is one."""

    kind: Any
    name: Any
    page: str
    since: datetime | None
    by: str
    reason: str
    resume: str = ""


def stopped() -> list[Stopped]:
    """What operators and the platform itself have stopped, but for accounts."""
    return [*of_stops(Stop.objects.filter(ended_at=None).order_by("id")[:SHOWN]), *_batches()]


def with_accounts() -> list[Stopped]:
    return [*stopped(), *_accounts()]


def of_stops(found: Iterable[Stop]) -> Iterator[Stopped]:
    rows = list(found)
    names = _names(rows)
    for each in rows:
        kind = StopKind(each.kind)
        page = PAGES.get(kind)
        yield Stopped(
            kind=kind.label if each.target else _("switch"),
            name=names.get(each.target, each.target) if each.target else kind.label,
            page=reverse(f"admin:{page}_change", args=[each.target]) if page else "",
            since=each.at,
            by=each.by,
            reason=each.reason,
            resume=reverse("admin:messaging_stop_resume", args=[each.pk]),
        )


def _names(rows: Iterable[Stop]) -> dict[str, Any]:
    tables = {StopKind.TEMPLATE: Template.objects, StopKind.SYSTEM: apps.get_model("access.System").objects}
    found: dict[str, Any] = {lane.value: lane.label for lane in Lane}
    for kind, table in tables.items():
        ids = [each.target for each in rows if each.kind == kind]
        found |= {str(row.pk): str(row) for row in table.filter(pk__in=ids)} if ids else {}
    return found


def _batches() -> Iterator[Stopped]:
    paused = Batch.objects.filter(is_stopped=True, paused_at__isnull=False).select_related("template")
    rows = list(paused.order_by("-id")[:SHOWN])
    events = BatchEvent.objects.filter(batch__in=rows, kind="batch_paused").order_by("id")
    by = {each.batch_id: each.data.get("by", "") for each in events}
    for each in rows:
        yield Stopped(
            kind=_("broadcast") if each.is_broadcast else _("batch"),
            name=each.reference or each.template or each.pk,
            page=reverse("admin:messaging_batch_change", args=[each.pk]),
            since=each.paused_at,
            by=by.get(each.pk, ""),
            reason=each.pause_reason,
        )


def _accounts() -> Iterator[Stopped]:
    for each in Account.objects.filter(is_paused=True)[:SHOWN]:
        by, reason = _by_whom(each.pause_reason)
        yield Stopped(
            kind=_("account"),
            name=each.name,
            page=reverse("admin:channels_app_account_change", args=[each.pk]),
            since=each.paused_at,
            by=by,
            reason=reason,
        )


def _by_whom(reason: str) -> tuple[Any, str]:
    """A pause by hand begins with ``by olga``; all others are the platform's own."""
    if not reason.startswith("by "):
        return _("the platform"), reason
    by, _colon, why = reason.removeprefix("by ").partition(": ")
    return by, why
