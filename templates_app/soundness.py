"""Whether a version can go to its recipients, and if not, why: one sentence for each obstacle."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from channels_app import registry
from channels_app.contract import TextSource
from templates_app.models import Template, TemplateVersion, Variant
from templates_app.render import compile_errors, undeclared
from templates_app.schema import declared, schema_errors
from templates_app.variables import PROVIDED

#: Functions of the engine, which look like variables to it.
ENGINE = frozenset({"range", "dict", "namespace", "cycler", "joiner"})


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
    """Everything that stands between this version and its recipients; empty where it can be published."""
    variants = list(version.variants.all())
    found = [*_gaps(version.template, variants), *schema_errors(version.variables)]
    names = declared(version.variables) if isinstance(version.variables, dict) else set()
    for variant in variants:
        found.extend(
            f"{variant}: {problem}" for problem in _variant_problems(variant, names | PROVIDED | ENGINE)
        )
    return found


def _gaps(template: Template, variants: Iterable[Variant]) -> Iterator[str]:
    if not template.is_sendable:
        return
    if not template.channels:
        yield _("The template names no channel.")
    written = {variant.channel for variant in variants}
    for name in template.channels:
        if name not in written:
            yield _("There is no variant for the channel %(channel)s.") % {"channel": name}


def _variant_problems(variant: Variant, names: Iterable[str]) -> Iterator[str]:
    channel = registry.channels().get(variant.channel)
    if channel is None:
        yield _("this channel is not installed.")
        return
    form = channel.content(variant.content)
    for field, messages in form.errors.items():
        label = form.fields[field].label if field in form.fields else ""
        yield from (f"{label}: {message}" if label else str(message) for message in messages)
    for field, source in form.fields.items():
        if isinstance(source, TextSource) and variant.content.get(field):
            yield from _source_problems(str(source.label), variant.content[field], names)


def _source_problems(label: str, source: str, names: Iterable[str]) -> Iterator[str]:
    errors = compile_errors(source)
    for line, message in errors:
        yield _("%(field)s, line %(line)s: %(message)s") % {"field": label, "line": line, "message": message}
    if not errors:
        for name in sorted(undeclared(source) - set(names)):
            yield _("%(field)s uses the variable “%(name)s”, which is not declared.") % {
                "field": label,
                "name": name,
            }
