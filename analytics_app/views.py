"""The report page, a page of the console."""

from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from analytics_app import rollup
from analytics_app.chart import chart
from analytics_app.export import as_csv
from analytics_app.query import ReportForm
from analytics_app.report import Report, build


def report(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The page, or with ``format=csv`` the file; what is wrong with the question is said in the form."""
    if not request.user.has_perm("analytics_app.view_hourlystat"):
        raise PermissionDenied
    # What happened since the last minute's rollup: one short statement, so that nobody looks at old figures.
    rollup.fold()
    form = ReportForm(request.GET)
    found = build(form.query()) if form.is_valid() else None
    if found is not None and request.GET.get("format") == "csv":
        return download(found)
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": _("Report"),
        "form": form,
        "report": found,
        "chart": chart(found) if found and not found.is_empty else None,
        "csv_query": csv_query(request),
    }
    return TemplateResponse(request, "analytics_app/report.html", context)


def download(found: Report) -> HttpResponse:
    name = f"report-{found.query.group}-{found.query.first}-{found.query.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8", headers=headers)


def csv_query(request: HttpRequest) -> str:
    """The same question, for the file."""
    query = request.GET.copy()
    query["format"] = "csv"
    return query.urlencode()
