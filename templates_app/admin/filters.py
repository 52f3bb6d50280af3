"""How templates are found among many: by their folder, by what is under way, and by what they say."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from templates_app.models import Template, TemplateVersion, Variant, VersionState

#: What is not archived: the text that somebody looks for is one that is sent, or will be.
PRESENT = [
    VersionState.DRAFT,
    VersionState.IN_REVIEW,
    VersionState.SCHEDULED,
    VersionState.CANARY,
    VersionState.PUBLISHED,
]
NOTHING, NEVER = "nothing", "never"


class FolderFilter(DropdownFilter):
    """A folder with all that lies below it."""

    title = _("folder")
    parameter_name = "folder"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        names = model_admin.get_queryset(request).exclude(folder="").values_list("folder", flat=True)
        return [(name, name) for name in with_parents(names.order_by().distinct())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        folder = self.value()
        if not folder:
            return queryset
        return queryset.filter(Q(folder=folder) | Q(folder__startswith=f"{folder}/"))


def with_parents(folders: Iterable[str]) -> list[str]:
    """``shop`` is a folder where there is a ``shop/orders``."""
    found = set()
    for folder in folders:
        names = folder.split("/")
        found |= {"/".join(names[:depth]) for depth in range(1, len(names) + 1)}
    return sorted(found)


class WorkFilter(DropdownFilter):
    """What is under way beside the published version."""

    title = _("work")
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        states = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.SCHEDULED, VersionState.CANARY)
        return [
            *((each.value, each.label) for each in states),
            (NOTHING, _("none")),
            (NEVER, _("never published")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> QuerySet[Template]:
        value = self.value()
        if value is None:
            return queryset
        if value == NEVER:
            return queryset.filter(~_has(VersionState.PUBLISHED, VersionState.ARCHIVED))
        if value == NOTHING:
            return queryset.filter(~_has(*(set(PRESENT) - {VersionState.PUBLISHED})))
        return queryset.filter(_has(value)) if value in PRESENT else queryset


def _has(*states: str) -> Exists:
    return Exists(TemplateVersion.objects.filter(template=OuterRef("pk"), state__in=states))


def saying(rows: QuerySet[Template], words: str) -> QuerySet[Template]:
    """Those with a variant that has all of these words, in any of its fields."""
    variants = Variant.objects.filter(version__template=OuterRef("pk"), version__state__in=PRESENT)
    variants = variants.annotate(text=Cast("content", TextField()))
    for word in words.split():
        variants = variants.filter(text__icontains=word)
    return rows.filter(Exists(variants))
