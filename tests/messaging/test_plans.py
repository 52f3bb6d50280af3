"""No statement on the way of a message reads a large table from end to end: a million rows make nothing slower.

Each part of the flow is run as it is, on tables that the planner takes for a million rows each.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, TestCase, override_settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from channels_app.contract import Outcome
from channels_app.contract import Receipt as Reported
from channels_app.models import Account
from pushcenter.access.views import messages as views
from pushcenter.lanes import Lane
from pushcenter.messaging import (
    batches,
    braking,
    comparison,
    dead_letters,
    dispatch,
    doubt,
    erasure,
    intake,
    leaving,
    operate,
    recall,
    receipts,
    recent,
    steps,
    stops,
    sweep,
    work,
)
from pushcenter.messaging.claims import Queue
from pushcenter.messaging.models import (
    Attempt,
    Batch,
    Brake,
    Delivery,
    Event,
    Interaction,
    Message,
    Receipt,
    StopKind,
)
from pushcenter.messaging.request import Item
from pushcenter.messaging.states import State
from pushcenter.recipients.models import Recipient
from templates_app import canary, publishing, usage
from templates_app.models import Template, TemplateVersion
from tests import factories
from tests.access.gateway import MESSAGES, Gateway
from tests.bench import stock
from tests.plans import believe, watched

LARGE = (Message, Delivery, Attempt, Event, Receipt, Interaction)
#: Its work is to read all of a day, and it limits itself to a share of the time.
COUNTS_DAYS = "pushcenter.messaging.audit.run"
HISTORY, WAITING = 10_000, 3_000
OF_DELIVERIES = """
INSERT INTO messaging_event (id, message_id, delivery_id, kind, data, at)
SELECT uuidv7(), message_id, id, 'sent_again', '{}', accepted_at FROM messaging_delivery;
INSERT INTO messaging_receipt (id, account_id, delivery_id, provider_id, event_id, address, outcome, code, reason,
                               at, received_at)
SELECT uuidv7(), account_id, id, provider_id, 'e-' || id, '', 'delivered', '', '', accepted_at, accepted_at
  FROM messaging_delivery;
INSERT INTO messaging_interaction (id, delivery_id, kind, source, event_id, data, at)
SELECT uuidv7(), id, 'opened', 'receipt', '', '{}', accepted_at FROM messaging_delivery;
"""


def fill() -> None:
    factories.template(channels=["email"])
    factories.template("order-chain", ["email", "sms"])
    factories.accounts("email", "sms")
    stock.people(300)
    stock.history(HISTORY, "order-paid", caller=factories.caller())
    stock.queue(
        WAITING,
        "order-paid",
        caller=factories.caller(),
        priority=Lane.LOW,
        send_at=factories.in_an_hour(),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(OF_DELIVERIES)
        cursor.execute("SET LOCAL session_replication_role = origin")


def a_batch(number: int = 50) -> Batch:
    request = intake.Request(template="order-paid", priority=Lane.HIGH)
    items = {
        index: Item(to={"recipient": f"u-{index}"}, params={"order_no": "SO-1"}) for index in range(number)
    }
    done = intake.accept_batch(request, items, caller=factories.caller(), rejected={}, skip_rejected=False)
    assert isinstance(done, intake.Batched)
    return Batch.objects.get(pk=done.id)


def one_of(state: State) -> Delivery:
    return Delivery.objects.filter(state=state, accepted_at__lt=timezone.now()).earliest("id")


def some_are(state: State, **changed: Any) -> None:
    """Put some of those that wait into another state."""
    waiting = Delivery.objects.filter(lane=Lane.LOW, state=State.PENDING, expires_at__gt=timezone.now())
    some = waiting[:50]
    Delivery.objects.filter(pk__in=[each.pk for each in some]).update(state=state, **changed)


class OnLargeTables(TestCase):
    """Filled once for all tests of this page; a rollback takes the rows away."""

    @classmethod
    def setUpTestData(cls) -> None:
        fill()
        with connection.cursor() as cursor:
            cursor.execute(
                "ANALYZE"
            )  # the small tables, too: what other tests left of their figures misleads
        for model in LARGE:
            believe(model._meta.db_table)

    def test_a_plan_that_reads_all_of_a_table_is_found(self) -> None:
        with pytest.raises(AssertionError, match=r"^messaging_delivery: SELECT"), watched(LARGE):
            Delivery.objects.filter(reason="nobody looks for it").exists()
        with (
            pytest.raises(AssertionError, match="not explained"),
            watched(LARGE),
            connection.cursor() as cursor,
        ):
            cursor.execute("DO 'BEGIN PERFORM FROM messaging_delivery WHERE reason = $$x$$; END'")

    def test_chains(self) -> None:
        waits = {"email": {"until": "delivered", "within": 60}}
        factories.template("chain", ["email", "sms"], route_mode="first", steps=waits)
        to = {"email": "sent@simulator.example", "phone": "+8613800138000"}
        message = factories.message("chain", to=to)
        dispatch.run(Lane.NORMAL)
        message.deliveries.update(step_until=timezone.now())
        with watched(LARGE) as plans:
            assert steps.run() == 1
        assert message.deliveries.count() == 2
        assert len(plans.seen) > 5

    def test_asking_about_what_is_in_doubt_and_taking_back_what_went_out(self) -> None:
        some_are(State.IN_DOUBT, look_up_at=timezone.now(), ended_at=timezone.now())
        message = one_of(State.DELIVERED).message
        with watched(LARGE):
            assert doubt.run() == 50
            operate.cancel_message(message, by="ann")
            recall.of_message(str(message.pk), len(recall.WAITS))
            assert recall.possible(Delivery.objects.filter(batch=a_batch())).count() == 0

    def test_accepting(self) -> None:
        with watched(LARGE) as plans:
            factories.message(to={"recipient": "u-1"}, reference="SO-1")
            a_batch()
        assert len(plans.seen) > 5

    def test_claiming_sending_and_recording(self) -> None:
        a_batch(300)
        factories.message("order-chain", to={"email": "refused@simulator.example", "phone": "+12125550100"})
        factories.message(to={"email": "temporary@simulator.example"})
        with watched(LARGE) as plans, self.settings(LANES=[Lane.HIGH, Lane.NORMAL]):
            assert dispatch.run(Lane.HIGH) >= 303
        assert len(plans.seen) > 10

    def test_a_stopped_batch_in_the_way(self) -> None:
        batch = a_batch()
        with watched(LARGE), self.settings(LANES=[Lane.HIGH]):
            batches.pause(batch.pk, by="olga")
            assert dispatch.run(Lane.HIGH) == 0
            batches.resume(batch.pk, by="olga")
            work.run(str(batch.pk))
            batches.cancel(batch.pk, by="olga")
            work.run(str(batch.pk))
        assert Delivery.objects.by_state(batch.pk) == {"cancelled": 50}

    def test_a_stopped_template_in_the_way(self) -> None:
        batch = a_batch()
        template = str(batch.template_id)
        with watched(LARGE), self.settings(LANES=[Lane.HIGH]):
            stops.stop(StopKind.TEMPLATE, template, by="olga")
            assert dispatch.run(Lane.HIGH) == 0
            Delivery.objects.put_aside_stopped(Queue(Lane.LOW, "email", is_test=False), limit=100)
            ended = stops.resume(StopKind.TEMPLATE, template, by="olga")
            assert ended is not None
            stops.let_go(str(ended.pk))
        assert not Delivery.objects.filter(held=True).exists()

    def test_the_brake(self) -> None:
        braked = override_settings(BRAKE_ABOVE=20, BRAKE_SLICE=10, BRAKE_WAIT=0, LANES=[Lane.HIGH])
        with braked, watched(LARGE):
            batch = a_batch()
            work.run(str(batch.pk))
            assert dispatch.run(Lane.HIGH) == 10
            Batch.objects.filter(pk=batch.pk).update(worked_at=timezone.now())
            work.run(str(batch.pk))
            assert dispatch.run(Lane.HIGH) == 40
            braking.watch(timezone.now())
        assert Brake.objects.get(batch=batch).state == "over"

    def test_the_sweep(self) -> None:
        now = timezone.now()
        some_are(State.PENDING, expires_at=now - timedelta(minutes=1))
        some_are(State.SENDING, lease_until=now - timedelta(minutes=1))
        with watched(LARGE):
            swept = sweep.run()
        assert (swept.expired, swept.repeated) == (50, 50)

    def test_all_that_is_done_every_minute(self) -> None:
        some_are(State.IN_DOUBT, ended_at=timezone.now())
        tasks = set(Schedule.objects.values_list("func", flat=True))
        assert COUNTS_DAYS in tasks
        for task in tasks - {COUNTS_DAYS}:
            with self.subTest(task), watched(LARGE):
                import_string(task)()

    def test_receipts(self) -> None:
        account = Account.objects.get(channel="email")
        known = one_of(State.DELIVERED).provider_id
        with watched(LARGE):
            for provider_id in (known, "nobody knows it"):
                reported = Reported(provider_id=provider_id, outcome=Outcome.DELIVERED, event_id=provider_id)
                receipts.store(account, None, [reported])
            receipts.match_early_ones()
        assert Receipt.objects.filter(provider_id="nobody knows it", delivery=None).exists()

    def test_forgetting_a_person(self) -> None:
        person = Recipient.objects.get(external_id="u-1")
        with watched(LARGE):
            erasure.erase([person.pk], by="crm")

    def test_leaving_a_category(self) -> None:
        path = f"/u/{leaving.token_of(str(one_of(State.DELIVERED).pk))}"
        with watched(LARGE):
            for _ in range(2):
                assert Client().get(path).status_code == 200
                assert Client().post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
            assert Client().post(path, {"do": "come_back"}).status_code == 200
        assert Delivery.objects.filter(code="opted_out", state=State.CANCELLED).exists()

    def test_what_an_operator_does(self) -> None:
        some_are(State.FAILED, ended_at=timezone.now())
        failed, waiting = one_of(State.FAILED), one_of(State.PENDING)
        with watched(LARGE):
            assert operate.send_again([failed.pk], by="olga") == 1
            operate.cancel_message(waiting.message, by="olga")

    def test_what_an_operator_and_prometheus_look_at(self) -> None:
        some_are(State.FAILED, ended_at=timezone.now(), code="refused")
        with watched(LARGE):
            assert dead_letters.groups(timezone.now() - timedelta(days=7))
            assert Client().get("/metrics").status_code == 200

    def test_what_editors_of_templates_look_at(self) -> None:
        published = Template.objects.get(code="order-paid").versions.get()
        draft = publishing.new_draft(template=published.template, by=None, source=published)
        tried = canary.start(version=draft, by=None, percent=50)
        TemplateVersion.objects.filter(pk=tried.pk).update(canary_since=timezone.now() - timedelta(days=2))
        tried.refresh_from_db()
        with watched(LARGE) as plans:
            found = comparison.compare(tried, patience=60)
            assert found.published.messages > HISTORY
            assert len(recent.recent(published.template, 1_000, is_open=True)) == 1_000
            assert usage.senders(published.template)
        assert len(plans.seen) > 5

    def test_what_a_caller_asks_for(self) -> None:
        shop = Gateway(factories.key()[1])
        batch = a_batch()
        message = one_of(State.DELIVERED).message
        asked: list[tuple[str, dict[str, Any]]] = [
            (f"{MESSAGES}/{message.pk}", {}),
            (f"{MESSAGES}/{message.pk}/trace", {}),
            (f"/api/v1/batches/{batch.pk}", {}),
            ("/api/v1/recipients/u-1/inbox", {}),
            (MESSAGES, {}),
            (MESSAGES, {"reference": message.reference}),
            (MESSAGES, {"recipient": "u-1"}),
            (MESSAGES, {"template": "order-paid"}),
            (MESSAGES, {"batch": batch.pk}),
            (MESSAGES, {"since": "2026-01-01T00:00:00Z", "limit": 10}),
            *((MESSAGES, {"status": state.value}) for state in State),
            (MESSAGES, {"channel": "sms"}),
        ]
        # So small a share of these messages as a window is of a million.
        with pytest.MonkeyPatch.context() as patch, watched(LARGE):
            patch.setattr(views, "LOOKED_AT", 100)
            answers = {(path, *query): shop.get(path, **query).status_code for path, query in asked}
        assert set(answers.values()) == {200}, answers
