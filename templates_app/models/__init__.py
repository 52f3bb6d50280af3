"""What is said: templates, their versions, a variant for each channel and locale of a version, and their history."""

from templates_app.models.change import Change, ChangeKind
from templates_app.models.part import Part
from templates_app.models.template import DoubtPolicy, RouteMode, Template, TemplateKind
from templates_app.models.version import (
    FINAL,
    OPEN,
    TemplateVersion,
    Variant,
    VersionState,
    empty_schema,
)

__all__ = [
    "FINAL", "OPEN", "Change", "ChangeKind", "DoubtPolicy", "Part", "RouteMode", "Template", "TemplateKind",
    "TemplateVersion", "Variant", "VersionState", "empty_schema",
]  # fmt: skip
