"""Pages on which a version is seen beside another one: to compare any two, and to review one before it is published."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from templates_app import part_use, publishing
from templates_app.admin.labels import compared_link
from templates_app.comparison import Comparison, compare, samples
from templates_app.lint import by_severity, lint
from templates_app.models import TemplateVersion, VersionState
from templates_app.preview import preview
from templates_app.readiness import readiness

#: In place of an id: the version before, whatever is published now.
BEFORE = "before"
MAY_VIEW = ["templates_app.view_templateversion"]


class DiffPages:
    """Adds both pages to the console page of versions; comparing is in the menu with the other steps."""

    diff_actions: tuple[str, ...] = ("review_it",)

    @action(description=_("Review"), permissions=MAY_VIEW, url_path="review", icon="fact_check")
    def review_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if version is None or not version.is_editable:
            return self._away(request, version)
        before, found = version.template.published, lint(version)
        known = readiness(version, lambda: publishing.approve(version, by=request.user))  # type: ignore[arg-type]
        context = {
            "title": _("Is %(version)s ready to publish?") % {"version": version},
            "readiness": known,
            # What lint says has a place of its own.
            "obstacles": [each for each in known.obstacles if each not in map(str, found)],
            "problems": by_severity(found),
            "uses": [] if version.template.is_sendable else part_use.uses(version.template),
            "may_publish": request.user.has_perm("templates_app.publish_templateversion"),
            **(compared(before, version, request.GET) if before else {"previews": preview(version)}),
        }
        return self._page(request, version, "review", context)

    @action(description=_("Compare"), permissions=MAY_VIEW, url_path="compare", icon="difference")
    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.get_object(request, object_id)  # type: ignore[attr-defined]
        others = list(version.template.versions.listed().exclude(pk=version.pk)) if version else []
        if version is None or not others:
            return self._away(request, version)
        other = _chosen(others, version, request.GET.get("with", ""))
        before, after = sorted([version, other], key=lambda each: each.number)
        context = {
            "title": _("%(code)s: version %(old)s and version %(new)s")
            % {"code": version.template.code, "old": before.number, "new": after.number},
            "others": others,
            "other": other,
            **compared(before, after, request.GET),
        }
        return self._page(request, version, "compare", context)

    @display(description=_("differences"))
    def compared(self, obj: TemplateVersion) -> str:
        return compared_link(obj)

    def _away(self, request: HttpRequest, version: TemplateVersion | None) -> HttpResponse:
        name = "change" if version else "changelist"
        args = [version.pk] if version else []
        return HttpResponseRedirect(reverse(f"admin:templates_app_templateversion_{name}", args=args))

    def _page(
        self, request: HttpRequest, version: TemplateVersion, name: str, context: Mapping[str, Any]
    ) -> HttpResponse:
        steps = self._get_actions_navigation(  # type: ignore[attr-defined]
            self.actions_detail,  # type: ignore[attr-defined]
            self.get_actions_detail(request, version.pk),  # type: ignore[attr-defined]
            str(version.pk),
        )
        every = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "version": version,
            "actions_detail": steps,
            **context,
        }
        return TemplateResponse(request, f"admin/templates_app/templateversion/{name}.html", every)


def compared(before: TemplateVersion, after: TemplateVersion, chosen: Mapping[str, str]) -> dict[str, Any]:
    """What both pages show of two versions, with the sample that the person chose."""
    known = samples(before, after)
    name = chosen.get("sample", "")
    name = name if name in known else next(iter(known), "")
    found: Comparison = compare(before, after, known.get(name, {}))
    return {"comparison": found, "samples": list(known), "sample": name}


def _chosen(others: list[TemplateVersion], version: TemplateVersion, wanted: str) -> TemplateVersion:
    """The one that the person chose; else the published one, or the one before."""
    for each in others:
        if str(each.pk) == wanted:
            return each
    if version.state != VersionState.PUBLISHED and wanted != BEFORE:
        for each in others:
            if each.state == VersionState.PUBLISHED:
                return each
    return _before(others, version)


def _before(others: list[TemplateVersion], version: TemplateVersion) -> TemplateVersion:
    earlier = [each for each in others if each.number < version.number]
    return max(earlier, key=lambda each: each.number) if earlier else others[-1]
