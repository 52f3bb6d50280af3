"""Templates, systems, lanes and all that is not critical can be stopped, and go on in order."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from pushcenter.lanes import Lane
from pushcenter.messaging import batches, control, dispatch, intake, outcomes, queue, stops, sweep, work
from pushcenter.messaging.models import Attempt, Delivery, Message, Stop, StopKind
from pushcenter.messaging.trace import timeline
from templates_app.models import Template
from tests import claiming, factories
from tests.flow.test_stopped_batches import a_batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]


@pytest.fixture(autouse=True)
def template(db: None, monkeypatch: pytest.MonkeyPatch) -> Template:
    factories.account("email")
    factories.recipient()
    monkeypatch.setattr(control.control, "_asked", float("-inf"))
    monkeypatch.setattr(stops, "TURN", 60.0)  # also where the machine is busy
    return factories.template(channels=["email"])


@pytest.fixture
def other() -> Template:
    return factories.template("other", channels=["email"])


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for each in Delivery.objects.all():
        name = "held" if each.held else each.state
        found[name] = found.get(name, 0) + 1
    return found


def stop(of: Template, **fields: Any) -> Stop:
    return stops.stop(StopKind.TEMPLATE, str(of.pk), by="olga", **fields)


def resume(of: Template) -> Stop:
    ended = stops.resume(StopKind.TEMPLATE, str(of.pk), by="oscar")
    assert ended is not None
    return ended


def let_go(ended: Stop) -> Stop:
    stops.let_go(str(ended.pk))
    ended.refresh_from_db()
    return ended


def test_a_stopped_template_is_put_aside_and_the_others_go_on(template: Template, other: Template) -> None:
    waits, goes = factories.message(), factories.message("other")
    stop(template, reason="a wrong price")
    assert dispatch.run("normal") == 1
    assert goes.deliveries.get().state == "delivered"
    row = waits.deliveries.get()
    assert (row.state, row.held, row.claims, row.lease_until) == ("pending", True, 0, None)
    assert not Attempt.objects.filter(delivery=row).exists()


def test_what_was_held_goes_out_in_order_after_the_stop(template: Template) -> None:
    sent = [factories.message() for _ in range(3)]
    stop(template)
    dispatch.run("normal")
    OrmQ.objects.all().delete()
    ended = resume(template)
    assert [task.task["func"] for task in OrmQ.objects.all()] == [stops.WORK]
    assert not let_go(ended).has_work
    assert OrmQ.objects.filter(key="normal").exists()
    assert dispatch.run("normal") == 3
    rows = Delivery.objects.order_by("sent_at", "id").values_list("message", flat=True)
    assert list(rows) == [each.pk for each in sent]


def test_a_stopped_system_waits(template: Template) -> None:
    own, others = factories.system(), factories.system("erp")
    factories.message()
    factories.message(caller=intake.Caller(system_id=others.pk))
    stops.stop(StopKind.SYSTEM, str(own.pk), by="olga")
    assert dispatch.run("normal") == 1
    assert states() == {"held": 1, "delivered": 1}
    ended = stops.resume(StopKind.SYSTEM, str(own.pk), by="olga")
    assert ended is not None
    let_go(ended)
    assert dispatch.run("normal") == 1


def test_it_is_let_go_only_when_nothing_else_holds_it(template: Template) -> None:
    system = factories.system()
    batch = a_batch(2)
    stop(template)
    stops.stop(StopKind.SYSTEM, str(system.pk), by="olga")
    batches.pause(batch.pk, by="olga")
    dispatch.run("normal")
    assert states() == {"held": 2}
    let_go(resume(template))
    assert states() == {"held": 2}
    batches.resume(batch.pk, by="olga")
    work.run(str(batch.pk))
    batch.refresh_from_db()
    assert (states(), batch.has_work) == ({"held": 2}, False)
    ended = stops.resume(StopKind.SYSTEM, str(system.pk), by="olga")
    assert ended is not None
    let_go(ended)
    assert dispatch.run("normal") == 2


def test_a_paused_batch_stays_when_the_stop_of_its_template_ends(template: Template) -> None:
    batch = a_batch(2)
    factories.message()
    batches.pause(batch.pk, by="olga")
    stop(template)
    dispatch.run("normal")
    let_go(resume(template))
    assert states() == {"held": 2, "pending": 1}
    batches.resume(batch.pk, by="olga")
    work.run(str(batch.pk))
    assert dispatch.run("normal") == 3


def test_many_are_let_go_in_pieces_and_a_lost_worker_is_missed(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stops, "GROUP", 2)
    for _ in range(5):
        factories.message()
    stop(template)
    dispatch.run("normal")
    ended = resume(template)
    assert stops._let_go_some(ended.pk)
    assert states() == {"held": 3, "pending": 2}
    OrmQ.objects.all().delete()
    Stop.objects.update(worked_at=timezone.now() - timedelta(minutes=2))
    sweep.run()
    [task] = OrmQ.objects.filter(key=queue.HOUSEKEEPING)
    assert task.task["args"] == (str(ended.pk),)
    assert not let_go(ended).has_work
    assert states() == {"pending": 5}


def test_a_claim_that_meets_an_ended_stop_is_undone_without_a_mark(template: Template) -> None:
    factories.message()
    stop(template)
    known = stops.current()
    [row] = claiming.claim()
    resume(template)
    assert known.holds_claimed(row)
    stops.put_back([row])
    delivery = claiming.row(row)
    assert (delivery.state, delivery.held, delivery.claims) == ("pending", False, 0)


def test_only_the_claim_that_was_made_is_undone(template: Template) -> None:
    factories.message()
    stop(template)
    [row] = claiming.claim()
    Delivery.objects.update(claims=2)
    assert Delivery.objects.put_back([row]) == 0
    assert claiming.row(row).state == "sending"


@pytest.mark.parametrize("lane", [Lane.NORMAL, Lane.CRITICAL])
def test_a_stopped_lane_is_not_claimed_from(template: Template, lane: Lane) -> None:
    factories.message(priority=lane)
    stops.stop(StopKind.LANE, lane, by="olga")
    OrmQ.objects.all().delete()
    assert dispatch.run(lane) == 0
    assert not OrmQ.objects.exists()
    assert states() == {"pending": 1}
    stops.resume(StopKind.LANE, lane, by="olga")
    [task] = OrmQ.objects.filter(key=lane)
    assert timezone.now() < task.lock < timezone.now() + timedelta(seconds=2)
    assert dispatch.run(lane) == 1


def test_the_switch_stops_all_but_what_is_critical(template: Template) -> None:
    for lane in Lane:
        factories.message(priority=lane)
    stops.stop(StopKind.NON_CRITICAL, by="olga", reason="an attack")
    assert [dispatch.run(lane) for lane in Lane.values] == [1, 0, 0, 0]
    OrmQ.objects.all().delete()
    stops.stop(StopKind.LANE, "low", by="olga")
    stops.resume(StopKind.NON_CRITICAL, by="olga")
    assert {task.key for task in OrmQ.objects.all()} == {"high", "normal", "low"}
    assert [dispatch.run(lane) for lane in Lane.values] == [2, 0, 0, 0]  # one run serves all lanes


def test_doing_it_twice_leaves_one_stop_and_the_first_reason(template: Template) -> None:
    assert stop(template, reason="first") == stop(template, reason="second")
    ended = resume(template)
    assert (ended.by, ended.reason, ended.ended_by) == ("olga", "first", "oscar")
    assert stops.resume(StopKind.TEMPLATE, str(template.pk), by="oscar") is None
    assert stop(template) != ended
    assert Stop.objects.count() == 2


def test_a_call_that_waits_for_its_place_does_not_start(template: Template) -> None:
    factories.message()
    [row] = claiming.claim()
    flight = claiming.flight(row)
    stop(template)
    stops.current()
    [result] = claiming.fly(flight)
    assert (result.called, result.verdict.code) == (False, "paused")
    outcomes.record([result])
    assert (dispatch.run("normal"), states()) == (0, {"held": 1})


def test_a_large_backlog_of_a_stopped_template_stands_in_nobodys_way(
    template: Template, other: Template, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(dispatch, "PUT_ASIDE", 10)
    settings.LANE_WINDOWS = {**settings.LANE_WINDOWS, "normal": 100}
    batch = a_batch(2_000)
    goes = factories.message("other")
    stop(template)
    worker = dispatch.Dispatcher()
    for _ in range(3):
        assert worker.step()
    assert goes.deliveries.get().state == "delivered"
    assert Delivery.objects.filter(batch=batch, held=True).count() < 500


def test_what_is_held_expires_in_its_time(template: Template) -> None:
    factories.message()
    stop(template)
    dispatch.run("normal")
    Delivery.objects.update(expires_at=timezone.now())
    assert sweep.run().expired == 1


def test_what_is_stopped_is_asked_for_twice_a_second(
    template: Template, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    stop(template)
    assert stops.current() == stops.Stops(ids=frozenset({template.pk}))
    monkeypatch.setattr(stops, "ASK_EVERY", 0.5)
    with django_assert_num_queries(0):
        assert stops.current().holds(UUID(int=1), template.pk)
        assert not stops.current().holds(UUID(int=1), UUID(int=2))
    assert stops.seen().holds(UUID(int=1), template.pk)


def test_a_message_knows_the_stops_that_it_met(template: Template) -> None:
    stop(template, reason="before it came")
    resume(template)
    message = factories.message()
    stops.stop(StopKind.LANE, "low", by="olga")
    mine = stops.stop(StopKind.NON_CRITICAL, by="olga", reason="an attack")
    assert stops.met(Message.objects.get(pk=message.pk), timezone.now()) == [mine]


def test_the_trace_says_who_stopped_it_and_why(template: Template) -> None:
    message = factories.message()
    stop(template, reason="a wrong price")
    resume(template)
    factories.message()
    lines = {each.kind: (each.title, each.detail) for each in timeline(message)}
    assert lines["paused"] == ("Its template is stopped", "by olga, reason a wrong price")
    assert lines["resumed"] == ("Its template goes on", "by oscar")


def test_the_trace_of_what_was_over_before_does_not_speak_of_it(template: Template) -> None:
    message = factories.message()
    assert dispatch.run("normal") == 1
    stop(template)
    assert not [each for each in timeline(message) if each.kind == "paused"]


def call(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_commands_stop_and_resume(template: Template) -> None:
    factories.system()
    assert call("stop") == "Nothing is stopped.\n"
    call("stop", "--all-non-critical", "--reason", "an attack")
    call("stop", "lane", "low", "--reason", "too much")
    call("stop", "system", "shop", "--reason", "it runs wild")
    told = call("stop", "template", "order-paid", "--reason", "a wrong price")
    assert [line.partition(",")[0] for line in told.splitlines()] == [
        "all non-critical",
        "lane low",
        "system shop",
        "template order-paid",
    ]
    assert "a wrong price" in told
    for each in (["--all-non-critical"], ["lane", "low"], ["system", "shop"], ["template", "order-paid"]):
        call("resume", *each)
    assert call("stop") == "Nothing is stopped.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stop", "lane", "low"], "--reason"),
        (["stop", "lane", "fast", "--reason", "x"], "no lane"),
        (["stop", "template", "gone", "--reason", "x"], "No template"),
        (["stop", "lane", "low", "--all-non-critical", "--reason", "x"], "or --all"),
        (["resume"], "Name a template"),
        (["resume", "lane", "low"], "not stopped"),
    ],
)
def test_a_command_that_names_nothing_says_so(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call(*arguments)
