"""``kill -9`` in the middle of a send: the message ends in a true state, and its trace tells the story."""

import threading
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from django.utils import timezone

from pushcenter.messaging import queue
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from tests import factories
from tests.faults.cluster import caller_of, cluster, family, kill, wait_until
from tests.flow.test_chain import SECRET
from tests.flow.world import Receiver, receiver

pytestmark = pytest.mark.django_db(transaction=True)


class Holding:
    """A provider that keeps its first caller waiting, and answers everybody after."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.release = threading.Event()

    def __call__(self, number: int) -> int:
        if number == 1:
            self.reached.set()
            self.release.wait(60)
        return 204


def a_webhook_message(hook: Receiver, **template: Any) -> Message:
    factories.template(channels=["webhook"], priority="critical", **template)
    factories.account("webhook", "http", config={"secret": SECRET})
    factories.recipient(addresses={"url": hook.url})
    return factories.message()


def let_the_lease_end(delivery: Delivery) -> None:
    """Instead of waiting for it: the lease is over, and the next sweep comes now."""
    Delivery.objects.filter(pk=delivery.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    queue.later("pushcenter.messaging.sweep.run", at=timezone.now())


def has_ended(delivery: Delivery) -> bool:
    delivery.refresh_from_db()
    return delivery.state not in {State.PENDING, State.SENDING}


def test_a_killed_worker_leaves_a_doubt_that_its_successor_settles() -> None:
    hold = Holding()
    with receiver(hold) as hook, cluster() as workers:
        message = a_webhook_message(hook)
        assert hold.reached.wait(20)
        delivery = message.deliveries.get()
        assert (delivery.state, delivery.attempts) == (State.SENDING, 0)

        kill(caller_of(urlsplit(hook.url).port or 0, workers))
        let_the_lease_end(delivery)
        wait_until(lambda: has_ended(delivery), "the delivery ends")
        hold.release.set()

    assert (delivery.state, delivery.attempts) == (State.DELIVERED, 2)
    # The receiver can tell the repetition by its id, so it is no possible duplicate.
    assert delivery.maybe_duplicate is False
    assert {headers["webhook-id"] for headers, _ in hook.calls} == {str(delivery.pk)}
    story = [entry.kind for entry in timeline(message) if entry.tier == "service"]
    assert sorted(story) == ["attempt", "attempt", "lease_over"]
    titles = [entry.title for entry in timeline(message)]
    assert titles.index("No answer known") < titles.index("Provider took it")


def test_a_killed_cluster_is_continued_by_the_next_one() -> None:
    hold = Holding()
    with receiver(hold) as hook:
        with cluster() as workers:
            message = a_webhook_message(hook)
            assert hold.reached.wait(20)
            killed = family(workers.pid)
            for process in killed:
                kill(process)
            psutil.wait_procs(killed, timeout=10)
        delivery = message.deliveries.get()
        assert delivery.state == State.SENDING
        let_the_lease_end(delivery)
        with cluster():
            wait_until(lambda: has_ended(delivery), "the delivery ends")
        hold.release.set()
    assert (delivery.state, delivery.attempts) == (State.DELIVERED, 2)
    assert list(delivery.log.order_by("number").values_list("outcome", flat=True)) == ["lost", "sent"]


def test_a_worker_sends_by_itself_what_the_api_accepted() -> None:
    with receiver() as hook, cluster():
        message = a_webhook_message(hook)
        wait_until(lambda: message.deliveries.get().state == State.DELIVERED, "the message is delivered")
    assert len(hook.calls) == 1
