"""Templates in the console, each with its versions."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from pushcenter import roles
from pushcenter.acting import ActingAdmin
from pushcenter.dialogs import go
from pushcenter.role_filter import RoleDropdownFilter
from templates_app import history, publishing
from templates_app.admin.filters import FolderFilter, WorkFilter, saying
from templates_app.admin.history_pages import HistoryPages
from templates_app.admin.labels import NEW_DRAFT, compared_link, state_badge, version_url
from templates_app.admin.roll_back import RollsBack
from templates_app.forms import TemplateForm
from templates_app.models import ChangeKind, Template, TemplateKind, TemplateVersion, VersionState
from templates_app.settings_shown import different, route, values


class VersionInline(TabularInline):
    """The versions of a template, newest first; each is edited on its own page."""

    model = TemplateVersion
    fields = ("page", "state_shown", "note", "author", "published_at", "compared")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    hide_title = True
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(state=VersionState.TRIAL)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description=_("version"))
    def page(self, obj: TemplateVersion) -> str:
        return format_html('<a class="text-link" href="{}">v{}</a>', version_url(obj), obj.number)

    @display(description=_("state"))
    def state_shown(self, obj: TemplateVersion) -> str:
        return state_badge(obj)

    @display(description=_("differences"))
    def compared(self, obj: TemplateVersion) -> str:
        return compared_link(obj)


#: What somebody works at.
WORK = frozenset({VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.SCHEDULED, VersionState.CANARY})


@admin.register(Template)
class TemplateAdmin(RollsBack, HistoryPages, ActingAdmin):
    form = TemplateForm
    inlines = (VersionInline,)
    list_display: Any = (
        "code",
        "name",
        "folder",
        "owner_shown",
        "category",
        "priority",
        "route_shown",
        "published_shown",
        "work_shown",
    )
    list_filter: Any = (
        FolderFilter,
        WorkFilter,
        ("owner", RoleDropdownFilter),
        ("category", RelatedDropdownFilter),
        ("priority", ChoicesDropdownFilter),
    )
    list_filter_submit = True
    list_select_related = ("category", "owner")
    search_fields = ("code", "name")
    search_help_text = _("By code, name, or what the variants say.")
    autocomplete_fields = ("category",)
    fields: Any = (
        "code",
        "name",
        ("folder", "owner"),
        "category",
        "priority",
        "route_mode",
        "channels",
        "time_to_live",
        "doubt_policy",
        "is_tracked",
    )
    actions = None
    actions_detail: Any = ("new_draft", "roll_back")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "owner":
            field.label_from_instance = lambda group: roles.shown(group.name)
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Template | None = None) -> tuple[str, ...]:
        """Callers name the code, so that it stays."""
        return ("code",) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Template | None) -> Any:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Template | None = None) -> bool:
        """What was ever published stays: messages show what they said by it."""
        was_used = obj is not None and obj.versions.exclude(state__in=["draft", "in_review"]).exists()
        return super().has_delete_permission(request, obj) and not was_used

    def get_queryset(self, request: HttpRequest) -> Any:
        return self.of_kind(super().get_queryset(request)).prefetch_related("versions")

    def of_kind(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Layouts and snippets have a list of their own."""
        return rows.filter(kind=TemplateKind.MESSAGE)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found, may_have_twins = super().get_search_results(request, queryset, search_term)
        if search_term.strip() and not request.path.endswith("/autocomplete/"):
            found = queryset.filter(
                Q(pk__in=found.values("pk")) | Q(pk__in=saying(queryset, search_term).values("pk"))
            )
        return found, may_have_twins

    @display(description=_("owner"), ordering="owner__name")
    def owner_shown(self, obj: Template) -> str:
        return roles.shown(obj.owner.name) if obj.owner else "–"

    @display(description=_("route"))
    def route_shown(self, obj: Template) -> str:
        return route(obj) or "–"

    @display(description=_("published"))
    def published_shown(self, obj: Template) -> str:
        numbers = [each.number for each in obj.versions.all() if each.state == VersionState.PUBLISHED]
        return f"v{numbers[0]}" if numbers else "–"

    @display(description=_("in work"))
    def work_shown(self, obj: Template) -> str:
        """What is beside the published version, each with the way to it."""
        rows = [each for each in obj.versions.all() if each.state in WORK]
        links = ((version_url(each), state_badge(each)) for each in rows)
        return format_html_join(" ", '<a href="{}">{}</a>', links) or "–"

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:  # noqa: FBT001
        by: Any = request.user
        before = values(Template.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        if not change:
            history.note(ChangeKind.CREATED, template=obj, by=by)
        elif differences := different(before, values(obj)):
            detail = {"fields": list(differences), "values": differences}
            history.note(ChangeKind.SETTINGS, template=obj, by=by, detail=detail)

    def response_add(
        self, request: HttpRequest, obj: Template, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to what a template is for: its first version."""
        if "_addanother" in request.POST or not request.user.has_perm("templates_app.add_templateversion"):
            return super().response_add(request, obj, post_url_continue)
        draft = publishing.new_draft(template=obj, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("The template is made. Now write its first version."))
        return HttpResponseRedirect(version_url(draft))

    @action(
        description=_("New draft"),
        permissions=["templates_app.add_templateversion"],
        dialog=NEW_DRAFT,
        variant=ActionVariant.PRIMARY,
        icon="add",
    )
    def new_draft(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        template = self.get_object(request, object_id)
        if template is None:
            return go(request, reverse("admin:templates_app_template_changelist"))
        source = template.published or template.versions.order_by("-number").first()
        draft = publishing.new_draft(template=template, by=request.user, source=source)  # type: ignore[arg-type]
        return go(request, version_url(draft))
