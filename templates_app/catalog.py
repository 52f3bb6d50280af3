"""The published templates as intake needs them, held in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from pushcenter.held import Held, Topic
from pushcenter.lanes import Lane
from templates_app import steps
from templates_app.models import RouteMode, Template, TemplateKind, TemplateVersion, VersionState
from templates_app.steps import Step
from templates_app.variables import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A template with its published version. ``written`` names the channels that it has a variant for.

    ``canary`` is the version that is on its way to become the next, for ``canary_share`` (0 to 1) of the messages.
    """

    template_id: UUID
    version_id: UUID
    code: str
    number: int
    category: str
    is_mandatory: bool
    priority: Lane
    channels: tuple[str, ...]
    first_only: bool
    steps: Mapping[str, Step]
    written: frozenset[str]
    time_to_live: int | None
    check: Check
    canary: "Published | None" = None
    canary_share: float = 0.0


def _load(code: str) -> Published | None:
    versions = TemplateVersion.objects.select_related("template__category").prefetch_related("variants")
    live = versions.filter(template__code=code, state__in=[VersionState.PUBLISHED, VersionState.CANARY])
    by_state = {version.state: version for version in live.filter(template__kind=TemplateKind.MESSAGE)}
    version, canary = by_state.get(VersionState.PUBLISHED), by_state.get(VersionState.CANARY)
    if version is None:
        return None
    if canary is None:
        return of(version)
    return replace(of(version), canary=of(canary), canary_share=(canary.canary_percent or 0) / 100)


def of(version: TemplateVersion) -> Published:
    """A version as intake would see it, were it the published one."""
    template = version.template
    return Published(
        template_id=template.pk,
        version_id=version.pk,
        code=template.code,
        number=version.number,
        category=template.category.code,
        is_mandatory=template.category.is_mandatory,
        priority=Lane(template.priority),
        channels=tuple(template.channels),
        first_only=template.route_mode == RouteMode.FIRST,
        steps={name: steps.of(template.steps, name) for name in template.steps},
        written=frozenset(variant.channel for variant in version.variants.all()),
        time_to_live=template.time_to_live,
        check=Check(version.variables),
    )


_held = Held[str, Published](Topic.TEMPLATES, _load)


def published(code: str) -> Published | None:
    """What is sent under this code at present; None where nothing is."""
    return _held.get(code)


def codes() -> list[str]:
    """All codes, those without a published version, too."""
    return list(Template.objects.sendable().values_list("code", flat=True))
