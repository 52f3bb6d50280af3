"""Two workers that record at the same time never wait for each other in a circle."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from pushcenter.lanes import Lane
from pushcenter.messaging import outcomes
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.models import AttemptOutcome, Delivery
from pushcenter.messaging.states import State
from pushcenter.recipients.models import Suppression, SuppressionReason
from tests import claiming, factories

SLOWLY = """
CREATE FUNCTION test_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.05);
    RETURN NEW;
END $$;
CREATE TRIGGER test_slowly BEFORE INSERT ON recipients_suppression
   FOR EACH ROW EXECUTE FUNCTION test_slowly();
"""
QUICKLY = "DROP TRIGGER test_slowly ON recipients_suppression; DROP FUNCTION test_slowly()"


@pytest.fixture
def slow_suppressions(transactional_db: None) -> Iterator[None]:
    """Each new suppression takes its time, so that two groups of them meet half-way."""
    with connection.cursor() as cursor:
        cursor.execute(SLOWLY)
        yield
        cursor.execute(QUICKLY)


def record(group: Sequence[Claimed]) -> None:
    verdict = {
        "state": State.FAILED,
        "outcome": AttemptOutcome.UNREACHABLE,
        "suppress": SuppressionReason.UNREACHABLE,
        "due_at": None,
    }
    try:
        outcomes.record([claiming.ended(each, **verdict) for each in group])
    finally:
        connection.close()


def test_two_lanes_find_the_same_addresses_dead_in_opposite_order(slow_suppressions: None) -> None:
    factories.template(channels=["push"])
    factories.account("push")
    groups = []
    for lane, backwards in ((Lane.HIGH, False), (Lane.LOW, True)):
        for number in range(6):
            factories.message(to={"push_token": f"token-{number}"}, priority=lane)
        groups.append(sorted(claiming.claim(lane), key=lambda row: row.address, reverse=backwards))
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(record, groups))
    assert Delivery.objects.filter(state=State.FAILED).count() == 12
    assert Suppression.objects.count() == 6
