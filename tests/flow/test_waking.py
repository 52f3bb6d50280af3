"""Wake-ups are few, and none is lost."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from pushcenter.lanes import Lane
from pushcenter.messaging import queue
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> list[str]:
    return list(OrmQ.objects.order_by("id").values_list("key", flat=True))


def take() -> list[tuple[int, str]]:
    return queue.LaneBroker("pushcenter").dequeue() or []


def test_one_wake_up_serves_for_many_messages() -> None:
    for _ in range(5):
        with transaction.atomic():
            queue.wake(Lane.HIGH)
    assert waiting() == ["high"]


def test_a_wake_up_that_is_already_at_work_does_not_serve_for_new_messages() -> None:
    with transaction.atomic():
        queue.wake(Lane.HIGH)
    assert len(take()) == 1
    with transaction.atomic():
        queue.wake(Lane.HIGH)
    assert waiting() == ["high:running", "high"]


def test_the_most_urgent_lane_is_taken_first() -> None:
    for lane in (Lane.LOW, Lane.NORMAL, Lane.CRITICAL, Lane.HIGH):
        with transaction.atomic():
            queue.wake(lane)
    queue.later("some.function", at=timezone.now())
    order = []
    while taken := take():
        order.append(OrmQ.objects.get(pk=taken[0][0]).key.partition(":")[0])
    assert order == ["critical", "high", "normal", "low", "pushcenter"]


def test_a_delayed_wake_up_is_not_taken_before_its_time() -> None:
    with transaction.atomic():
        queue.wake(Lane.LOW, timezone.now() + timedelta(hours=1))
    assert take() == []


def test_an_earlier_wake_up_serves_for_a_later_time_and_not_the_other_way_round() -> None:
    in_one, in_two = (timezone.now() + timedelta(hours=hours) for hours in (1, 2))
    for at in (in_two, in_one, in_two):
        with transaction.atomic():
            queue.wake(Lane.LOW, at)
    assert waiting() == ["low", "low"]


def test_a_wake_up_vanishes_with_the_transaction_that_asked_for_it() -> None:
    with transaction.atomic():
        queue.wake(Lane.LOW)
        transaction.set_rollback(True)
    assert waiting() == []


def test_a_dispatcher_waits_for_those_who_relied_on_the_wake_up_that_it_took() -> None:
    """The race that would lose a message: relied on a waiting wake-up, committed after the last look."""
    with transaction.atomic():
        queue.wake(Lane.HIGH)
    relied, commit, settled = threading.Event(), threading.Event(), threading.Event()

    def accept() -> None:
        with transaction.atomic():
            queue.wake(Lane.HIGH)
            relied.set()
            commit.wait(10)
        connection.close()

    def stop() -> None:
        queue.settle([Lane.HIGH])
        settled.set()
        connection.close()

    accepter, dispatcher = threading.Thread(target=accept), threading.Thread(target=stop)
    accepter.start()
    assert relied.wait(10)
    dispatcher.start()
    assert not settled.wait(0.3)
    commit.set()
    assert settled.wait(10)
    accepter.join()
    dispatcher.join()
    assert waiting() == ["high"]


def test_a_wake_up_whose_worker_died_turns_up_again() -> None:
    with transaction.atomic():
        queue.wake(Lane.HIGH)
    take()
    OrmQ.objects.update(lock=timezone.now() - timedelta(seconds=1))
    assert len(take()) == 1


def test_a_message_accepted_leaves_exactly_one_wake_up_in_its_lane() -> None:
    factories.template(channels=["inbox"], priority="critical")
    factories.account("inbox", "inbox")
    factories.recipient()
    factories.message()
    factories.message()
    assert waiting() == ["critical"]
