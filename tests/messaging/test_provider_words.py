"""Whatever an adapter or its provider says, its outcome is recorded: a word must not undo a call."""

import asyncio
from collections.abc import Mapping

import pytest
from django.db import connection

from channels_app.adapters.simulated import SimulatedAdapter
from channels_app.contract import Outcome, Outgoing, Receipt, Refused, Sent, Temporary, Throttled
from channels_app.models import Account
from pushcenter.messaging import dispatch, retry
from pushcenter.messaging.models import Attempt, Delivery
from tests import factories
from tests.messaging.test_retry import SAID

FORETOLD = Sent(
    receipts=[Receipt(provider_id="p" * 400 + "\0", outcome=Outcome.DELIVERED, reason="\ud800", event_id="e")]
)


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_WAIT", 60)


@pytest.mark.django_db
@pytest.mark.parametrize("said", [*SAID, FORETOLD], ids=range(len(SAID) + 1))
def test_an_outcome_is_recorded_in_any_words(
    said: Sent | Temporary | Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(_self: SimulatedAdapter, _message: Outgoing) -> Sent:
        if isinstance(said, Sent):
            return said
        raise said

    monkeypatch.setattr(SimulatedAdapter, "send", send)
    factories.template(channels=["sms"])
    factories.account("sms")
    factories.message(to={"phone": "+8613800138000"})
    assert dispatch.run("normal") == 1
    assert Attempt.objects.count() == 1
    assert Delivery.objects.get().state != "sending"


UNSUITABLE: list[object] = [
    None,
    {"provider_id": "1"},
    Sent(receipts=None),  # type: ignore[arg-type]
    Throttled(retry_after=None),  # type: ignore[arg-type]
    asyncio.CancelledError(),
]


@pytest.mark.django_db
@pytest.mark.parametrize("said", UNSUITABLE, ids=range(len(UNSUITABLE)))
def test_what_the_contract_does_not_know_leaves_a_doubt_and_the_lane_goes_on(
    said: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = an_sms_answered_by(said, monkeypatch)
    assert (delivery.state, delivery.maybe_duplicate) == ("pending", True)


@pytest.mark.django_db
def test_a_number_where_a_text_was_due_is_taken_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = an_sms_answered_by(Sent(provider_id=20391), monkeypatch)  # type: ignore[arg-type]
    assert (delivery.state, delivery.provider_id) == ("sent", "20391")


@pytest.mark.django_db
def test_an_account_that_its_adapter_cannot_be_made_from_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def without_sense(_self: SimulatedAdapter, config: Mapping[str, object]) -> None:
        raise KeyError("region")

    monkeypatch.setattr(SimulatedAdapter, "__init__", without_sense)
    delivery = an_sms()
    assert (delivery.state, delivery.code, delivery.attempts) == ("pending", "no_account", 0)


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_deleted_during_the_call_does_not_undo_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(_self: SimulatedAdapter, _message: Outgoing) -> Sent:
        await asyncio.to_thread(delete_accounts)
        return Sent(provider_id="p-1")

    monkeypatch.setattr(SimulatedAdapter, "send", send)
    delivery = an_sms()
    assert (delivery.state, delivery.provider_id, delivery.account) == ("sent", "p-1", None)
    assert Attempt.objects.get().account is None


def delete_accounts() -> None:
    Account.objects.all().delete()
    connection.close()


def an_sms_answered_by(said: object, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    async def send(_self: SimulatedAdapter, _message: Outgoing) -> object:
        if isinstance(said, BaseException):
            raise said
        return said

    monkeypatch.setattr(SimulatedAdapter, "send", send)
    return an_sms()


def an_sms() -> Delivery:
    """A message's delivery after one run of its lane."""
    factories.template(channels=["sms"])
    factories.account("sms")
    factories.message(to={"phone": "+8613800138000"})
    assert dispatch.run("normal") == 1
    return Delivery.objects.get()
