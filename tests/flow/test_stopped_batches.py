"""A batch that is paused or cancelled stops at once, whatever its size, and stands in nobody's way."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from pushcenter import prepared
from pushcenter.messaging import (
    batches,
    claims,
    control,
    dispatch,
    intake,
    operate,
    outcomes,
    queue,
    stops,
    sweep,
    work,
)
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.models import Batch, BatchEvent, Delivery, Message
from pushcenter.messaging.request import Item
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from tests import claiming, factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]


def a_batch(number: int = 3, *, to: str = "li-{}@example.com", **fields: Any) -> Batch:
    request = intake.Request(template="order-paid", **fields)
    items = {
        index: Item(to={"email": to.format(index)}, params={"order_no": str(index)})
        for index in range(number)
    }
    done = intake.accept_batch(request, items, caller=factories.caller(), rejected={}, skip_rejected=False)
    assert isinstance(done, intake.Batched)
    return Batch.objects.get(pk=done.id)


@pytest.fixture(autouse=True)
def _props(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.template(channels=["email"])
    factories.account("email")
    # Each test begins with a worker that knows nothing yet.
    monkeypatch.setattr(control.control, "_asked", float("-inf"))


def states(batch: Batch) -> dict[str, int]:
    return Delivery.objects.by_state(batch.pk)


def held(batch: Batch) -> int:
    return Delivery.objects.filter(batch=batch, held=True).count()


def do_the_work(batch: Batch) -> Batch:
    work.run(str(batch.pk))
    batch.refresh_from_db()
    return batch


def test_what_belongs_to_a_paused_batch_is_put_aside_and_touched_once() -> None:
    batch = a_batch()
    batches.pause(batch.pk, by="olga")
    assert dispatch.run("normal") == 0
    assert (states(batch), held(batch)) == ({"pending": 3}, 3)
    rows = Delivery.objects.filter(batch=batch)
    assert set(rows.values_list("claims", "lease_until")) == {(0, None)}
    assert claiming.claim() == []
    assert claims.waiting() == []


def test_others_in_the_lane_go_on() -> None:
    first, second = a_batch(250), a_batch(2)
    batches.pause(first.pk, by="olga")
    assert dispatch.run("normal") == 2
    assert states(second) == {"delivered": 2}
    assert held(first) == 250


def test_a_large_batch_at_the_head_of_a_lane_is_put_aside_by_few_statements(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    first, second = a_batch(3_000), a_batch(1)
    batches.pause(first.pk, by="olga")
    with django_assert_max_num_queries(200):
        dispatch.run("normal")
    assert (held(first), states(second)) == (3_000, {"delivered": 1})


def test_what_is_behind_a_large_paused_batch_does_not_wait_until_all_of_it_is_put_aside(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(dispatch, "PUT_ASIDE", 50)
    settings.DISPATCH_SECONDS = 60
    settings.LANE_WINDOWS = {**settings.LANE_WINDOWS, "normal": 100}
    first, second = a_batch(1_000), a_batch(1)
    batches.pause(first.pk, by="olga")
    worker = dispatch.Dispatcher()
    for _ in range(3):
        assert worker.step()
    assert states(second) == {"delivered": 1}
    assert held(first) < 800
    assert worker.work() == 1
    assert held(first) == 1_000


def test_a_resumed_batch_goes_out_whole() -> None:
    batch = a_batch()
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    OrmQ.objects.all().delete()
    batches.resume(batch.pk, by="olga")
    assert [task.task["func"] for task in OrmQ.objects.all()] == [batches.WORK]
    assert not do_the_work(batch).has_work
    assert OrmQ.objects.filter(key="normal").exists()
    assert dispatch.run("normal") == 3
    assert states(batch) == {"delivered": 3}


def test_many_held_deliveries_are_let_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "GROUP", 2)
    batch = a_batch(5)
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    batches.resume(batch.pk, by="olga")
    do_the_work(batch)
    assert (held(batch), batch.has_work) == (0, False)


def test_pausing_in_the_middle_of_letting_go_holds_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "GROUP", 2)
    batch = a_batch(5)
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    batches.resume(batch.pk, by="olga")
    assert work._step(batch.pk)
    batches.pause(batch.pk, by="olga")
    do_the_work(batch)
    assert (held(batch), batch.has_work) == (3, False)
    assert dispatch.run("normal") == 0
    assert held(batch) == 5


def test_a_cancelled_batch_ends_and_is_counted() -> None:
    batch = a_batch()
    first = Delivery.objects.filter(batch=batch).first()
    assert first is not None
    Delivery.objects.filter(batch=batch).exclude(pk=first.pk).update(due_at=factories.in_an_hour())
    dispatch.run("normal")
    done = batches.cancel(batch.pk, by="olga")
    assert (done.cancelled, done.too_late, done.not_expanded) == (2, {"delivered": 1}, 0)
    do_the_work(batch)
    assert states(batch) == {"delivered": 1, "cancelled": 2}
    assert (batch.has_work, batch.is_stopped) == (False, False)
    assert factories.figures()["email", "cancelled"] == 2
    assert batches.status(batch, in_flight=False) == "cancelled"


def test_what_may_have_been_sent_of_a_cancelled_batch_ends_in_doubt() -> None:
    batch = a_batch()
    first = Delivery.objects.filter(batch=batch).first()
    assert first is not None
    Delivery.objects.filter(pk=first.pk).update(maybe_sent=True)
    done = batches.cancel(batch.pk, by="olga")
    assert (done.cancelled, done.too_late) == (2, {"in_doubt": 1})
    do_the_work(batch)
    assert states(batch) == {"in_doubt": 1, "cancelled": 2}
    assert (factories.figures()["email", "cancelled"], factories.figures()["email", "in_doubt"]) == (2, 1)
    again = batches.cancel(batch.pk, by="olga")
    assert (again.cancelled, again.too_late) == (2, {"in_doubt": 1})


def test_what_a_worker_meets_of_a_cancelled_batch_is_not_sent() -> None:
    batch = a_batch()
    batches.cancel(batch.pk, by="olga")
    assert dispatch.run("normal") == 0
    do_the_work(batch)
    assert states(batch) == {"cancelled": 3}


def test_a_paused_batch_can_be_cancelled() -> None:
    batch = a_batch()
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    batches.cancel(batch.pk, by="olga")
    do_the_work(batch)
    assert (states(batch), held(batch), batch.paused_at) == ({"cancelled": 3}, 0, None)


def test_a_cancelled_batch_is_neither_paused_nor_resumed() -> None:
    batch = a_batch()
    batches.cancel(batch.pk, by="olga")
    for change in (batches.pause, batches.resume):
        with pytest.raises(batches.IsCancelled):
            change(batch.pk, by="olga")


def test_doing_it_twice_leaves_one_line() -> None:
    batch = a_batch()
    for change in (
        batches.pause,
        batches.pause,
        batches.resume,
        batches.resume,
        batches.cancel,
        batches.cancel,
    ):
        change(batch.pk, by="olga")
    kinds = BatchEvent.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["batch_paused", "batch_resumed", "batch_cancelled"]


def test_the_trace_of_each_message_shows_what_became_of_its_batch() -> None:
    batch = a_batch(2)
    batches.pause(batch.pk, by="olga", reason="a wrong price")
    batches.resume(batch.pk, by="olga")
    batches.cancel(batch.pk, by="oscar")
    do_the_work(batch)
    for message in Message.objects.filter(batch=batch):
        lines = {entry.title: entry.detail for entry in timeline(message) if entry.kind.startswith("batch_")}
        assert lines == {
            "Batch paused": "by olga, reason a wrong price",
            "Batch resumed": "by olga",
            "Batch cancelled": "by oscar",
        }
    assert not message.events.exists()


def claimed(batch: Batch) -> list[Claimed]:
    rows = claiming.claim()
    assert {row.batch_id for row in rows} == {str(batch.pk)}
    return rows


def test_what_is_under_way_when_its_batch_is_cancelled_gets_no_other_try() -> None:
    batch = a_batch(1)
    [row] = claimed(batch)
    done = batches.cancel(batch.pk, by="olga")
    assert (done.cancelled, done.too_late) == (0, {"sending": 1})
    do_the_work(batch)
    assert (batch.has_work, batch.is_stopped) == (True, True)  # it may come back yet
    outcomes.record([claiming.ended(row)])
    assert states(batch) == {"cancelled": 1}
    assert factories.figures()["email", "cancelled"] == 1
    do_the_work(batch)
    assert (batch.has_work, batch.is_stopped) == (False, False)


def test_a_lost_worker_of_a_cancelled_batch_leaves_a_doubt_and_no_repetition() -> None:
    batch = a_batch(1)
    claimed(batch)
    batches.cancel(batch.pk, by="olga")
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep.run().held == 1
    assert states(batch) == {"in_doubt": 1}


def test_no_further_channel_starts_for_a_cancelled_batch() -> None:
    factories.template("two", ["email", "sms"], route_mode="first")
    factories.account("sms")
    request = intake.Request(template="two")
    item = Item(to={"email": "li@example.com", "phone": "+8613800138000"}, params={"order_no": "1"})
    done = intake.accept_batch(
        request, {0: item}, caller=factories.caller(), rejected={}, skip_rejected=False
    )
    [row] = claiming.claim()
    assert isinstance(done, intake.Batched)
    batches.cancel(done.id, by="olga")
    refused = claiming.ended(row, state=State.FAILED, outcome="refused", due_at=None, fall_back=True)
    outcomes.record([refused])
    assert Delivery.objects.by_state(done.id) == {"failed": 1}


def test_a_fallback_belongs_to_the_batch_and_waits_while_it_is_paused() -> None:
    factories.template("two", ["email", "sms"], route_mode="first")
    factories.account("sms")
    request = intake.Request(template="two")
    item = Item(
        to={"email": "refused@simulator.example", "phone": "+8613800138000"}, params={"order_no": "1"}
    )
    done = intake.accept_batch(
        request, {0: item}, caller=factories.caller(), rejected={}, skip_rejected=False
    )
    assert isinstance(done, intake.Batched)
    [row] = claiming.claim()
    batches.pause(done.id, by="olga")
    refused = claiming.ended(row, state=State.FAILED, outcome="refused", due_at=None, fall_back=True)
    outcomes.record([refused])
    assert dispatch.run("normal") == 0
    assert Delivery.objects.by_state(done.id) == {"failed": 1, "pending": 1}


def test_a_call_that_waits_for_its_place_does_not_start_after_the_pause() -> None:
    batch = a_batch(1)
    [row] = claimed(batch)
    batches.pause(batch.pk, by="olga")
    control.control.refresh()
    flight = claiming.flight(row)
    [result] = claiming.fly(flight)
    assert (result.called, result.verdict.code, result.verdict.state) == (
        False,
        "paused",
        State.PENDING,
    )
    outcomes.record([result])
    assert (dispatch.run("normal"), held(batch)) == (0, 1)


def test_a_call_waits_until_the_knowledge_of_what_is_stopped_is_fresh() -> None:
    knowledge = control.Control()
    now = time.monotonic()

    async def waits() -> bool:
        waiting = asyncio.ensure_future(knowledge.fresh())
        await asyncio.sleep(0)
        was_waiting = not waiting.done()
        knowledge._asked = now
        await asyncio.wait_for(waiting, 5)
        return was_waiting

    assert asyncio.run(waits())


def test_knowledge_is_asked_for_twice_a_second_and_the_claim_corrects_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = a_batch(1)
    [row] = claimed(batch)
    batches.pause(batch.pk, by="olga")
    knowledge = control.Control()
    asked = []

    def counted(statement: str, *params: str) -> list[prepared.Row]:
        asked.append(statement)
        return ask(statement, *params)

    ask = prepared.rows
    monkeypatch.setattr(prepared, "rows", counted)
    knowledge.refresh()
    knowledge.refresh()
    assert asked == [control.STOPPED, stops.HOLDS]
    assert knowledge.stops(row)
    knowledge.claimed([batch.pk])
    assert not knowledge.stops(row)


def test_the_sweep_finds_a_batch_whose_worker_was_lost() -> None:
    batch = a_batch(1)
    batches.cancel(batch.pk, by="olga")
    OrmQ.objects.all().delete()
    sweep.run()
    assert not OrmQ.objects.exclude(key="normal").exists()  # somebody may be at it
    Batch.objects.update(worked_at=timezone.now() - timedelta(minutes=2))
    sweep.run()
    [task] = OrmQ.objects.filter(key=queue.HOUSEKEEPING)
    assert (task.task["func"], task.task["args"]) == (batches.WORK, (str(batch.pk),))


def test_what_is_held_expires_in_its_time() -> None:
    batch = a_batch(1)
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    Delivery.objects.update(expires_at=timezone.now())
    assert sweep.run().expired == 1
    assert states(batch) == {"expired": 1}


def test_what_an_operator_sends_again_of_a_cancelled_batch_is_sent() -> None:
    batch = a_batch(1, to="refused@simulator.example")
    dispatch.run("normal")
    batches.cancel(batch.pk, by="olga")
    do_the_work(batch)
    Delivery.objects.update(address="li@example.com")
    assert operate.send_again(Delivery.objects.values_list("pk", flat=True), by="olga") == 1
    assert dispatch.run("normal") == 1
    assert states(batch) == {"delivered": 1}
