"""What people do with a delivery: opened, clicked, converted, replied, archived."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import news, steps, tally
from pushcenter.messaging.deliveries import DeliveryQuerySet
from pushcenter.messaging.models import Delivery, Interaction

#: The first of each kind also stands on the delivery, in this field.
FIRST = {"opened": "opened_at", "clicked": "clicked_at", "converted": "converted_at"}


def record(
    delivery: Delivery,
    kind: str,
    *,
    at: datetime | None = None,
    source: str = "",
    event_id: str = "",
    data: Mapping[str, Any] | None = None,
) -> Interaction:
    """Write an interaction down. The first of its kind for this delivery is counted."""
    moment = at or timezone.now()
    with transaction.atomic():
        interaction = Interaction.objects.create(
            delivery=delivery, kind=kind, at=moment, source=source, event_id=event_id, data=dict(data or {})
        )
        if kind in FIRST and Delivery.objects.first_time(delivery.pk, FIRST[kind], moment):
            tally.write([tally.interacted(interaction)])
            setattr(delivery, FIRST[kind], moment)
            if delivery.step_within is not None:
                steps.reached(delivery)
    return interaction


def record_opened(unread: DeliveryQuerySet, *, source: str) -> int:
    """Write down that all of these have been opened, at once; returns how many they were.

    Twins that come at the same time wait for one another, and the second finds nothing left.
    """
    moment = timezone.now()
    with transaction.atomic():
        rows = list(unread.select_related("message").order_by("id").select_for_update(of=("self",)))
        seen = [Interaction(delivery=row, kind="opened", at=moment, source=source) for row in rows]
        Interaction.objects.bulk_create(seen, batch_size=1000)
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(opened_at=moment)
        tally.write(tally.interacted(each) for each in seen)
        for row in rows:
            if row.step_within is not None:
                row.opened_at = moment
                steps.reached(row)
        news.announce(row.recipient_id for row in rows)
    return len(rows)


def record_archived(rows: DeliveryQuerySet, *, source: str) -> int:
    """Write down that all of these have been put away, at once; returns how many they were."""
    moment = timezone.now()
    with transaction.atomic():
        found = list(rows.order_by("id").select_for_update(of=("self",)))
        Interaction.objects.bulk_create(
            [Interaction(delivery=row, kind="archived", at=moment, source=source) for row in found],
            batch_size=1000,
        )
        news.announce(row.recipient_id for row in found)
    return len(found)
