"""The history of a template: a page of its own in place of the framework's, and its latest lines on its page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from templates_app.admin.labels import template_url
from templates_app.models import Change, ChangeKind, Template, TemplateVersion
from templates_app.telling import details, lines, said

LATEST = 10
#: What a review can end in, and its beginning, after which it counts no more.
ANSWERED = [ChangeKind.SUBMITTED, ChangeKind.SENT_BACK, ChangeKind.NOT_PUBLISHED]
PER_PAGE = 100


class HistoryPages:
    """For the console page of templates."""

    change_form_after_template = "templates_app/life/latest.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        template = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if template is None and (other := _elsewhere(object_id)):
            return redirect(template_url(other))
        # Many edits in a row are one line.
        found = lines(template.changes.all()[: LATEST * 10])[:LATEST] if template else []
        context = {"history": found, "history_url": self._url("history", object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)  # type: ignore[misc]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        template = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if template is None or not self.has_view_permission(request, template):  # type: ignore[attr-defined]
            raise Http404
        chosen = {name: request.GET.get(name, "") for name in ("kind", "version")}
        pages = Paginator(_changes(template, **chosen), PER_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("History of %(template)s") % {"template": template},
            "back": self._url("change", object_id),
            "lines": lines(pages.object_list),
            "pages": pages,
            "kinds": ChangeKind.choices,
            "kind": chosen["kind"],
            "numbers": [str(each) for each in _numbers(template)],
            "number": chosen["version"],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/templates_app/template/history.html", context)

    def _url(self, page: str, object_id: str) -> str:
        opts = self.opts  # type: ignore[attr-defined]
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=[object_id])


def _elsewhere(object_id: str) -> Template | None:
    """A layout or snippet where a template is asked for, or the other way round: both have pages of their own."""
    try:
        return Template.objects.filter(pk=object_id).first()
    except ValidationError:
        return None


def answer(change: Change) -> str:
    """Who sent it back; or that it did not go live."""
    if change.kind == ChangeKind.SENT_BACK:
        return gettext("Sent back by %(name)s:") % {"name": change.by_name}
    return said(change)


class LeadsToHistory:
    """For the console page of versions: its history is that of its template, with the lines of this version.

    What a reviewer wanted otherwise is said to whoever opens the draft next.
    """

    #: The framework's own button stands in the menu, where it leaves room for the steps.
    actions_detail_hide_default = True

    @action(
        description=_("History"),
        permissions=["templates_app.view_templateversion"],
        url_path="to-history",
        icon="history",
    )
    def its_history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.history_view(request, object_id)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        version = self.get_object(request, object_id) if request.method == "GET" else None  # type: ignore[attr-defined]
        if version is not None and version.is_editable:
            last = version.changes.filter(kind__in=ANSWERED).first()
            if last is not None and last.kind != ChangeKind.SUBMITTED:
                messages.warning(request, " ".join([answer(last), *details(last)]))
        return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[misc]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        version: TemplateVersion | None = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if version is None:
            raise Http404
        url = template_url(version.template, "history")
        return redirect(f"{url}?{urlencode({'version': version.number})}")


def _changes(template: Template, *, kind: str, version: str) -> Any:
    found = template.changes.all()
    if kind in ChangeKind.values:
        found = found.filter(kind=kind)
    if version.isdecimal():
        found = found.filter(number=int(version[:9]))
    return found


def _numbers(template: Template) -> list[int]:
    """Those of deleted drafts, too."""
    rows = template.changes.exclude(number=None).values_list("number", flat=True)
    return sorted({number for number in rows if number}, reverse=True)
