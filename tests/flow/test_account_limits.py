"""What an account may take holds in dispatch: its rate, the pace of its addresses, its places, its breaker."""

import time
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from channels_app.models import Account
from channels_app.traffic import traffic
from pushcenter.messaging import dispatch
from pushcenter.messaging.dispatch import Dispatcher
from pushcenter.messaging.models import Attempt, Delivery, Message
from pushcenter.messaging.states import State
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("patient")]
ROBOT = {"email": "group@example.com"}


def send(number: int, *, to: dict[str, str] | None = None) -> list[Message]:
    return [factories.message(to=to or {"email": f"u-{each}@example.com"}) for each in range(number)]


def account(**fields: Any) -> Account:
    factories.template(channels=["email"])
    return factories.account("email", **fields)


def states() -> dict[str, int]:
    found = Delivery.objects.values_list("state", flat=True)
    return {state: [*found].count(state) for state in set(found)}


def serve(rounds: int) -> None:
    """Go round so often as a worker does, so that leases come in."""
    worker = Dispatcher()
    for _ in range(rounds):
        worker.step()
    worker.work()


def test_a_rate_is_kept_and_the_rest_waits_for_its_turn(settings: Any) -> None:
    settings.DISPATCH_SECONDS = 1
    begun = time.monotonic()
    account(rate_per_second=4)
    send(40)
    OrmQ.objects.all().delete()
    dispatch.run("normal")
    sent = states()[State.DELIVERED]
    assert 1 <= sent <= 4 * (time.monotonic() - begun + 0.5) + 1
    assert states() == {State.DELIVERED: sent, State.PENDING: 40 - sent}
    assert set(Delivery.objects.values_list("attempts", "claims")) == {(1, 1), (0, 0)}
    [wake_up] = OrmQ.objects.all()
    assert wake_up.lock is not None
    assert (wake_up.lock - timezone.now()).total_seconds() < 2


def test_a_daily_quota_that_is_used_up_lets_the_queue_wait() -> None:
    account(daily_quota=3)
    send(5)
    dispatch.run("normal")
    assert states() == {State.DELIVERED: 3, State.PENDING: 2}


def test_an_address_gets_so_many_a_minute_and_others_are_not_kept() -> None:
    account(address_rate_per_minute=2)
    send(5, to=ROBOT)
    [other] = send(1)
    dispatch.run("normal")
    kept = Delivery.objects.filter(address=ROBOT["email"], state=State.PENDING)
    assert other.deliveries.get().state == State.DELIVERED
    assert set(kept.values_list("code", "attempts")) == {("pace", 0)}
    assert kept.count() == 5 - Delivery.objects.filter(address=ROBOT["email"], state=State.DELIVERED).count()
    assert kept.count() >= 3
    assert all(each.due_at > timezone.now() for each in kept)


def test_a_provider_that_is_down_gives_way_to_the_next_account() -> None:
    first = account(priority=1, config={"outcome": "down"})
    second = factories.account("email", name="second", priority=2)
    messages = send(30)
    for _ in range(3):
        serve(3)
        Delivery.objects.filter(state=State.PENDING).update(due_at=timezone.now())
    serve(3)
    assert {each.deliveries.get().account for each in messages} == {second}
    assert states() == {State.DELIVERED: 30}
    assert set(Attempt.objects.filter(account=first).values_list("outcome", flat=True)) == {"temporary"}


def test_a_message_that_failed_through_the_only_account_waits_for_it() -> None:
    account(config={"outcome": "down"})
    send(1)
    dispatch.run("normal")
    assert states() == {State.PENDING: 1}
    traffic.forget()
