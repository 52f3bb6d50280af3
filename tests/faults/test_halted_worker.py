"""A machine that stands still and then goes on: what it has to say is too late, and it does not know that."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from pushcenter.messaging.models import Delivery, Event
from pushcenter.messaging.states import State
from tests import factories
from tests.faults.cluster import caller_of, cluster, family, wait_until
from tests.faults.test_killed_worker import has_ended, let_the_lease_end
from tests.flow.test_chain import SECRET
from tests.flow.world import receiver

pytestmark = pytest.mark.django_db(transaction=True)


class Holding:
    """A provider that keeps each caller waiting until it is told to answer that one."""

    def __init__(self, calls: int) -> None:
        self.reached = [threading.Event() for _ in range(calls)]
        self.answer = [threading.Event() for _ in range(calls)]

    def __call__(self, number: int) -> int:
        self.reached[number - 1].set()
        self.answer[number - 1].wait(60)
        return 204


@contextmanager
def halted(parent: psutil.Process) -> Iterator[None]:
    """All processes of a cluster stand still within the block."""
    halted = family(parent.pid)
    for each in halted:
        each.suspend()
    yield
    for each in halted:
        each.resume()


def test_an_answer_for_a_claim_that_another_worker_has_by_now_counts_for_nothing() -> None:
    hold = Holding(calls=2)
    with receiver(hold) as hook, cluster() as first:
        factories.template(channels=["webhook"], priority="critical")
        factories.account("webhook", "http", config={"secret": SECRET, "timeout_s": 30})
        factories.recipient(addresses={"url": hook.url})
        delivery = factories.message().deliveries.get()
        assert hold.reached[0].wait(20)
        caller_of(urlsplit(hook.url).port or 0, first)  # it is the first one that calls

        with ExitStack() as second:
            with halted(first):
                let_the_lease_end(delivery)
                second.enter_context(cluster())
                assert hold.reached[1].wait(40)
                hold.answer[0].set()
            wait_until(
                lambda: Event.objects.filter(kind="late_answer").exists(), "the late answer is recorded"
            )
            assert story(delivery) == (State.SENDING, 2, ["lost"])

            hold.answer[1].set()
            wait_until(lambda: has_ended(delivery), "the delivery ends")

    assert story(delivery) == (State.DELIVERED, 2, ["lost", "sent"])
    assert Event.objects.get(kind="late_answer").data["believed"] is False


def story(delivery: Delivery) -> tuple[str, int, list[str]]:
    """State, claims, and what each attempt came to."""
    delivery.refresh_from_db()
    outcomes = list(delivery.log.order_by("number").values_list("outcome", flat=True))
    return delivery.state, delivery.claims, outcomes
