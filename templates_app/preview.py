"""A version as its recipients would see it, with its own sample parameters."""

from dataclasses import dataclass
from typing import Any

from templates_app.models import TemplateVersion, Variant
from templates_app.render import RenderError, render
from templates_app.sight import Shown, shown
from templates_app.variables import faults, with_defaults

PERSON = {"id": "u-1001", "name": "Li Wei", "locale": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One variant: what it shows, or why it cannot be rendered."""

    variant: Variant
    fields: list[Shown]
    error: str = ""


def preview(version: TemplateVersion) -> list[Preview]:
    """Every variant with the sample; a fault in one does not hide the others."""
    sample = version.sample if isinstance(version.sample, dict) else {}
    params = {"recipient": PERSON, **with_defaults(version, sample)}
    return [_one(version, variant, params) for variant in version.variants.all()]


def _one(version: TemplateVersion, variant: Variant, params: dict[str, Any]) -> Preview:
    try:
        content = render(version, channel=variant.channel, locale=variant.locale, params=params)
    except RenderError as error:
        return Preview(variant=variant, fields=[], error=str(error))
    return Preview(variant=variant, fields=shown(variant.channel, content))


def sample_faults(version: TemplateVersion) -> list[str]:
    """Where the sample does not hold to the schema."""
    return [
        f"{each.pointer.removeprefix('/params')}: {each.detail}" for each in faults(version, version.sample)
    ]
