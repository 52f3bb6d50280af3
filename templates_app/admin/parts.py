"""Layouts and snippets in the console: with what applies to them alone, and with the templates that use them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from pushcenter.dialogs import ask, go
from pushcenter.role_filter import RoleDropdownFilter
from templates_app import part_use
from templates_app.admin.filters import FolderFilter, WorkFilter
from templates_app.admin.labels import version_url
from templates_app.admin.life import MAY_PUBLISH
from templates_app.admin.template import TemplateAdmin
from templates_app.forms import TemplateForm
from templates_app.models import Part, TemplateKind
from templates_app.part_use import Renewal, Use


class PartForm(TemplateForm):
    """The kind is chosen once: what stands around a text is no piece within it."""

    class Meta(TemplateForm.Meta):
        model = Part
        help_texts = {
            "code": _("What templates write to have it, such as signature."),
            "category": _("It says whether new versions need four eyes."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields.get("kind")
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [each for each in TemplateKind.choices if each[0] != TemplateKind.MESSAGE]
            self.initial["kind"] = TemplateKind.LAYOUT


class RenewForm(BaseDialogForm):
    """Names what would be published anew."""

    form_before_template = "templates_app/life/renew.html"

    @cached_property
    def part(self) -> Part:
        try:
            return Part.objects.get(pk=self.object_id)
        except (Part.DoesNotExist, ValidationError):
            raise Http404 from None

    @cached_property
    def outdated(self) -> list[Use]:
        return part_use.outdated(self.part)

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        return {"part": self.part, "present": self.part.published, "outdated": self.outdated}


RENEW = ask(
    _("Publish the templates that use it?"),
    _(
        "Each gets a new version that differs in this alone. Where four eyes are demanded, it waits in review."
    ),
    _("Publish them"),
    form=RenewForm,
)


@admin.register(Part)
class PartAdmin(TemplateAdmin):
    form = PartForm
    list_display = (
        "code",
        "kind",
        "name",
        "folder",
        "category",
        "published_shown",
        "work_shown",
        "uses_shown",
    )
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        FolderFilter,
        WorkFilter,
        ("owner", RoleDropdownFilter),
    )
    fields = ("kind", "code", "name", ("folder", "owner"), "category")
    actions_detail = ("new_draft", "roll_back", "renew")
    change_form_outer_after_template = "templates_app/life/used_by.html"

    def of_kind(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.exclude(kind=TemplateKind.MESSAGE)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "code") if obj else ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = request.user.has_perm
        return may("templates_app.view_template") or may("templates_app.change_template")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("templates_app.add_template")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("templates_app.change_template")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As of templates: what was ever published stays."""
        was_used = obj is not None and obj.versions.exclude(state__in=["draft", "in_review"]).exists()
        return request.user.has_perm("templates_app.delete_template") and not was_used

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """All uses are counted at once, not for each row."""
        found = super().get_changelist_instance(request)
        counts = part_use.counts()
        for row in found.result_list:
            row.uses = counts[row.code]
        return found

    @display(description=_("used by"))
    def uses_shown(self, obj: Any) -> str:
        number = getattr(obj, "uses", 0)
        return (
            ngettext("%(number)s template", "%(number)s templates", number) % {"number": number}
            if number
            else "–"
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        context["uses"] = part_use.uses(obj) if obj is not None else []
        context["is_kept"] = obj is not None
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @action(
        description=_("Publish with this"),
        permissions=MAY_PUBLISH,
        dialog=RENEW,
        icon="published_with_changes",
    )
    def renew(self, request: HttpRequest, form: RenewForm, object_id: str) -> HttpResponse:
        by: Any = request.user
        tell(request, part_use.renew(form.part, by=by))
        return go(request, reverse("admin:templates_app_part_change", args=[object_id]))


def tell(request: HttpRequest, renewals: list[Renewal]) -> None:
    """What was published in one line, and each of the others by its name."""
    done = [each for each in renewals if each.is_published]
    if done:
        words = {"number": len(done), "codes": ", ".join(each.template.code for each in done)}
        told = ngettext(
            "Published anew: %(codes)s.", "%(number)s templates published anew: %(codes)s.", len(done)
        )
        messages.success(request, told % words)
    for each in renewals:
        if each.version is None:
            words = {"code": each.template.code, "problem": each.problem}
            messages.error(request, gettext("%(code)s: %(problem)s") % words)
        elif not each.is_published:
            told = gettext("{} waits in review: somebody else has to publish it.")
            link = format_html('<a href="{}">{}</a>', version_url(each.version), each.version)
            messages.warning(request, format_html(told, link))
    if not renewals:
        messages.info(request, _("No template has an older version of it."))
