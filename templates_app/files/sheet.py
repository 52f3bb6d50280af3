"""A template with one version as plain values: what is exported, imported and compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from templates_app import steps
from templates_app.models import RouteMode, Template, TemplateVersion, VersionState, empty_schema
from templates_app.steps import PLAIN, Step

#: A channel and a locale, empty for the default one.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """``settings`` are those of the template in the names of ``template.yaml``; they hold for all its versions."""

    code: str
    folder: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    variables: Any = field(default_factory=empty_schema)
    samples: Any = field(default_factory=list)
    variants: Mapping[Place, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def content(self) -> tuple[Any, Any, Mapping[Place, Mapping[str, Any]]]:
        """What belongs to the version."""
        return self.variables, self.samples, self.variants


def sheet_of(template: Template, version: TemplateVersion | None) -> Sheet:
    """What is stored; without a version, the settings alone."""
    if version is None:
        return Sheet(code=template.code, folder=template.folder, settings=settings_of(template))
    return Sheet(
        code=template.code,
        folder=template.folder,
        settings=settings_of(template),
        variables=version.variables,
        samples=version.samples,
        variants=version.contents,
    )


def settings_of(template: Template) -> dict[str, Any]:
    found = {
        "kind": template.kind,
        "name": template.name,
        "category": template.category.code,
        "owner": template.owner.name if template.owner else None,
    }
    if not template.is_sendable:
        return found
    return {
        **found,
        "priority": template.priority,
        "route": {
            "mode": template.route_mode,
            "channels": [
                _line(name, steps.of(template.steps, name), in_chain=template.route_mode == RouteMode.FIRST)
                for name in template.channels
            ],
        },
        "time_to_live": template.time_to_live,
        "doubt_policy": template.doubt_policy,
        "tracking": template.is_tracked,
    }


def _line(name: str, step: Step, *, in_chain: bool) -> Any:
    if step == PLAIN and not in_chain:
        return name
    return name if step == PLAIN else {"channel": name, **step.as_json()}


def newest(template: Template) -> TemplateVersion | None:
    """What is worked on or was last, but for the copies that tests were sent from."""
    listed = [each for each in template.versions.all() if each.state != VersionState.TRIAL]
    return max(listed, key=lambda each: each.number, default=None)


def live(template: Template) -> TemplateVersion | None:
    """What is sent."""
    return next((each for each in template.versions.all() if each.state == VersionState.PUBLISHED), None)
