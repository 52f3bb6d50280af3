"""From review to recipients: publishing now or at a time, and going back to what was sent before.

A published version never changes. Messages keep the version with which they were accepted.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from templates_app.drafts import new_draft, submit, withdraw
from templates_app.history import of_version
from templates_app.locking import locked
from templates_app.models import Change, ChangeKind, TemplateVersion, VersionState
from templates_app.pins import pinned
from templates_app.soundness import PublishingError, problems, refuse_unless_sound

if TYPE_CHECKING:
    from django.contrib.auth.models import User

__all__ = [
    "PublishingError", "approve", "new_draft", "problems", "publish", "publish_due", "roll_back", "schedule", "submit",
    "unschedule", "withdraw",
]  # fmt: skip


log = logging.getLogger(__name__)


@transaction.atomic
def publish(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """Make this the version that is sent; the one before it is archived. Raises :class:`PublishingError`."""
    current = locked(version)
    if current.state == VersionState.SCHEDULED:  # now, and not at its time
        current = _give_back(current, ChangeKind.UNSCHEDULED, by=by)
    return go_live(approve(current, by=by), by=by)


@transaction.atomic
def schedule(*, version: TemplateVersion, by: "User | None", at: datetime) -> TemplateVersion:
    """Approve it now, and have it published at a time to come. Raises :class:`PublishingError`."""
    current = locked(version)
    if at <= timezone.now():
        raise PublishingError([_("Choose a time to come.")])
    waiting = current.template.versions.filter(state=VersionState.SCHEDULED).first()
    if waiting is not None:
        raise PublishingError([_("Version %(number)s is scheduled already.") % {"number": waiting.number}])
    approve(current, by=by)
    current.state, current.publish_at, current.approver = VersionState.SCHEDULED, at, by
    current.save(update_fields=["state", "publish_at", "approver"])
    return of_version(ChangeKind.SCHEDULED, current, by=by, at=at.isoformat())


@transaction.atomic
def unschedule(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """It is in review again."""
    current = locked(version)
    if current.state != VersionState.SCHEDULED:
        raise PublishingError([_("This version is not scheduled.")])
    return _give_back(current, ChangeKind.UNSCHEDULED, by=by)


def publish_due(now: datetime) -> int:
    """Publish what was scheduled for now or before; returns how many versions went live.

    One that has become unsound meanwhile goes back to review, with the reason in its history.
    """
    due = TemplateVersion.objects.filter(state=VersionState.SCHEDULED, publish_at__lte=now)
    return sum(_try_to_publish(version, now) for version in due)


def _try_to_publish(version: TemplateVersion, now: datetime) -> bool:
    """What fails here is tried again with the next sweep, and keeps nothing else from being done in this one."""
    try:
        return _publish_due(version, now)
    except Exception:
        log.exception("a scheduled version was not published: %s", version.pk)
        return False


@transaction.atomic
def _publish_due(version: TemplateVersion, now: datetime) -> bool:
    current = locked(version)
    if current.state != VersionState.SCHEDULED or current.publish_at is None or current.publish_at > now:
        return False  # somebody was quicker
    try:
        refuse_unless_sound(current)
        go_live(current, by=current.approver)
    except PublishingError as error:
        _give_back(current, ChangeKind.NOT_PUBLISHED, by=None, problems=error.problems)
        return False
    return True


def _give_back(
    current: TemplateVersion, kind: ChangeKind, *, by: "User | None", **detail: object
) -> TemplateVersion:
    current.state, current.publish_at, current.approver = VersionState.IN_REVIEW, None, None
    current.save(update_fields=["state", "publish_at", "approver"])
    return of_version(kind, current, by=by, **detail)


@transaction.atomic
def roll_back(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """Send again what was sent before: an archived version becomes the published one, as it was."""
    current = locked(version)
    if current.state != VersionState.ARCHIVED or current.published_at is None:
        raise PublishingError([_("Only a version that was published before can be rolled back to.")])
    before = current.template.published
    return go_live(current, by=by, kind=ChangeKind.ROLLED_BACK, before=before.number if before else None)


def approve(current: TemplateVersion, *, by: "User | None") -> TemplateVersion:
    """A locked version may go to recipients; raises :class:`PublishingError` where it must not."""
    if not current.is_editable:
        raise PublishingError([_("This version was published before; start a new draft from it.")])
    if current.template.category.needs_approval:
        _refuse_own(current, by)
    refuse_unless_sound(current)
    return current


def _refuse_own(current: TemplateVersion, by: "User | None") -> None:
    """Four eyes: who wrote any of it, or handed it over, is not the one who approves."""
    if current.state != VersionState.IN_REVIEW:
        raise PublishingError([_("Its category demands a review: send it to review first.")])
    wrote = Change.objects.filter(
        version=current, kind__in=[ChangeKind.CREATED, ChangeKind.EDITED, ChangeKind.SUBMITTED], by=by
    )
    if by is None or by in {current.author, current.edited_by} or wrote.exists():
        raise PublishingError([_("Its category demands four eyes: somebody else has to publish it.")])


def go_live(
    current: TemplateVersion, *, by: "User | None", kind: ChangeKind = ChangeKind.PUBLISHED, **detail: object
) -> TemplateVersion:
    """A locked version is from now on the one that is sent; the one before it, and a canary, are archived."""
    if not current.is_final:
        current.parts = pinned(current)
    others = current.template.versions.filter(state__in=[VersionState.PUBLISHED, VersionState.CANARY])
    for other in others.exclude(pk=current.pk):
        other.state = VersionState.ARCHIVED
        other.save(update_fields=["state"])
        of_version(ChangeKind.ARCHIVED, other, by=by, successor=current.number)
    current.state, current.published_at, current.publish_at = VersionState.PUBLISHED, timezone.now(), None
    if kind == ChangeKind.PUBLISHED:
        current.approver = by
    current.save(update_fields=["state", "published_at", "publish_at", "approver", "parts"])
    return of_version(kind, current, by=by, **detail)
