"""Versions that are being written: begun, edited by one person at a time, handed over to review and given back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from templates_app.history import of_version
from templates_app.locking import locked
from templates_app.models import ChangeKind, Template, TemplateVersion, Variant, VersionState
from templates_app.pins import pinned
from templates_app.soundness import PublishingError, refuse_unless_sound

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class EditConflict(Exception):
    """Somebody saved the draft meanwhile, or it is no draft any more; ``current`` is how it stands now."""

    def __init__(self, current: TemplateVersion) -> None:
        self.current = current
        super().__init__(f"{current} was changed meanwhile")


@contextmanager
def editing(version: TemplateVersion, *, revision: int, by: "User | None") -> Iterator[TemplateVersion]:
    """Within it the version may be changed and saved; what was in review is a draft again.

    ``revision`` is that of the version which the person began with; where it is not the present one, or the version
    cannot be edited any more, :class:`EditConflict` is raised and nothing happens.
    """
    with transaction.atomic():
        current = locked(version)
        if not current.is_editable or current.revision != revision:
            raise EditConflict(current)
        yield current
        if current.state == VersionState.IN_REVIEW:
            current.state = VersionState.DRAFT
        current.revision, current.edited_by, current.edited_at = revision + 1, by, timezone.now()
        current.save()
        of_version(ChangeKind.EDITED, current, by=by, revision=current.revision)


@transaction.atomic
def new_draft(
    *, template: Template, by: "User | None", source: TemplateVersion | None = None
) -> TemplateVersion:
    """A draft with the next number: empty, or a copy of ``source``."""
    Template.objects.select_for_update().get(pk=template.pk)
    last = template.versions.aggregate(number=Max("number"))["number"] or 0
    draft = TemplateVersion(template=template, number=last + 1, author=by, edited_by=by)
    if source is not None:
        draft.variables, draft.samples = source.variables, source.samples
    draft.save()
    if source is not None:
        _copy_variants(source, draft)
    return of_version(ChangeKind.CREATED, draft, by=by, **({"from": source.number} if source else {}))


@transaction.atomic
def submit(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """Hand a draft over to review; raises :class:`PublishingError` where it could not be published."""
    current = locked(version)
    if current.state != VersionState.DRAFT:
        raise PublishingError([_("Only a draft can be sent to review.")])
    refuse_unless_sound(current)
    current.state = VersionState.IN_REVIEW
    current.author = by or current.author
    current.save(update_fields=["state", "author"])
    return of_version(ChangeKind.SUBMITTED, current, by=by)


@transaction.atomic
def withdraw(*, version: TemplateVersion, by: "User | None" = None) -> TemplateVersion:
    """Back to a draft, as after a change: what is approved is what was reviewed.

    Raises :class:`PublishingError` where it is not in review.
    """
    return _back_to_draft(version, ChangeKind.WITHDRAWN, by, "")


@transaction.atomic
def send_back(*, version: TemplateVersion, by: "User | None", reason: str) -> TemplateVersion:
    """The reviewer wants it otherwise, and says why."""
    return _back_to_draft(version, ChangeKind.SENT_BACK, by, reason)


def _back_to_draft(
    version: TemplateVersion, kind: ChangeKind, by: "User | None", reason: str
) -> TemplateVersion:
    current = locked(version)
    if current.state != VersionState.IN_REVIEW:
        raise PublishingError([_("This version is not in review.")])
    current.state = VersionState.DRAFT
    current.save(update_fields=["state"])
    return of_version(kind, current, by=by, **({"reason": reason} if reason else {}))


@transaction.atomic
def trial_copy(version: TemplateVersion) -> TemplateVersion:
    """A copy that never changes, so that messages can name it while the draft is written on.

    A version that never changes is its own copy, and so is one that was copied before and not edited since.
    """
    if version.is_final:
        return version
    current = locked(version)
    copies = TemplateVersion.objects.filter(
        template=current.template, number=current.number, state=VersionState.TRIAL, revision=current.revision
    )
    known = copies.order_by("-created_at").first()
    parts = pinned(current)
    if known is not None and known.parts == parts:
        return known
    copy = TemplateVersion.objects.create(
        template=current.template,
        number=current.number,
        state=VersionState.TRIAL,
        variables=current.variables,
        samples=current.samples,
        parts=parts,
        revision=current.revision,
        author=current.author,
        note=current.note,
    )
    _copy_variants(current, copy)
    return copy


def _copy_variants(source: TemplateVersion, target: TemplateVersion) -> None:
    Variant.objects.bulk_create(
        Variant(version=target, channel=each.channel, locale=each.locale, content=each.content)
        for each in source.variants.all()
    )
