"""What a person wants to hear nothing of: a category, on one channel or on all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from channels_app import registry
from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.recipients.models import Category, Preference, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A word on a category: on one channel, or (with an empty channel) on all of them."""

    category: str
    channel: str
    muted: bool


def of(recipient: Recipient) -> list[Wish]:
    rows = recipient.preferences.select_related("category").order_by("category__code", "channel")
    return [Wish(category=row.category.code, channel=row.channel, muted=row.is_muted) for row in rows]


def replace(recipient: Recipient, wishes: Sequence[Wish]) -> None:
    """Let these be all the wishes of a person; raises :class:`Rejected`, then the old ones stay."""
    categories = {row.code: row for row in Category.objects.filter(code__in={w.category for w in wishes})}
    if faults := list(_faults(wishes, categories)):
        raise Rejected(faults)
    with transaction.atomic():
        Recipient.objects.select_for_update().filter(pk=recipient.pk).first()
        recipient.preferences.all().delete()
        Preference.objects.bulk_create(
            Preference(
                recipient=recipient, category=categories[w.category], channel=w.channel, is_muted=w.muted
            )
            for w in wishes
        )


def _faults(wishes: Sequence[Wish], categories: Mapping[str, Category]) -> Iterator[Fault]:
    said = set[tuple[str, str]]()
    for index, wish in enumerate(wishes):
        place, category = pointer("preferences", index), categories.get(wish.category)
        if category is None:
            detail = "No category has this code."
            yield Fault(pointer=f"{place}/category", code="unknown_category", detail=detail)
        elif wish.muted and category.is_mandatory:
            detail = f"The category {category.code} is mandatory and cannot be muted."
            yield Fault(pointer=f"{place}/muted", code="mandatory_category", detail=detail)
        if wish.channel and wish.channel not in registry.channels():
            detail = f"There is no channel {wish.channel!r}."
            yield Fault(pointer=f"{place}/channel", code="unknown_channel", detail=detail)
        if (wish.category, wish.channel) in said:
            detail = "This category and channel stand in the list twice."
            yield Fault(pointer=place, code="duplicate", detail=detail)
        said.add((wish.category, wish.channel))


def muted(recipient_id: UUID, category: Category) -> QuerySet[Preference]:
    """What this person has said against a category."""
    return Preference.objects.filter(recipient=recipient_id, category=category, is_muted=True)


def mute(recipient_id: UUID, category: Category, channel: str) -> bool:
    """Let this person get nothing of a category, on one channel or on all; False where that was so already.

    To be called in a transaction.
    """
    rows = _locked(recipient_id, category)
    if rows.filter(channel__in=("", channel), is_muted=True).exists():
        return False
    if not rows.filter(channel=channel).update(is_muted=True, updated_at=timezone.now()):
        Preference.objects.create(recipient_id=recipient_id, category=category, channel=channel)
    return True


def unmute(recipient_id: UUID, category: Category, channel: str) -> bool:
    """Let this person get a category on this channel, whichever word stood against that; False where none did.

    To be called in a transaction.
    """
    rows = _locked(recipient_id, category).filter(channel__in=("", channel), is_muted=True)
    return bool(rows.delete()[0])


def _locked(recipient_id: UUID, category: Category) -> QuerySet[Preference]:
    Recipient.objects.select_for_update().filter(pk=recipient_id).first()
    return Preference.objects.filter(recipient=recipient_id, category=category)
