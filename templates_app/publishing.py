"""The life of a version: draft -> in review -> published -> archived. A published version never changes.

Each step locks the template first, so that two people who press a button at once act one after the other.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_app import registry
from channels_app.contract import TextSource
from templates_app.models import Template, TemplateVersion, Variant, VersionState
from templates_app.render import compile_errors, undeclared
from templates_app.schema import declared, schema_errors
from templates_app.variables import PROVIDED

#: Functions of the engine, which look like variables to it.
ENGINE = frozenset({"range", "dict", "namespace", "cycler", "joiner"})

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class PublishingError(Exception):
    """Why a version cannot take this step, one sentence for each obstacle."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__(" ".join(self.problems))


@transaction.atomic
def submit(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """Hand a draft over to review; raises :class:`PublishingError` where it could not be published."""
    locked = _locked(version)
    if locked.state != VersionState.DRAFT:
        raise PublishingError([_("Only a draft can be sent to review.")])
    _refuse_unless_sound(locked)
    locked.state = VersionState.IN_REVIEW
    locked.author = by or locked.author
    locked.save(update_fields=["state", "author"])
    return locked


@transaction.atomic
def withdraw(*, version: TemplateVersion) -> TemplateVersion:
    """Back to a draft, as after a change: what is approved is what was reviewed."""
    locked = _locked(version)
    if locked.state == VersionState.IN_REVIEW:
        locked.state = VersionState.DRAFT
        locked.save(update_fields=["state"])
    return locked


@transaction.atomic
def publish(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """Make this the version that is sent; the one before it is archived. Raises :class:`PublishingError`."""
    locked = _locked(version)
    if not locked.is_editable:
        raise PublishingError([_("This version was published before; start a new draft from it.")])
    _refuse_unless_sound(locked)
    locked.template.versions.filter(state=VersionState.PUBLISHED).update(state=VersionState.ARCHIVED)
    locked.state, locked.published_at, locked.approver = VersionState.PUBLISHED, timezone.now(), by
    locked.save(update_fields=["state", "published_at", "approver"])
    return locked


@transaction.atomic
def new_draft(
    *, template: Template, by: "User | None", source: TemplateVersion | None = None
) -> TemplateVersion:
    """A draft with the next number: empty, or a copy of ``source``."""
    Template.objects.select_for_update().get(pk=template.pk)
    last = template.versions.aggregate(number=Max("number"))["number"] or 0
    draft = TemplateVersion(template=template, number=last + 1, author=by)
    if source is not None:
        draft.variables, draft.sample = source.variables, source.sample
    draft.save()
    if source is not None:
        Variant.objects.bulk_create(
            Variant(version=draft, channel=each.channel, locale=each.locale, content=each.content)
            for each in source.variants.all()
        )
    return draft


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


def _locked(version: TemplateVersion) -> TemplateVersion:
    Template.objects.select_for_update().get(pk=version.template_id)
    return (
        TemplateVersion.objects.select_for_update(of=("self",)).select_related("template").get(pk=version.pk)
    )


def _refuse_unless_sound(version: TemplateVersion) -> None:
    if found := problems(version):
        raise PublishingError(found)


def _gaps(template: Template, variants: Iterable[Variant]) -> Iterator[str]:
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
