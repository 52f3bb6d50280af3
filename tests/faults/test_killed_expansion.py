"""``kill -9`` in the middle of an expansion: the next worker goes on where the last commit was."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from pushcenter.messaging import broadcast, intake, queue
from pushcenter.messaging.models import Batch, Message
from pushcenter.recipients.models import Address, Recipient
from tests import factories
from tests.faults.cluster import cluster, family, kill, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 5_000
# Each chunk commits one delivery that takes its time, so that a worker is sure to be met in the middle.
SLOWLY = """
CREATE FUNCTION test_slowly() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(0.4);
    RETURN NULL;
END $$;
CREATE TRIGGER test_slowly AFTER INSERT ON messaging_message FOR EACH STATEMENT EXECUTE FUNCTION test_slowly();
"""
QUICKLY = "DROP TRIGGER test_slowly ON messaging_message; DROP FUNCTION test_slowly()"


def a_crowd() -> None:
    people = Recipient.objects.bulk_create(Recipient(external_id=f"u-{index}") for index in range(PEOPLE))
    Address.objects.bulk_create(
        Address(recipient=each, kind="email", value=f"{each.external_id}@example.com") for each in people
    )


def progress(batch: Batch) -> int:
    batch.refresh_from_db()
    return batch.expanded


def test_nobody_is_lost_and_nobody_doubled() -> None:
    factories.template(channels=["email"], priority="low")
    factories.account("email")
    a_crowd()
    request = intake.Request(template="order-paid", params={"order_no": "1"}, send_at=factories.in_an_hour())
    begun = broadcast.accept(request, {"all": True}, caller=factories.caller())
    assert isinstance(begun, broadcast.Begun)
    batch = Batch.objects.get(pk=begun.id)
    with connection.cursor() as cursor:
        cursor.execute(SLOWLY)
    try:
        with cluster() as workers:
            wait_until(lambda: progress(batch) > 0, "the first people are reached")
            for process in family(workers.pid):
                kill(process)
        assert 0 < progress(batch) < PEOPLE
        assert Message.objects.filter(batch=batch).count() == batch.expanded
    finally:
        with connection.cursor() as cursor:
            cursor.execute(QUICKLY)
    # Instead of waiting for it: nobody has worked on it for a while, and the next sweep comes now.
    Batch.objects.update(worked_at=timezone.now() - timedelta(minutes=2))
    queue.later("pushcenter.messaging.sweep.run", at=timezone.now())
    with cluster():
        wait_until(lambda: progress(batch) == PEOPLE, "everybody is reached")
    messages = Message.objects.filter(batch=batch)
    assert messages.count() == messages.values("recipient").distinct().count() == PEOPLE
    assert (batch.accepted, batch.left_out) == (PEOPLE, {})
