"""The next channel of a route, after one has failed."""

from django.utils import timezone

from pushcenter.ids import uuid7
from pushcenter.messaging import cancelled, queue, tally
from pushcenter.messaging.models import Delivery, Event, Message
from pushcenter.messaging.routing import Choice
from pushcenter.messaging.states import IN_FLIGHT, REACHED, State
from templates_app.locales import normalise

#: A channel in one of these states has the message, or may come to have it.
STILL_OPEN = IN_FLIGHT | REACHED | {State.IN_DOUBT}


def fall_back(message: Message, failed: Delivery) -> Delivery | None:
    """Start the next channel that the plan kept back; None where none is left, no time, or another is at it, and
    where the message was cancelled.

    To be called in the transaction that ends the failed delivery.
    """
    now = timezone.now()
    used = dict(message.deliveries.values_list("channel", "state"))
    # One that an operator had sent again can fail a second time, when the next channel has long taken over.
    if any(state in STILL_OPEN for channel, state in used.items() if channel != failed.channel):
        return None
    kept = (
        each for each in message.plan if each["choice"] == Choice.FALLBACK and each["channel"] not in used
    )
    decision = next(kept, None)
    if decision is None or message.expires_at <= now or cancelled.among([message]):
        return None
    delivery = Delivery.objects.create(
        id=uuid7(),
        message=message,
        batch_id=message.batch_id,
        recipient_id=message.recipient_id,
        channel=decision["channel"],
        kind=decision["kind"],
        address=decision["address"],
        locale=normalise(message.to.get("locale", "")),
        lane=message.lane,
        due_at=now,
        expires_at=message.expires_at,
        accepted_at=message.accepted_at,
    )
    data = {"from": failed.channel, "to": delivery.channel}
    Event.objects.create(message=message, delivery=delivery, kind="fallback", data=data)
    tally.write(tally.accepted(message, [delivery]))
    queue.wake(delivery.lane)
    return delivery
