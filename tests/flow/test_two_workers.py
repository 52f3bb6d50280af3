"""Two workers that record at the same time never wait for each other in a circle."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pushcenter.lanes import Lane
from pushcenter.messaging import outcomes
from pushcenter.messaging.models import AttemptOutcome, Delivery
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended, Verdict
from pushcenter.recipients.models import Suppression, SuppressionReason
from tests import factories

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


def unreachable(delivery: Delivery) -> Ended:
    now = timezone.now()
    return Ended(
        delivery_id=delivery.pk,
        claim=delivery.claims,
        number=1,
        called=True,
        verdict=Verdict(
            state=State.FAILED,
            outcome=AttemptOutcome.UNREACHABLE,
            suppress=SuppressionReason.UNREACHABLE,
        ),
        adapter="simulated",
        account_id=None,
        started_at=now,
        finished_at=now,
    )


def record(rows: Sequence[Delivery]) -> None:
    try:
        outcomes.record([unreachable(row) for row in rows], {row.pk: (row, row.message) for row in rows})
    finally:
        connection.close()


def test_two_lanes_find_the_same_addresses_dead_in_opposite_order(slow_suppressions: None) -> None:
    factories.template(channels=["push"])
    factories.account("push")
    groups = []
    for lane, backwards in ((Lane.HIGH, False), (Lane.LOW, True)):
        for number in range(6):
            factories.message(to={"push_token": f"token-{number}"}, priority=lane)
        rows = Delivery.objects.claim(lane=lane, limit=6, lease=timedelta(seconds=60))
        groups.append(sorted(rows, key=lambda row: row.address, reverse=backwards))
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(record, groups))
    assert Delivery.objects.filter(state=State.FAILED).count() == 12
    assert Suppression.objects.count() == 6
