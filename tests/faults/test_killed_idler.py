"""``kill -9`` of a process that waits at a queue of the cluster: the queue dies with it, the cluster does not."""

import psutil
import pytest

from pushcenter.messaging.states import State
from tests import factories
from tests.faults.cluster import cluster, kill, wait_until
from tests.faults.test_killed_worker import a_webhook_message
from tests.flow.world import receiver

pytestmark = pytest.mark.django_db(transaction=True)
#: A worker, the monitor and the pusher, in the order in which a guard starts them.
HELPERS = 3


def helpers(main: psutil.Process) -> list[psutil.Process]:
    return sorted((each for guard in main.children() for each in guard.children()), key=lambda each: each.pid)


def test_work_goes_on_whoever_is_killed_while_it_waits() -> None:
    with receiver() as hook, cluster() as main:
        message = a_webhook_message(hook)
        wait_until(lambda: message.deliveries.get().state == State.DELIVERED, "it works at all", 60)
        before = helpers(main)
        assert len(before) == HELPERS
        kill(before[0])
        kill(before[1])
        wait_until(lambda: len(set(helpers(main)) - set(before)) >= HELPERS, "all are new", 30)
        again = factories.message()
        wait_until(lambda: again.deliveries.get().state == State.DELIVERED, "it works again", 30)
