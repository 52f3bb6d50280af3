"""``manage.py lint [CODE…]``: what is wrong with the stored templates."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from templates_app.lint import Severity, handbook, lint
from templates_app.models import Template, TemplateVersion, VersionState


class Command(BaseCommand):
    help = "Lint templates: the newest version of each that is not archived. Exit code 1 where there is an error."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", nargs="*", help="codes of templates; all of them where none is named")
        parser.add_argument("--rules", action="store_true", help="print docs/lint.md, the page of all rules")
        parser.add_argument(
            "--errors", action="store_true", help="print errors alone, and neither warnings nor hints"
        )

    def handle(self, *args: Any, code: list[str], **options: Any) -> None:
        if options["rules"]:
            self.stdout.write(handbook.page(), ending="")
            return
        templates = self._templates(code)
        least = [Severity.ERROR] if options["errors"] else list(Severity)
        found = [problem for each in templates for problem in self._print(each, least)]
        broken = sum(severity == Severity.ERROR for severity in found)
        self.stdout.write(f"{len(templates)} templates, {broken} errors.")
        if broken:
            raise SystemExit(1)

    def _templates(self, codes: Iterable[str]) -> list[Template]:
        rows = Template.objects.select_related("category").prefetch_related("versions__variants")
        if not codes:
            return list(rows)
        found = {each.code: each for each in rows.filter(code__in=codes)}
        if lost := [each for each in codes if each not in found]:
            raise CommandError(f"There is no template {', '.join(lost)}.")
        return [found[each] for each in codes]

    def _print(self, template: Template, severities: list[Severity]) -> list[Severity]:
        version = _newest(template)
        if version is None:
            return []
        problems = [each for each in lint(version) if each.severity in severities]
        if problems:
            self.stdout.write(str(version))
        for each in problems:
            self.stdout.write(f"  {each.severity:<8} {each.rule:<20} {each}")
        return [each.severity for each in problems]


def _newest(template: Template) -> TemplateVersion | None:
    """What is worked on, else what is sent."""
    states = set(VersionState) - {VersionState.ARCHIVED, VersionState.TRIAL}
    current = [each for each in template.versions.all() if each.state in states]
    version = max(current, key=lambda each: each.number, default=None)
    if version is not None:
        version.template = template
    return version
