"""Categories by their code, held in memory."""

from pushcenter.held import Held, Topic
from pushcenter.recipients.models import Category


def _load(code: str) -> bool | None:
    return Category.objects.filter(code=code).values_list("is_mandatory", flat=True).first()


_held = Held[str, bool](Topic.TEMPLATES, _load)


def is_mandatory(code: str) -> bool | None:
    """Whether the category of this code can be muted by nobody; None where no category has it."""
    return _held.get(code)
