"""A large batch or broadcast sends a first slice, and the rest waits for what becomes of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from pushcenter.messaging import (
    alerts,
    batches,
    brake,
    braking,
    broadcast,
    control,
    dispatch,
    explain,
    intake,
    stops,
    sweep,
    work,
)
from pushcenter.messaging.brake import Figures
from pushcenter.messaging.models import Alert, Batch, Brake, Delivery, Message, Receipt, StopKind
from pushcenter.messaging.trace import timeline
from templates_app.models import Template
from tests import factories
from tests.flow.test_stopped_batches import a_batch

pytestmark = pytest.mark.django_db
BAD = "refused@simulator.example"


@pytest.fixture(autouse=True)
def template(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Template:
    settings.BRAKE_ABOVE, settings.BRAKE_SLICE, settings.BRAKE_WAIT = 5, 3, 60
    monkeypatch.setattr(control.control, "_asked", float("-inf"))
    monkeypatch.setattr(work, "TURN", 60.0)  # also where the machine is busy
    factories.account("email")
    return factories.template(channels=["email"])


def states(batch: Batch) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in Delivery.objects.filter(batch=batch):
        name = "held" if each.held else each.state
        found[name] = found.get(name, 0) + 1
    return found


def time_is_up(batch: Batch) -> None:
    Brake.objects.filter(batch=batch).update(wait_until=timezone.now())


def do_the_work(batch: Batch) -> Brake:
    work.run(str(batch.pk))
    batch.refresh_from_db()
    return Brake.objects.get(batch=batch)


def status(batch: Batch) -> str:
    return batches.progress(batch).status.value


def test_a_large_batch_sends_a_slice_and_then_the_rest() -> None:
    batch = a_batch(8)
    assert states(batch) == {"pending": 3, "held": 5}
    assert dispatch.run("normal") == 3
    assert do_the_work(batch).state == "slice"
    assert (batch.has_work, batch.worked_at > timezone.now(), status(batch)) == (True, True, "waiting")
    time_is_up(batch)
    found = do_the_work(batch)
    assert (found.state, found.ended, found.failed) == ("open", 3, 0)
    assert (batch.has_work, batch.pause_reason, states(batch)) == (False, "", {"delivered": 3, "pending": 5})
    assert dispatch.run("normal") == 5
    sweep.run()
    assert Brake.objects.get().state == "over"
    assert not Alert.objects.exists()


@pytest.mark.parametrize(("number", "above"), [(5, 5), (3, 2), (8, 0)])
def test_what_is_not_large_goes_out_at_once(number: int, above: int, settings: Any) -> None:
    settings.BRAKE_ABOVE = above
    batch = a_batch(number)
    assert states(batch) == {"pending": number}
    assert not Brake.objects.exists()


def test_a_bad_slice_stops_the_rest_before_its_time_and_alerts() -> None:
    batch = a_batch(8, to=BAD, reference="night")
    dispatch.run("normal")
    found = do_the_work(batch)
    assert (found.state, found.failed) == ("pulled", 3)
    assert states(batch) == {"failed": 3, "held": 5}
    assert (status(batch), batch.is_stopped) == ("paused", True)
    assert batch.pause_reason == (
        "3 of 3 deliveries failed, bounced or met with a complaint (100 %, at most 20 %)"
    )
    alerts.fold()
    alert = Alert.objects.get()
    assert (alert.severity, alert.is_open) == ("critical", True)
    assert alert.text.startswith("The batch night stopped itself: 3 of 3")
    message = Message.objects.filter(batch=batch)[0]
    lines = {each.kind: each.detail for each in timeline(message)}
    assert lines["batch_paused"].startswith("by brake, reason 3 of 3")


def test_who_resumes_it_sends_the_rest_and_the_watch_begins_anew() -> None:
    batch = a_batch(30, to=BAD)
    dispatch.run("normal")
    do_the_work(batch)
    batches.resume(batch.pk, by="olga")
    assert do_the_work(batch).state == "open"
    alerts.fold()
    assert not Alert.objects.get().is_open
    assert dispatch.run("normal") == 27
    sweep.run()
    found = Brake.objects.get()
    assert (found.state, found.failed) == ("pulled", 30)
    assert "27 of 27" in found.reason


def test_who_cancels_it_ends_the_rest() -> None:
    batch = a_batch(8, to=BAD)
    dispatch.run("normal")
    do_the_work(batch)
    batches.cancel(batch.pk, by="olga")
    assert do_the_work(batch).state == "pulled"
    assert states(batch) == {"failed": 3, "cancelled": 5}
    sweep.run()
    assert Brake.objects.get().state == "over"


def test_an_operator_need_not_wait() -> None:
    batch = a_batch(8)
    assert braking.release(batch.pk, by="olga")
    assert not braking.release(batch.pk, by="olga")
    assert do_the_work(batch).state == "open"
    assert states(batch) == {"pending": 8}
    message = Message.objects.filter(batch=batch)[0]
    assert "by olga" in {each.kind: each.detail for each in timeline(message)}["brake_opened"]


def test_complaints_weigh_more(settings: Any) -> None:
    settings.BRAKE_FAILURES = 1.0
    batch = a_batch(8)
    dispatch.run("normal")
    row = Delivery.objects.filter(batch=batch, state="delivered")[0]
    for event in ("e-1", "e-2"):  # the same one twice
        Receipt.objects.create(
            delivery=row, outcome="complained", event_id=event, provider_id="p", at=timezone.now()
        )
    assert brake.figures(batch) == Figures(out=3, ended=3, failed=0, complaints=1)
    found = do_the_work(batch)
    assert found.reason == "1 of 3 deliveries met with a complaint (33.3 %, at most 1 %)"


def test_a_slice_that_has_not_gone_out_is_waited_for() -> None:
    batch = a_batch(8)
    time_is_up(batch)
    assert do_the_work(batch).state == "slice"
    assert (batch.has_work, states(batch)) == (True, {"pending": 3, "held": 5})


def test_pausing_and_resuming_in_between_lets_the_slice_go_and_no_more() -> None:
    batch = a_batch(8)
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    assert states(batch) == {"held": 8}
    batches.resume(batch.pk, by="olga")
    assert do_the_work(batch).state == "slice"
    assert states(batch) == {"pending": 3, "held": 5}
    assert status(batch) == "waiting"


def test_the_end_of_a_stop_does_not_let_the_rest_go(template: Template) -> None:
    batch = a_batch(8)
    stops.stop(StopKind.TEMPLATE, str(template.pk), by="olga")
    dispatch.run("normal")
    assert states(batch) == {"held": 8}
    do_the_work(batch)
    assert states(batch) == {"held": 8}
    ended = stops.resume(StopKind.TEMPLATE, str(template.pk), by="olga")
    assert ended is not None
    stops.let_go(str(ended.pk))
    Batch.objects.update(worked_at=timezone.now())
    do_the_work(batch)
    assert states(batch) == {"pending": 3, "held": 5}


def test_a_lost_worker_is_missed() -> None:
    batch = a_batch(8)
    OrmQ.objects.all().delete()
    Batch.objects.update(worked_at=timezone.now() - timedelta(minutes=2))
    sweep.run()
    assert [task.task["args"] for task in OrmQ.objects.filter(key="pushcenter")] == [(str(batch.pk),)]


def test_an_explanation_says_what_the_rest_waits_for() -> None:
    batch = a_batch(8)
    found = [explain.message(each).paused for each in Message.objects.filter(batch=batch).order_by("id")]
    assert [[each.what for each in paused] for paused in found] == [[]] * 3 + [["brake"]] * 5


def test_a_scheduled_batch_is_judged_after_its_time() -> None:
    send_at = factories.in_an_hour()
    batch = a_batch(8, send_at=send_at)
    assert Brake.objects.get().wait_until == send_at + timedelta(seconds=60)
    assert batch.worked_at > send_at


def begun(number: int, *, bad: bool = False) -> Batch:
    for index in range(number):
        factories.recipient(f"u-{index}", {"email": BAD if bad else f"u-{index}@example.com"})
    request = intake.Request(template="order-paid", params={"order_no": "1"})
    done = broadcast.accept(request, {"all": True}, caller=factories.caller())
    assert isinstance(done, broadcast.Begun)
    return Batch.objects.get(pk=done.id)


def test_a_large_broadcast_makes_a_slice_and_waits_with_the_others() -> None:
    batch = begun(8)
    assert do_the_work(batch).state == "slice"
    assert (batch.expanded, states(batch), status(batch)) == (3, {"pending": 3}, "waiting")
    dispatch.run("normal")
    time_is_up(batch)
    found = do_the_work(batch)
    assert (found.state, batch.expanded, states(batch)) == ("open", 8, {"delivered": 3, "pending": 5})
    assert batch.expanded_at is not None
    assert status(batch) == "running"


def test_a_bad_broadcast_is_looked_at_no_further() -> None:
    batch = begun(8, bad=True)
    do_the_work(batch)
    dispatch.run("normal")
    assert do_the_work(batch).state == "pulled"
    assert (batch.expanded, status(batch), batch.has_work) == (3, "paused", False)


def test_people_who_get_nothing_do_not_keep_it_waiting() -> None:
    batch = begun(8)
    Delivery.objects.all().delete()
    do_the_work(batch)
    Delivery.objects.filter(batch=batch).update(state="skipped")
    time_is_up(batch)
    assert do_the_work(batch).state == "open"


@pytest.mark.parametrize(
    ("failed", "complaints", "of", "said"),
    [
        (20, 0, 100, ""),
        (21, 0, 100, "21 of 100"),
        (0, 1, 100, ""),
        (0, 2, 100, "2 of 100"),
        (20, 1, 100, "21 of 100"),
        (0, 0, 0, ""),
    ],
)
def test_what_is_too_much(failed: int, complaints: int, of: int, said: str) -> None:
    seen = Figures(out=of, ended=of, failed=failed, complaints=complaints)
    found = brake.fault(seen, of=of)
    assert found.startswith(said) if said else found == ""


def test_the_rest_is_judged_from_a_sample_on(monkeypatch: Any) -> None:
    monkeypatch.setattr(braking, "SAMPLE", 4)
    batch = a_batch(20)
    dispatch.run("normal")
    time_is_up(batch)
    do_the_work(batch)
    rest = list(Delivery.objects.filter(batch=batch, state="pending").values_list("pk", flat=True))
    worsen(rest[:3])
    sweep.run()
    assert Brake.objects.get().state == "open"
    worsen(rest[3:4])
    sweep.run()
    found = Brake.objects.get()
    assert (found.state, found.reason.split(" deliveries")[0]) == ("pulled", "4 of 4")


def worsen(ids: list[UUID]) -> None:
    Delivery.objects.filter(pk__in=ids).update(state="failed", ended_at=timezone.now())
