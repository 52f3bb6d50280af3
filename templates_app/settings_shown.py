"""The settings of a template as people read them, and what is different about them."""

from collections.abc import Mapping

from django.conf import settings
from django.utils import translation

from pushcenter.retold import named
from templates_app import steps
from templates_app.models import RouteMode, Template
from templates_app.steps import Step, Until


def route(template: Template) -> str:
    """``push (delivered, 1 minute) → sms``; empty where it names no channel."""
    if template.route_mode != RouteMode.FIRST:
        return " + ".join(named(each) for each in template.channels)
    chain = steps.chain(template.steps, template.channels)
    return " → ".join(_told(name, step) for name, step in chain)


def _told(channel: str, step: Step) -> str:
    """A plain step is its channel alone."""
    name, until = named(channel), named(step.until.value)
    if step.within is None:
        return name if step.until is Until.SENT else f"{name} ({until})"
    return f"{name} ({until}, {steps.span(step.within)})"


def values(template: Template) -> dict[str, str]:
    """By the names of the fields, as they are stored; the route stands under its channels."""
    with translation.override(settings.LANGUAGE_CODE):
        return _values(template)


def _values(template: Template) -> dict[str, str]:
    return {
        "name": template.name,
        "folder": template.folder,
        "owner": template.owner.name if template.owner else "",
        "category": template.category.code,
        "priority": template.priority,
        "route_mode": template.route_mode,
        "channels": route(template),
        "time_to_live": str(template.time_to_live or ""),
        "doubt_policy": template.doubt_policy,
        "is_tracked": "yes" if template.is_tracked else "no",
    }


def different(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """What was, and what is, for each setting that changed."""
    return {name: [before[name], after[name]] for name in after if before[name] != after[name]}
