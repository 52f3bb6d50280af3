"""What falls between is found again: expiries, lost wake-ups, receipts that came too early."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from pushcenter.messaging import dispatch, queue, receipts, sweep
from pushcenter.messaging.models import Delivery, Receipt
from pushcenter.messaging.states import State
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]


def test_a_message_that_is_late_is_expired_and_not_sent() -> None:
    factories.template(channels=["inbox"])
    factories.account("inbox", "inbox")
    factories.recipient()
    message = factories.message()
    Delivery.objects.update(expires_at=timezone.now())
    assert dispatch.run("normal") == 0
    assert sweep.run().expired == 1
    assert message.deliveries.get().state == State.EXPIRED
    assert factories.figures() == {("inbox", "accepted"): 1, ("inbox", "expired"): 1}


def test_a_lost_wake_up_is_replaced() -> None:
    factories.template(channels=["inbox"])
    factories.account("inbox", "inbox")
    factories.recipient()
    factories.message()
    OrmQ.objects.all().delete()
    assert sweep.run().woken == ["normal"]
    assert OrmQ.objects.get().key == "normal"


def test_a_sweep_of_nothing_does_nothing() -> None:
    swept = sweep.run()
    assert (swept.expired, swept.repeated, swept.held, swept.woken) == (0, 0, 0, [])
    assert not OrmQ.objects.exists()


def test_a_receipt_that_came_before_our_own_record_is_matched() -> None:
    factories.template(channels=["email"])
    account = factories.account("email", config={"outcome": "sent"})
    message = factories.message(to={"email": "li@example.com"})
    delivery = message.deliveries.get()
    early = Receipt.objects.create(
        account=account, provider_id=f"simulated-{delivery.pk}", outcome="delivered", at=timezone.now()
    )
    dispatch.run("normal")
    assert receipts.match_early_ones() == 1
    early.refresh_from_db()
    delivery.refresh_from_db()
    assert (early.delivery, delivery.state) == (delivery, State.DELIVERED)


def test_receipts_that_nobody_knows_do_not_stand_in_the_way_of_others() -> None:
    factories.template(channels=["email"])
    account = factories.account("email", config={"outcome": "sent"})
    delivery = factories.message(to={"email": "li@example.com"}).deliveries.get()
    now = timezone.now()
    Receipt.objects.bulk_create(
        Receipt(account=account, provider_id=f"of-another-{n}", outcome="delivered", at=now)
        for n in range(1000)
    )
    Receipt.objects.create(
        account=account, provider_id=f"simulated-{delivery.pk}", outcome="delivered", at=now
    )
    dispatch.run("normal")
    assert receipts.match_early_ones() == 1


def test_the_sweep_is_scheduled() -> None:
    schedule = Schedule.objects.get(name="sweep")
    assert (schedule.func, schedule.minutes) == ("pushcenter.messaging.sweep.run", 1)


def test_a_receipt_that_is_foretold_comes_at_its_time() -> None:
    factories.template(channels=["email"])
    factories.account("email")
    message = factories.message(to={"email": "receipt_late@simulator.example"})
    dispatch.run("normal")
    delivery = message.deliveries.get()
    assert delivery.state == State.SENT
    task = OrmQ.objects.get(key=queue.HOUSEKEEPING)
    assert task.lock > timezone.now() + timedelta(seconds=1)
    receipts.arrive(*task.task["args"])
    delivery.refresh_from_db()
    assert delivery.state == State.DELIVERED
