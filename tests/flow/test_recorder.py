"""Outcomes are stored beside the dispatcher, on a connection of their own, once there are many."""

import threading
from collections.abc import Callable, Sequence

import pytest
from django.core.management import call_command
from django.db import OperationalError, transaction

from pushcenter.messaging import dispatch, outcomes, queue
from pushcenter.messaging.models import Attempt, Delivery
from pushcenter.messaging.recorder import FEW, Recorder
from pushcenter.messaging.verdicts import Ended
from tests import claiming, factories
from tests.bench import stock

MANY = 6 * FEW
Record = Callable[[Sequence[Ended]], None]


@pytest.fixture(autouse=True)
def _props(transactional_db: None) -> None:
    factories.template(channels=["email"])
    factories.account("email")
    stock.people(3)


@pytest.fixture
def by_whom(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that have stored something."""
    names: list[str] = []
    record = outcomes.record

    def told(ended: Sequence[Ended]) -> None:
        names.append(threading.current_thread().name)
        record(ended)

    monkeypatch.setattr(outcomes, "record", told)
    return names


def wait(number: int) -> None:
    with transaction.atomic():
        stock.queue(number, "order-paid", caller=factories.caller())


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception, *, times: int) -> list[Exception]:
    """Storing fails so often, and then goes as always."""
    record, raised = outcomes.record, list[Exception]()

    def broken(ended: Sequence[Ended]) -> None:
        if len(raised) < times:
            raised.append(error)
            raise error
        record(ended)

    monkeypatch.setattr(outcomes, "record", broken)
    return raised


def all_are_delivered(number: int) -> bool:
    call_command("audit")
    return Delivery.objects.filter(state="delivered").count() == Attempt.objects.count() == number


def test_many_are_stored_by_a_thread_that_ends_with_the_work(by_whom: list[str]) -> None:
    wait(MANY)
    assert dispatch.run("normal") == MANY
    assert "recorder" in by_whom
    assert all_are_delivered(MANY)
    assert "recorder" not in [each.name for each in threading.enumerate()]


def test_a_few_are_stored_where_they_are(by_whom: list[str]) -> None:
    wait(3)
    assert dispatch.run("normal") == 3
    assert set(by_whom) == {threading.current_thread().name}


def test_within_a_transaction_all_is_stored_where_it_is(by_whom: list[str]) -> None:
    wait(MANY)
    with transaction.atomic():
        assert dispatch.run("normal") == MANY
    assert set(by_whom) == {threading.current_thread().name}
    assert all_are_delivered(MANY)


@pytest.mark.parametrize("number", [3, MANY])
def test_while_the_database_is_away_outcomes_stay_in_hand(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AWAY", 0.01)
    raised = fail(monkeypatch, OperationalError("away"), times=3)
    wait(number)
    with pytest.raises(OperationalError):  # django-q2 is told that the task has failed
        dispatch.run("normal")
    assert len(raised) == 3
    done = Delivery.objects.filter(state="delivered").count()
    assert done == Attempt.objects.count() > 0
    assert not Delivery.objects.filter(state="sending").exists(), (
        "nothing that was called waits for the sweep"
    )
    dispatch.run("normal")
    assert all_are_delivered(number)


def test_a_mistake_of_ours_ends_the_run_and_leaves_the_rest_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail(monkeypatch, ZeroDivisionError("a mistake"), times=1)
    wait(MANY)
    with pytest.raises(ZeroDivisionError):
        dispatch.run("normal")
    assert Delivery.objects.filter(state="sending").exists()
    assert "recorder" not in [each.name for each in threading.enumerate()]


def test_what_is_in_hand_at_the_close_is_stored(by_whom: list[str]) -> None:
    wait(MANY)
    told = threading.Event()
    recorder = Recorder(told.set)
    recorder.take([claiming.ended(each) for each in claiming.claim(limit=MANY)])
    recorder.close()
    assert (by_whom, told.is_set()) == (["recorder"], True)
    assert len(recorder.stored()) == MANY
    assert not recorder.is_busy
    assert not Delivery.objects.filter(state="sending").exists()
