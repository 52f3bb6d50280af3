"""People of each role, and one message that has been through the whole flow."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from pushcenter.messaging.models import (
    Attempt,
    AttemptOutcome,
    Delivery,
    Event,
    Interaction,
    Message,
    Receipt,
    ReceiptCall,
)
from pushcenter.messaging.states import State
from tests import factories

AsRole = Callable[..., Client]


@pytest.fixture
def as_role(db: None) -> AsRole:
    """A client whose user has these roles and no other rights."""

    def enter(*roles: str) -> Client:
        user = User.objects.create_user(f"user-{User.objects.count()}", is_staff=True)
        user.groups.set(Group.objects.filter(name__in=roles))
        client = Client()
        client.force_login(user)
        return client

    return enter


@dataclass(frozen=True, kw_only=True)
class Sent:
    message: Message
    delivery: Delivery


@pytest.fixture
def sent(db: None) -> Sent:
    """A mail that was throttled first, then sent, delivered and opened; written row by row, as the flow would."""
    account = factories.account("email")
    factories.account("inbox", "inbox")
    factories.template()
    factories.recipient(addresses={"email": "li.wei@example.com"})
    message = factories.message(reference="SO-1")
    delivery = Delivery.objects.get(message=message, channel="email")
    began = message.accepted_at
    for number, outcome in enumerate([AttemptOutcome.THROTTLED, AttemptOutcome.SENT], start=1):
        Attempt.objects.create(
            delivery=delivery,
            number=number,
            adapter="simulated",
            account=account,
            outcome=outcome,
            code="429" if number == 1 else "",
            detail="too many mails from you" if number == 1 else "",
            started_at=began + timedelta(seconds=number),
            finished_at=began + timedelta(seconds=number, milliseconds=120),
        )
    call = ReceiptCall.objects.create(account=account, body=b'{"delivered": "li.wei@example.com"}')
    Receipt.objects.create(
        account=account,
        call=call,
        delivery=delivery,
        provider_id="p-1",
        outcome="delivered",
        at=timezone.now(),
    )
    Event.objects.create(message=message, delivery=delivery, kind="fallback", data={"to": "email"})
    Interaction.objects.create(delivery=delivery, kind="opened", source="pixel")
    Delivery.objects.filter(pk=delivery.pk).update(
        state=State.DELIVERED, attempts=2, account=account, sent_at=timezone.now(), provider_id="p-1"
    )
    delivery.refresh_from_db()
    return Sent(message=message, delivery=delivery)
