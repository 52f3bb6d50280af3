"""Writing the history of templates: who, when, what."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from templates_app.models import Change, ChangeKind, Template, TemplateVersion

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def note(
    kind: ChangeKind,
    *,
    template: Template,
    version: TemplateVersion | None = None,
    by: "User | None",
    detail: Mapping[str, Any] | None = None,
) -> Change:
    """Add a line, in the transaction of what it tells of. ``detail`` is plain JSON without personal data."""
    return Change.objects.create(
        template=template,
        version=version,
        number=version.number if version else None,
        kind=kind,
        by=by,
        by_name=by.get_username() if by else "",
        detail=dict(detail or {}),
    )


def of_version(
    kind: ChangeKind, version: TemplateVersion, *, by: "User | None", **detail: Any
) -> TemplateVersion:
    """The same for a step of a version; returns the version."""
    note(kind, template=version.template, version=version, by=by, detail=detail)
    return version
