"""What people do with a delivery: opened, clicked, converted, replied."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import tally
from pushcenter.messaging.models import Delivery, Interaction

#: The first of each kind also stands on the delivery, in this field.
FIRST = {"opened": "opened_at", "clicked": "clicked_at", "converted": "converted_at"}


def record(delivery: Delivery, kind: str, *, at: datetime | None = None, source: str = "") -> bool:
    """Write an interaction down; True where it is the first of its kind for this delivery."""
    moment = at or timezone.now()
    with transaction.atomic():
        interaction = Interaction.objects.create(delivery=delivery, kind=kind, at=moment, source=source)
        is_first = kind in FIRST and Delivery.objects.first_time(delivery.pk, FIRST[kind], moment)
        if is_first:
            tally.write([tally.interacted(interaction)])
    return is_first
