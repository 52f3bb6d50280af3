"""Taking back what has gone out, and what a cancelled broadcast comes to."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from channels_app import registry
from channels_app.channels import SMS
from channels_app.contract import Adapter, Capabilities, ChannelError, Outgoing, Refused, Sent, Temporary
from channels_app.models import Account
from pushcenter.messaging import batches, broadcast, dispatch, intake, operate, recall, work
from pushcenter.messaging.models import Attempt, Batch, Delivery, Message
from pushcenter.messaging.request import Item, Request
from pushcenter.messaging.states import State
from pushcenter.messaging.trace import timeline
from pushcenter.recipients.models import Address, Recipient
from tests import claiming, factories
from tests.threads import until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]
TO = {"phone": "+8613800138000"}


class BoardAdapter(Adapter):
    """A notice board: what hangs there can be taken down."""

    name = "board"
    label = "Board"
    channel = SMS
    capabilities = Capabilities(recall=True, timeout=1)
    says: ChannelError | None = None
    taken_down: list[str] = []

    async def send(self, message: Outgoing) -> Sent:
        return Sent(provider_id=f"n-{message.id}", final=True)

    async def recall(self, provider_id: str) -> None:
        if self.says:
            raise self.says
        self.taken_down.append(provider_id)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Account:
    known = {**registry.adapters(), BoardAdapter.name: BoardAdapter}
    monkeypatch.setattr(registry, "adapters", lambda: known)
    monkeypatch.setattr(BoardAdapter, "taken_down", [])
    factories.template(channels=["sms"])
    return factories.account("sms", "board")


def sent() -> Message:
    message = factories.message(to=TO)
    dispatch.run("normal")
    return message


def tasks(function: str) -> list[tuple[Any, ...]]:
    """The arguments of the tasks that wait for this function."""
    found = [row.task for row in OrmQ.objects.order_by("id")]
    return [task["args"] for task in found if task["func"] == function]


def outcome() -> tuple[str, str, str]:
    row = Delivery.objects.get()
    return row.state, row.code, row.reason


@pytest.mark.usefixtures("board")
def test_a_sent_message_is_taken_back_and_says_so() -> None:
    message = sent()
    done = operate.cancel_message(message, by="ann")
    assert [row.channel for row in done.recalling] == ["sms"]
    assert tasks(recall.OF_MESSAGE) == [(str(message.pk), 0)]
    recall.of_message(str(message.pk), 0)
    assert BoardAdapter.taken_down == [f"n-{Delivery.objects.get().pk}"]
    assert outcome() == (State.DELIVERED, "recalled", "taken back after it went out")
    told = [each.title for each in timeline(message)]
    assert "Taken back by the provider" in told
    assert operate.cancel_message(message, by="ann").recalling == []


@pytest.mark.usefixtures("board")
def test_what_is_too_late_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    message = sent()
    monkeypatch.setattr(BoardAdapter, "says", Refused("older than a day", code="too_old"))
    operate.cancel_message(message, by="ann")
    recall.of_message(str(message.pk), 0)
    assert outcome() == (State.DELIVERED, "not_recalled", "too_old: older than a day")
    assert message.events.get(kind="not_recalled").data == {"reason": "too_old: older than a day"}


@pytest.mark.usefixtures("board")
def test_a_provider_out_of_order_is_asked_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    message = sent()
    monkeypatch.setattr(BoardAdapter, "says", Temporary("down"))
    recall.of_message(str(message.pk), 0)
    assert outcome()[1] == ""
    assert tasks(recall.OF_MESSAGE) == [(str(message.pk), 1)]
    recall.of_message(str(message.pk), len(recall.WAITS))
    assert outcome()[1:] == ("not_recalled", "down")
    assert len(tasks(recall.OF_MESSAGE)) == 1


@pytest.mark.usefixtures("board")
def test_what_is_being_sent_at_that_moment_is_taken_back_when_it_is_out() -> None:
    message = factories.message(to=TO)
    claiming.claim()
    done = operate.cancel_message(message, by="ann")
    assert [row.channel for row in done.recalling] == ["sms"]
    recall.of_message(str(message.pk), 0)
    assert tasks(recall.OF_MESSAGE) == [(str(message.pk), 0), (str(message.pk), 1)]


def test_nobody_is_asked_who_cannot_take_anything_back() -> None:
    factories.template(channels=["sms"])
    factories.account("sms")
    message = factories.message(to=TO)
    dispatch.run("normal")
    assert operate.cancel_message(message, by="ann").recalling == []
    assert tasks(recall.OF_MESSAGE) == []


@pytest.mark.usefixtures("board")
def test_a_batch_is_taken_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "GROUP", 2)
    items = {number: Item(to=TO, params={"order_no": str(number)}) for number in range(5)}
    request = Request(template="order-paid", to={}, params={})
    batch = intake.accept_batch(request, items, caller=factories.caller(), rejected={}, skip_rejected=False)
    assert isinstance(batch, intake.Batched)
    dispatch.run("normal")
    done = batches.cancel(batch.id, by="ann")
    assert (done.too_late, done.recalling) == ({"delivered": 5}, 5)
    assert tasks(recall.OF_BATCH) == [(str(batch.id), 0)]
    recall.of_batch(str(batch.id), 0)
    assert len(BoardAdapter.taken_down) == 5
    assert set(Delivery.objects.values_list("code", flat=True)) == {"recalled"}
    told = Batch.objects.get().events.get(kind="batch_recalled").data
    assert told == {"recalled": 5, "reason": "5 taken back, 0 too late"}
    assert len(tasks(recall.OF_BATCH)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_running_broadcast_stops_within_two_seconds_and_says_what_had_gone_out(
    settings: Any,
) -> None:
    settings.LANE_WINDOWS = {**settings.LANE_WINDOWS, "normal": 60}
    factories.template(channels=["email"])
    factories.account("email", config={"latency_ms": 300})
    people = Recipient.objects.bulk_create(
        Recipient(external_id=f"u-{number}", name="Li") for number in range(240)
    )
    Address.objects.bulk_create(
        Address(recipient=each, kind="email", value=f"{each.external_id}@example.com") for each in people
    )
    request = intake.Request(template="order-paid", params={"order_no": "SO-1"})
    begun = broadcast.accept(request, {"all": True}, caller=factories.caller())
    assert isinstance(begun, broadcast.Begun)
    work.run(str(begun.id))

    def serve() -> None:
        dispatch.run("normal")
        connection.close()

    worker = Thread(target=serve)
    worker.start()
    until(lambda: Attempt.objects.exists())
    done = batches.cancel(begun.id, by="ann")
    stopped = timezone.now()
    worker.join(30)
    work.run(str(begun.id))
    started = set(Attempt.objects.values_list("started_at", flat=True))
    assert max(started) < stopped + timedelta(seconds=2)
    counts = Delivery.objects.by_state(begun.id)
    assert counts.keys() == {"delivered", "cancelled"}
    assert done.cancelled + sum(done.too_late.values()) == 240
    assert done.too_late["delivered"] <= counts["delivered"] <= sum(done.too_late.values())
    assert counts["cancelled"] > 0
