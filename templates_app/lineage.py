"""Which version was sent before the present one: where rolling back leads."""

from templates_app.models import ChangeKind, Template, TemplateVersion, VersionState

LIVE = [ChangeKind.PUBLISHED, ChangeKind.ROLLED_BACK]


def before(template: Template) -> TemplateVersion | None:
    """The version that the published one took the place of; None where it is the first.

    After rolling back from version 4 to version 3 that is what was before version 3, not version 4 again.
    """
    rows = template.versions.filter(
        state__in=[VersionState.PUBLISHED, VersionState.ARCHIVED], published_at__isnull=False
    )
    known = {row.number: row for row in rows}
    stack = _stack(template, sorted(known))
    return known[stack[-2]] if len(stack) > 1 else None


def _stack(template: Template, numbers: list[int]) -> list[int]:
    """The numbers as they went live, without those that were rolled back from; the present one is the last."""
    lines = template.changes.filter(kind__in=LIVE, number__in=numbers).order_by("id")
    noted = [(line.number or 0, line.kind) for line in lines]
    published = {number for number, kind in noted if kind == ChangeKind.PUBLISHED}
    # What went live before there was a history comes first.
    stack: list[int] = [number for number in numbers if number not in published]
    for number, _kind in noted:
        if number in stack:
            del stack[stack.index(number) :]
        stack.append(number)
    return stack
