"""A person who is forgotten: nothing personal stays, everything counted does, and nothing more is sent."""

from typing import Any

import pytest
from django.core import serializers
from django.db.models import Model

from channels_app.models import Account
from pushcenter.messaging import dispatch, erasure, fallback
from pushcenter.messaging.models import (
    Attempt,
    AttemptOutcome,
    Delivery,
    Event,
    Interaction,
    Message,
    Receipt,
    ReceiptCall,
    Tally,
)
from pushcenter.messaging.states import State
from pushcenter.recipients.models import Address, Preference, Recipient, Suppression
from tests import factories

pytestmark = pytest.mark.django_db
#: Everything that is known of the person; none of it may be found afterwards.
TRACES = ("u-1001", "Li Wei", "SECRET", "example.com")
KEPT = (Message, Delivery, Attempt, Event, Interaction, Receipt, ReceiptCall, Tally)


@pytest.fixture
def person(db: None) -> Recipient:
    """Somebody with a past: a message on two channels, one of which was sent."""
    row = factories.recipient()
    Preference.objects.create(recipient=row, category=factories.category("news"))
    factories.template()
    factories.accounts("inbox", "email")
    params, metadata = {"order_no": "SECRET"}, {"about": "SECRET"}
    factories.message(params=params, metadata=metadata, reference="SO-1")
    _inbox, mail = deliveries()
    call = ReceiptCall.objects.create(
        account=Account.objects.get(channel="email"), body=b"SECRET", query={"to": "SECRET"}
    )
    Receipt.objects.create(
        delivery=mail, call=call, provider_id="p-1", outcome="sent", reason="SECRET", at=mail.accepted_at
    )
    Receipt.objects.create(  # of another message with the same id, whose delivery is not known yet
        provider_id="p-2", address=mail.address, outcome="sent", at=mail.accepted_at
    )
    Attempt.objects.create(
        delivery=mail, number=1, outcome=AttemptOutcome.SENT, detail="SECRET",
        started_at=mail.accepted_at, finished_at=mail.accepted_at,
    )  # fmt: skip
    Delivery.objects.filter(pk=mail.pk).update(state=State.SENT, reason="SECRET", sent_at=mail.accepted_at)
    return row


def deliveries() -> tuple[Delivery, Delivery]:
    return Delivery.objects.get(channel="inbox"), Delivery.objects.get(channel="email")


def everything() -> str:
    """All rows of the record, as text."""
    rows: list[Model] = [row for model in KEPT for row in model._default_manager.all()]
    bodies = b"".join(bytes(call.body) for call in ReceiptCall.objects.all())
    return serializers.serialize("json", rows, ensure_ascii=False) + bodies.decode()


def test_nothing_personal_is_found_any_more(person: Recipient) -> None:
    before = everything()
    assert all(trace in before for trace in TRACES)
    assert erasure.erase([person.pk], by="crm") == 1
    after = everything()
    assert [trace for trace in TRACES if trace in after] == []
    assert str(person.pk) not in after
    for model in (Recipient, Address, Preference):
        assert not model._default_manager.exists()


def test_what_was_counted_stays_and_what_waited_is_cancelled(person: Recipient) -> None:
    before = factories.figures()
    erasure.erase([person.pk], by="crm")
    assert factories.figures() == before | {("inbox", "cancelled"): 1}
    inbox, mail = deliveries()
    assert (inbox.state, mail.state) == (State.CANCELLED, State.SENT)
    message = Message.objects.get()
    assert (message.reference, message.category) == ("SO-1", "orders")
    assert [(each["channel"], each["choice"], each["address"]) for each in message.plan] == [
        ("inbox", "chosen", ""),
        ("email", "chosen", ""),
    ]
    assert Event.objects.get().data == {"by": "crm"}


def test_nobody_else_is_touched(person: Recipient) -> None:
    other = factories.recipient("u-1002", name="Zoe")
    message = factories.message(to={"recipient": "u-1002"}, params={"order_no": "SO-2"})
    erasure.erase([person.pk], by="crm")
    message.refresh_from_db()
    assert message.params["order_no"] == "SO-2"
    assert message.to["name"] == "Zoe"
    assert set(message.deliveries.values_list("address", flat=True)) == {"u-1002", "u-1002@example.com"}
    assert other.addresses.count() == 1


def test_what_was_being_sent_is_not_sent_again(person: Recipient) -> None:
    Delivery.objects.update(state=State.SENT)
    sending = deliveries()[1]
    erasure.erase([person.pk], by="crm")
    factories.make_due(sending)
    Delivery.objects.filter(pk=sending.pk).update(state=State.PENDING)
    dispatch.run("normal")
    sending.refresh_from_db()
    assert (sending.state, sending.code) == (State.FAILED, "no_address")


def test_no_channel_is_left_to_fall_back_to(db: None) -> None:
    person = factories.recipient()
    factories.template(route_mode="first", channels=["inbox", "email"])
    factories.accounts("inbox", "email")
    message = factories.message()
    delivery = message.deliveries.get()
    erasure.erase([person.pk], by="crm")
    message.refresh_from_db()
    Delivery.objects.filter(pk=delivery.pk).update(state=State.FAILED)
    assert fallback.fall_back(message, delivery) is None


def test_an_address_that_is_suppressed_stays_so(person: Recipient) -> None:
    Suppression.objects.create(kind="email", value="u-1001@example.com")
    erasure.erase([person.pk], by="crm")
    assert Suppression.objects.count() == 1


def test_who_has_no_past_can_be_erased_and_who_is_gone_too(db: None) -> None:
    row = factories.recipient()
    found: list[Any] = [row.pk]
    assert [erasure.erase(found, by="crm") for _ in range(2)] == [1, 0]
