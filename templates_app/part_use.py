"""Which templates are made with a layout or a snippet, and publishing them anew with its present version."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from templates_app import publishing
from templates_app.models import Template, TemplateVersion, VersionState
from templates_app.publishing import PublishingError

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LIVE = [VersionState.PUBLISHED, VersionState.CANARY]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A version that is sent, or put into what is sent, and the number of the part's version in it."""

    version: TemplateVersion
    number: int
    is_present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What became of one template: published, or in review for somebody else to publish, or why neither."""

    template: Template
    version: TemplateVersion | None = None
    problem: str = ""

    @property
    def is_published(self) -> bool:
        return self.version is not None and self.version.state == VersionState.PUBLISHED


def uses(part: Template) -> list[Use]:
    """The published versions and canaries that have it pinned, also by way of another part; by their templates."""
    present = part.published
    numbers = {str(pk): number for pk, number in part.versions.values_list("pk", "number")}
    rows = TemplateVersion.objects.filter(state__in=LIVE, parts__has_key=part.code)
    found = rows.select_related("template__category").order_by("template__code", "-number")
    return [
        Use(
            version=row,
            number=numbers.get(row.parts[part.code], 0),
            is_present=present is not None and row.parts[part.code] == str(present.pk),
        )
        for row in found
    ]


def counts() -> Counter[str]:
    """How many templates are made with each part, by its code."""
    rows = TemplateVersion.objects.filter(state=VersionState.PUBLISHED).exclude(parts={})
    return Counter(code for parts in rows.values_list("parts", flat=True) for code in parts)


def outdated(part: Template) -> list[Use]:
    """The published versions that have an older version of it."""
    return [
        each for each in uses(part) if not each.is_present and each.version.state == VersionState.PUBLISHED
    ]


def renew(part: Template, *, by: "User") -> list[Renewal]:
    """Publish these templates with the present version of the part, each by itself: one failure stops no other."""
    return [_renewal(use.version, part, by=by) for use in outdated(part)]


def _renewal(published: TemplateVersion, part: Template, *, by: "User") -> Renewal:
    template = published.template
    if template.versions.filter(state=VersionState.CANARY).exists():
        return Renewal(
            template=template, problem=_("A canary is under way: promote it or withdraw it first.")
        )
    try:
        return Renewal(template=template, version=_again(published, part, by=by))
    except PublishingError as error:
        return Renewal(template=template, problem=" ".join(error.problems))


@transaction.atomic
def _again(published: TemplateVersion, part: Template, *, by: "User") -> TemplateVersion:
    """As it is, with the parts of now. Where four eyes are demanded it is handed over to review."""
    template = published.template
    draft = publishing.new_draft(template=template, by=by, source=published)
    present = part.published
    draft.note = _("With %(part)s v%(number)s") % {
        "part": part.code,
        "number": present.number if present else "–",
    }
    draft.save(update_fields=["note"])
    if template.category.needs_approval:
        return publishing.submit(version=draft, by=by)
    return publishing.publish(version=draft, by=by)
