"""Versions in the console. The steps of a version's life are in ``publishing``; here they are buttons."""

from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from pushcenter.acting import ActingAdmin
from pushcenter.dressing import code, pretty
from templates_app import examples
from templates_app.adding import added
from templates_app.admin import editor, live, verdict
from templates_app.admin.diff_pages import DiffPages
from templates_app.admin.history_pages import LeadsToHistory
from templates_app.admin.labels import state_badge
from templates_app.admin.life import VersionLife
from templates_app.admin.variant import VariantInline, is_open
from templates_app.conflict import completed, rebased
from templates_app.drafts import editing
from templates_app.forms import VersionForm
from templates_app.lint import by_severity, lint
from templates_app.locales import normalise
from templates_app.models import TemplateVersion, VersionState
from templates_app.preview import preview_with, sample_faults


@admin.register(TemplateVersion)
class TemplateVersionAdmin(VersionLife, DiffPages, LeadsToHistory, ActingAdmin):
    form = VersionForm
    inlines = (VariantInline,)
    list_display = (
        "__str__",
        "state_shown",
        "note",
        "author",
        "approver",
        "created_at",
        "published_at",
        "compared",
    )
    list_filter = ("state",)
    list_select_related = ("template", "author", "approver")
    ordering = ("-created_at",)
    search_fields = ("template__code",)
    actions = None
    actions_detail = ("preview_it", *DiffPages.diff_actions, *VersionLife.life_actions)
    readonly_fields = ("variables_shown", "samples_shown")

    def get_fieldsets(self, request: HttpRequest, obj: TemplateVersion | None = None) -> Any:
        if self.has_change_permission(request, obj):
            return [(None, {"fields": ("note", "seen_revision", "variables", "samples")})]
        shown = ("variables_shown", "samples_shown")
        return [(_("Parameters"), {"fields": shown, "classes": ("collapse",)})]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A version begins as a draft of its template, which gives it its number."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_open(obj) and super().has_delete_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return live.answer(self, request, object_id)

        place = path(
            "<path:object_id>/live/",
            self.admin_site.admin_view(view),
            name="templates_app_templateversion_live",
        )
        return [place, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(state=VersionState.TRIAL)

    @display(description=_("state"))
    def state_shown(self, obj: TemplateVersion) -> str:
        return state_badge(obj)

    @display(description=_("variables"))
    def variables_shown(self, obj: TemplateVersion) -> str:
        return code(pretty(obj.variables))

    @display(description=_("samples"))
    def samples_shown(self, obj: TemplateVersion) -> str:
        return code(pretty(obj.samples))

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        version = self.get_object(request, object_id) if request.method == "POST" else None
        if version is not None:
            posted = completed(request.POST, version)
            if posted.get("seen_revision") != str(version.revision):
                posted = rebased(posted, version)
            request.POST = posted  # type: ignore[assignment]
        try:
            return super().changeform_view(request, object_id, *args, **kwargs)
        except IntegrityError:
            # Somebody published it between this person's look and save; the database holds it as it was.
            messages.error(request, _("Nothing was saved: the version was published or changed meanwhile."))
            return HttpResponseRedirect(request.path)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        form, version = context["adminform"].form, context["original"]
        can_write = self.has_change_permission(request, version)
        context |= editor.context(request, version, can_write=can_write)
        if can_write:
            context["parameter_fields"] = [form["variables"], form["samples"]]
            context["conflict"] = editor.clash(form, context["inline_admin_formsets"][0].formset)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: TemplateVersion, form: Any, change: bool) -> None:  # noqa: FBT001
        """Only what is written here: its state may have become another since it was read."""
        obj.save(update_fields=["note", "variables", "samples"])

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        version: TemplateVersion = form.instance
        is_adding = "_addvariant" in request.POST
        if not (form.changed_data or is_adding or any(formset.has_changed() for formset in formsets)):
            super().save_related(request, form, formsets, change)
            return
        was_in_review = version.state == VersionState.IN_REVIEW
        with editing(version, revision=version.revision, by=request.user):  # type: ignore[arg-type]
            super().save_related(request, form, formsets, change)
            if is_adding:
                self._add_variant(request, version)
        if was_in_review:
            messages.info(request, _("It is a draft again, because it was changed."))
        verdict.tell(request, version)

    def _add_variant(self, request: HttpRequest, version: TemplateVersion) -> None:
        """For browsers without scripts, the menu adds a stored variant."""
        place = (request.POST.get("_add_channel", ""), normalise(request.POST.get("_add_locale", "")))
        source = request.POST.get(f"{request.POST.get('_add_copy')}-id")
        problem = added(version, place, source)
        if problem:
            messages.error(request, problem)

    def response_change(self, request: HttpRequest, obj: TemplateVersion) -> HttpResponse:
        if "_addvariant" in request.POST or "_overwrite" in request.POST:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    @action(
        description=_("Preview"),
        permissions=["templates_app.view_templateversion"],
        url_path="preview",
        icon="preview",
    )
    def preview_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is None:
            return HttpResponseRedirect(reverse("admin:templates_app_templateversion_changelist"))
        offered, chosen = examples.offered(version, request.user), request.GET.get("with", "0")
        place = int(chosen) if chosen.isdecimal() and int(chosen) < len(offered) else 0
        params = offered[place].params if offered else {}
        # While it is written, lint tells of the samples that there are.
        is_told = version.is_editable and place < len(version.samples)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview of %(version)s") % {"version": version},
            "opts": self.opts,
            "version": version,
            "examples": offered,
            "chosen": place,
            "previews": preview_with(version, params),
            "faults": [] if is_told else sample_faults(version, params),
            "problems": by_severity(lint(version)) if version.is_editable else [],
        }
        return TemplateResponse(request, "admin/templates_app/templateversion/preview.html", context)
