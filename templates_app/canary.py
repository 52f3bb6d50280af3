"""A new version for a few per cent of messages first; then it is promoted, or withdrawn."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from templates_app.breaking import breaks
from templates_app.history import of_version
from templates_app.locking import locked
from templates_app.models import ChangeKind, TemplateVersion, VersionState
from templates_app.pins import pinned
from templates_app.publishing import approve, go_live
from templates_app.soundness import PublishingError

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@transaction.atomic
def start(*, version: TemplateVersion, by: "User | None", percent: int) -> TemplateVersion:
    """Send it for ``percent`` (1 to 99) of the messages; raises :class:`PublishingError`.

    Messages whose parameters it does not take go on with the published version.
    """
    current = locked(version)
    _refuse_share(percent)
    if not current.template.is_sendable:
        raise PublishingError([_("Layouts and snippets are pinned by what uses them: publish it.")])
    if current.template.published is None:
        raise PublishingError([_("Nothing is published to compare it with: publish it.")])
    other = current.template.versions.filter(state=VersionState.CANARY).first()
    if other is not None:
        raise PublishingError([_("Version %(number)s is the canary already.") % {"number": other.number}])
    _refuse_to_lose_channels(current.template.published, current)
    approve(current, by=by)
    current.parts = pinned(current)
    current.state, current.canary_percent, current.canary_since = VersionState.CANARY, percent, timezone.now()
    current.approver = by
    current.save(update_fields=["state", "canary_percent", "canary_since", "approver", "parts"])
    return of_version(ChangeKind.CANARY_STARTED, current, by=by, percent=percent)


@transaction.atomic
def change_share(*, version: TemplateVersion, by: "User | None", percent: int) -> TemplateVersion:
    """From now on it is sent for another share of the messages."""
    current = _canary(version)
    _refuse_share(percent)
    current.canary_percent = percent
    current.save(update_fields=["canary_percent"])
    return of_version(ChangeKind.CANARY_CHANGED, current, by=by, percent=percent)


@transaction.atomic
def promote(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """It is the one that is sent, for all messages."""
    return go_live(_canary(version), by=by, canary=True)


@transaction.atomic
def withdraw(*, version: TemplateVersion, by: "User | None") -> TemplateVersion:
    """It is sent no more. What was accepted with it keeps it."""
    current = _canary(version)
    current.state = VersionState.ARCHIVED
    current.save(update_fields=["state"])
    return of_version(ChangeKind.CANARY_WITHDRAWN, current, by=by)


def _refuse_to_lose_channels(published: TemplateVersion, canary: TemplateVersion) -> None:
    """Whom a message reaches must not depend on the dice."""
    lost = [each.text for each in breaks(published, canary) if each.kind == "channel"]
    if lost:
        raise PublishingError(lost)


def _canary(version: TemplateVersion) -> TemplateVersion:
    current = locked(version)
    if current.state != VersionState.CANARY:
        raise PublishingError([_("This version is not a canary.")])
    return current


def _refuse_share(percent: int) -> None:
    if not 1 <= percent <= 99:
        raise PublishingError([_("Choose a share between 1 and 99 per cent.")])
