"""Whether a version can go to its recipients, and if not, why: one sentence for each obstacle."""

from collections.abc import Iterable

from templates_app import lint
from templates_app.models import TemplateVersion


class PublishingError(Exception):
    """Why a version cannot take this step, one sentence for each obstacle."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


def refuse_unless_sound(version: TemplateVersion) -> None:
    """Raises :class:`PublishingError` where the version must not reach anybody."""
    if found := problems(version):
        raise PublishingError(found)


def problems(version: TemplateVersion) -> list[str]:
    """Everything that stands between this version and its recipients; empty where it can be published.

    Warnings and hints of lint are for its author to weigh; the errors stop it here.
    """
    return [str(problem) for problem in lint.errors(version)]
