"""What somebody has to know before a version takes a step: what stands in its way, and what changes for callers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from templates_app.breaking import Break, breaks
from templates_app.lint import Problem, Severity, lint
from templates_app.models import TemplateVersion
from templates_app.soundness import PublishingError
from templates_app.usage import Sender, senders


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """``before`` is the published version, and ``breaks`` is what callers lose against it; ``senders`` are those.

    ``warnings`` are those of lint about what was not sent yet. Its errors are among the obstacles, and its hints are
    nothing to be stopped by.
    """

    before: TemplateVersion | None
    obstacles: Sequence[str]
    warnings: Sequence[Problem]
    breaks: Sequence[Break]
    senders: Sequence[Sender]

    @property
    def is_possible(self) -> bool:
        return not self.obstacles

    @property
    def has_to_be_seen(self) -> bool:
        return bool(self.breaks or self.warnings)


def readiness(version: TemplateVersion, step: Callable[[], object]) -> Readiness:
    """For a step that is about to be taken; it is tried, and undone."""
    before = version.template.published
    is_other = before is not None and before.pk != version.pk
    return Readiness(
        before=before,
        obstacles=obstacles(step),
        warnings=_warnings(version) if version.is_editable else [],
        breaks=breaks(before, version) if before and is_other else [],
        senders=senders(version.template),
    )


def _warnings(version: TemplateVersion) -> list[Problem]:
    return [each for each in lint(version) if each.severity == Severity.WARNING]


def obstacles(step: Callable[[], object]) -> list[str]:
    """Why a step cannot be taken; found by taking it and undoing that, so that it is never another answer."""
    try:
        with transaction.atomic():
            step()
            transaction.set_rollback(True)
    except PublishingError as error:
        return error.problems
    return []
