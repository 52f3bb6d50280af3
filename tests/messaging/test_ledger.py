"""The ledger balances over all that can happen; and each way in which it could not is found."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from analytics_app import rollup
from analytics_app.models import HourlyStat
from pushcenter.ids import uuid7
from pushcenter.messaging import (
    alerts,
    audit,
    broadcast,
    dispatch,
    idempotency,
    intake,
    interactions,
    ledger,
    operate,
    queue,
    work,
)
from pushcenter.messaging.models import (
    Alert,
    Attempt,
    Batch,
    Delivery,
    Interaction,
    LedgerDay,
    LedgerLine,
    Message,
    Tally,
)
from pushcenter.messaging.request import Call
from pushcenter.messaging.states import State
from tests import factories

pytestmark = pytest.mark.django_db
TODAY = timezone.now().astimezone(UTC).date


@pytest.fixture
def flow(db: None) -> Message:
    """A message that was sent on two channels, one that failed, one that waits, one of a test key, and a broadcast."""
    factories.recipient()
    factories.recipient("u-2", {})
    factories.template()
    factories.accounts("inbox", "email")
    first = factories.message()
    factories.message(to={"email": "refused@simulator.example"}, channels=["email"])
    factories.message(caller=factories.caller(is_test=True))
    call = Call(system_id=factories.system().pk, is_test=False, key="k", fingerprint=b"f" * 32)
    request = intake.Request(template="order-paid", to={"recipient": "u-1001"}, params={"order_no": "1"})
    intake.accept(request, caller=factories.caller(), call=call)
    begun = broadcast.accept(
        intake.Request(template="order-paid", params={"order_no": "1"}),
        {"all": True},
        caller=factories.caller(),
    )
    assert isinstance(begun, broadcast.Begun)
    work.run(str(begun.id))
    dispatch.run("normal")
    factories.message(send_at=factories.in_an_hour())
    opened = first.deliveries.get(channel="inbox")
    interactions.record(opened, "opened")
    return first


def differences(day: date | None = None) -> dict[str, int]:
    """What a full count of a day finds, by check."""
    lines = audit.recount(day or TODAY(), full=True)
    assert lines is not None
    return {name: found.number for line in lines for name, found in line.differences.items()}


def test_the_ledger_balances(flow: Message) -> None:
    assert differences() == {}
    live, test = ledger.count(TODAY())
    assert (live.messages, live.is_test, test.messages, test.is_test) == (6, False, 1, True)
    assert (
        live.accepted == sum(live.states.values()) == Delivery.objects.filter(message__is_test=False).count()
    )
    assert live.states["pending"] == 2
    assert live.states["delivered"] >= 4


@pytest.mark.parametrize("folded", [False, True])
def test_it_balances_whether_or_not_tallies_have_been_folded(flow: Message, *, folded: bool) -> None:
    if folded:
        rollup.run()
        assert not Tally.objects.exists()
    assert differences() == {}


def test_it_balances_after_whatever_operators_do(flow: Message) -> None:
    failed = list(Delivery.objects.filter(state=State.FAILED).values_list("pk", flat=True))
    pending = list(Delivery.objects.filter(state=State.PENDING).values_list("pk", flat=True))
    assert operate.send_again(failed, by="me") + operate.cancel(pending[:1], by="me") >= 1
    assert differences() == {}


def lose_a_delivery(flow: Message) -> None:
    flow.deliveries.get(channel="email").delete()


def lose_a_message(flow: Message) -> None:
    Message.objects.filter(pk=flow.pk).delete()


def move_a_state(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(state=State.FAILED)


def forget_a_figure(flow: Message) -> None:
    Tally.objects.filter(measure="sent").first().delete()  # type: ignore[union-attr]


def count_twice(flow: Message) -> None:
    rollup.run()
    row = HourlyStat.objects.filter(channel="inbox").get()
    row.opened += 1
    row.save()


def shift_between_channels(flow: Message) -> None:
    """Sums of the day stay the same."""
    rollup.run()
    for channel, by in (("inbox", 1), ("email", -1)):
        row = HourlyStat.objects.get(channel=channel)
        row.delivered += by
        row.save()


def open_without_a_figure(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(opened_at=timezone.now())


def invent_a_figure(flow: Message) -> None:
    Tally.objects.create(
        hour=flow.accepted_at.replace(minute=0, second=0, microsecond=0),
        system_id=factories.system("ghost").pk,
        template_id=flow.template_id,
        channel="email",
        measure="failed",
        amount=1,
    )


UNBOOKED = (
    lose_a_delivery,
    lose_a_message,
    move_a_state,
    forget_a_figure,
    count_twice,
    shift_between_channels,
    open_without_a_figure,
    invent_a_figure,
)


def test_what_contradicts_the_figures_is_found_without_a_look_at_every_row(
    flow: Message, subtests: pytest.Subtests
) -> None:
    assert not any(line.differences for line in ledger.count(TODAY()))
    for harm in UNBOOKED:
        with subtests.test(harm.__name__), transaction.atomic():
            harm(flow)
            found = [line.differences["figures"] for line in ledger.count(TODAY()) if line.differences]
            transaction.set_rollback(True)
            assert len(found) == 1
            assert found[0].number >= 1
            assert "rows, the figures say" in found[0].samples[0]


def lose_a_delivery_of_a_test(flow: Message) -> None:
    Delivery.objects.filter(message__is_test=True).first().delete()  # type: ignore[union-attr]


def repeat_a_delivery(flow: Message) -> None:
    row = flow.deliveries.get(channel="email")
    attempt = Attempt.objects.get(delivery=row)
    row.pk = attempt.delivery_id = uuid7()
    row.save(force_insert=True)
    attempt.pk = uuid7()
    attempt.save(force_insert=True)


def deliver_where_nobody_planned(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(channel="sms")


def forget_an_attempt(flow: Message) -> None:
    Attempt.objects.filter(delivery__message=flow).first().delete()  # type: ignore[union-attr]


def count_an_attempt_too_many(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(attempts=2)


def claim_that_it_was_sent(flow: Message) -> None:
    row = flow.deliveries.get(channel="email")
    Attempt.objects.filter(delivery=row).delete()
    Delivery.objects.filter(pk=row.pk).update(attempts=0)


def leave_no_end(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(ended_at=None)


def deliver_before_sending(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(delivered_at=None)


def lose_what_was_acknowledged(flow: Message) -> None:
    answered = (
        Message.objects.exclude(pk=flow.pk).filter(batch=None, is_test=False, send_at=None).order_by("id")
    )
    answered.last().delete()  # type: ignore[union-attr]


def lose_a_batch_that_was_acknowledged(flow: Message) -> None:
    call = Call(system_id=flow.system_id, is_test=False, key="b", fingerprint=b"f" * 32)
    gone = idempotency.Answer(status=202, body=b"{}", location=intake.batch_location(uuid7()))
    idempotency.keep([(call, gone)])


def lose_one_of_a_batch(flow: Message) -> None:
    Message.objects.filter(batch__isnull=False).first().delete()  # type: ignore[union-attr]


def make_one_of_a_batch_too_many(flow: Message) -> None:
    Batch.objects.update(accepted=1)


CONTRADICTIONS = (
    (lose_a_delivery, "missing"),
    (lose_a_delivery_of_a_test, "missing"),
    (repeat_a_delivery, "surplus"),
    (deliver_where_nobody_planned, "surplus"),
    (forget_an_attempt, "attempts"),
    (count_an_attempt_too_many, "attempts"),
    (claim_that_it_was_sent, "unfounded"),
    (leave_no_end, "ends"),
    (deliver_before_sending, "ends"),
    (lose_what_was_acknowledged, "answers"),
    (lose_a_batch_that_was_acknowledged, "answers"),
    (lose_one_of_a_batch, "batches"),
    (make_one_of_a_batch_too_many, "batches"),
)


def test_what_contradicts_itself_is_found_by_looking_at_every_row(
    flow: Message, subtests: pytest.Subtests
) -> None:
    for harm, check in CONTRADICTIONS:
        with subtests.test(f"{harm.__name__}: {check}"), transaction.atomic():
            harm(flow)
            found = differences()
            transaction.set_rollback(True)
            assert found[check] == 1


def test_a_difference_is_an_alert_until_it_is_gone(flow: Message) -> None:
    flow.deliveries.filter(channel="email").update(state=State.FAILED)
    differences()
    alerts.run()
    alert = Alert.objects.get()
    assert (alert.key, alert.is_open) == (f"ledger:{TODAY()}", True)
    assert "figures differ from the rows" in alert.text
    assert alert.data["figures"] == 1
    flow.deliveries.filter(channel="email").update(state=State.DELIVERED)
    assert differences() == {}
    alerts.run()
    assert not Alert.objects.get().is_open


def test_what_was_counted_is_kept(flow: Message) -> None:
    assert audit.run() == 1
    kept = LedgerDay.objects.get()
    assert (kept.day, kept.difference, kept.is_full) == (TODAY(), 0, False)
    live = LedgerLine.objects.get(is_test=False)
    assert (live.messages, live.in_flight, live.difference) == (6, 2, 0)
    assert audit.run() == 0


def test_the_first_day_is_that_of_the_oldest_message(flow: Message) -> None:
    assert audit.days() == [TODAY()]
    HourlyStat.objects.create(
        hour=timezone.now() - timedelta(days=2),
        system=factories.system(),
        template=flow.template,
        channel="sms",
    )
    assert len(audit.days()) == 3


def test_without_a_message_there_is_nothing_to_count() -> None:
    assert audit.days() == []
    audit.run()
    assert not LedgerLine.objects.exists()


NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "counted", "fields", "is_wanted"),
    [
        (0, None, {}, True),
        (0, timedelta(minutes=4), {}, False),
        (0, timedelta(minutes=6), {}, True),
        (0, timedelta(minutes=6), {"milliseconds": 5_000}, False),
        (0, timedelta(minutes=9), {"milliseconds": 5_000}, True),
        (1, timedelta(minutes=59), {"mark": "old"}, False),
        (1, timedelta(hours=2), {"mark": "old"}, True),
        (1, timedelta(hours=2), {"is_full": False}, True),
        (1, timedelta(hours=2), {}, False),
        (1, timedelta(hours=25), {}, True),
        (9, timedelta(hours=25), {}, False),
        (9, timedelta(hours=25), {"mark": "old"}, True),
        (9, timedelta(hours=25), {"difference": 3}, True),
        (30, timedelta(hours=25), {"mark": "old"}, False),
    ],
)
def test_older_days_are_counted_the_more_rarely(
    age: int, counted: timedelta | None, fields: dict[str, object], *, is_wanted: bool
) -> None:
    row = None
    if counted is not None:
        values = {"mark": "new", "is_full": True, **fields}
        row = LedgerDay(day=NOW.date() - timedelta(days=age), counted_at=NOW - counted, **values)
    assert audit.is_due(row, "new", NOW, age=age, is_over=age > 0) is is_wanted


def test_a_day_that_is_over_is_looked_at_row_by_row(flow: Message) -> None:
    audit.run()
    tomorrow = timezone.now() + timedelta(days=1, minutes=20)
    assert (TODAY(), True) in list(audit.due(tomorrow))


def test_two_workers_do_not_count_at_once(db: None) -> None:
    connection.ensure_connection()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s, %s)", [queue.LOCK_CLASS, audit.COUNTING])
        assert audit.recount(TODAY(), full=False) is None
    assert audit.recount(TODAY(), full=False) == []


def test_a_count_touches_no_other_days_rows(flow: Message) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT count(*) FROM messaging_delivery WHERE accepted_at >= now() - interval '1 day'"
        )
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "delivery_by_day" in plan
    assert Interaction.objects.exists()
