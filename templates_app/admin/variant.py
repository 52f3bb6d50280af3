"""The variants of a version, on its page."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import StackedInline

from templates_app import part_forms
from templates_app.models import TemplateVersion, Variant
from templates_app.preview import Preview, preview
from templates_app.variant_form import VariantForm
from templates_app.variant_formset import VariantFormSet


class VariantInline(StackedInline):
    model = Variant
    form = VariantForm
    formset = VariantFormSet
    template = "templates_app/editor/variants.html"
    fields = ("channel", "locale", "content")
    extra = 0
    verbose_name_plural = _("variants")

    def has_add_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return is_open(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return is_open(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: TemplateVersion | None = None) -> bool:
        return is_open(obj) and super().has_delete_permission(request, obj)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """A variant that is only shown: its sources by label, and how it looks with the first sample."""

    variant: Variant
    label: Any
    rows: list[tuple[Any, Any]]
    sight: Preview


def sources(version: TemplateVersion) -> list[Sources]:
    """All variants of a version that cannot be written."""
    return [
        Sources(
            variant=each.variant,
            label=part_forms.label_of(each.variant.channel),
            rows=_rows(each.variant),
            sight=each,
        )
        for each in preview(version)
    ]


def _rows(variant: Variant) -> list[tuple[Any, Any]]:
    kind = part_forms.form_of(variant.channel)
    fields = kind.base_fields if kind else {}
    names = [*fields, *(name for name in variant.content if name not in fields)]
    labels = {name: field.label for name, field in fields.items()}
    return [(labels.get(name, name), variant.content[name]) for name in names if variant.content.get(name)]


def is_open(version: TemplateVersion | None) -> bool:
    return version is None or version.is_editable
