"""Log tables in the console: nobody changes them, they are never counted in full, and the newest come first."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.views import ChangeList

from pushcenter.ids import first_id
from pushcenter.retold import retold

COUNTED_ROWS = 10_000
PERIODS = {
    "hour": (_("Last hour"), timedelta(hours=1)),
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "month": (_("Last 30 days"), timedelta(days=30)),
}


class CappedPaginator(Paginator):
    """Counts to 10,000 and no further; what lies behind is found with filters."""

    template_name = "console/pagination.html"

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:COUNTED_ROWS].count()

    @property
    def is_capped(self) -> bool:
        return self.count >= COUNTED_ROWS


class PeriodFilter(DropdownFilter):
    """By the time that stands in the id itself, so that the primary key answers it."""

    title = _("period")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [(name, label) for name, (label, _span) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in PERIODS:
            return queryset
        _label, span = PERIODS[self.value()]
        return queryset.filter(pk__gte=first_id(timezone.now() - span))


class OneCount(ChangeList):
    """Knows of no second, full count that could be compared with the first."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class BigTableAdmin(ModelAdmin):
    """For tables of which there may be millions of rows: a capped count, and only the given order."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OneCount

    sortable_by: tuple[str, ...] = ()


class LogAdmin(BigTableAdmin):
    """A table that is written by the flow alone. It is searched for exact values, which an index finds."""

    actions: Any = None
    ordering: Any = ("-id",)
    list_filter: Any = (PeriodFilter,)
    #: The moment that the list shows, to the second.
    time_field = "at"
    search_fields: tuple[str, ...] = ("id",)
    search_help_text: Any = _("An exact id")

    @display(description=_("time"))
    def when(self, obj: Any) -> str:
        return timezone.localtime(getattr(obj, self.time_field)).strftime("%Y-%m-%d %H:%M:%S")

    @display(description=_("reason"))
    def reason_told(self, obj: Any) -> str:
        return retold(obj.reason)

    @display(description=_("detail"))
    def detail_told(self, obj: Any) -> str:
        return retold(obj.detail)

    @display(description=_("error"))
    def error_told(self, obj: Any) -> str:
        return retold(obj.error)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Without a link to the history of changes, of which there are none."""
        return super().render_change_form(request, context | {"show_history": False}, *args, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (self.find(queryset, term) if term else queryset), False

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """The rows that an exact value names."""
        wanted = as_uuid(term)
        return queryset.filter(pk=wanted) if wanted else queryset.none()


def as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
