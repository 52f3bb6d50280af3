"""Several callers are served by one of them, and nobody is left waiting."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as await_all
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction

from pushcenter.faults import Rejected
from pushcenter.messaging import intake, queue
from pushcenter.messaging.group import LARGEST, LONGEST, Group
from pushcenter.messaging.models import Message
from tests import factories
from tests.threads import PATIENCE, at_once, result, until


class Work:
    """What a group does: it writes down who was served together. The first call lasts until it is let go."""

    def __init__(self, *, holds_first: bool = False) -> None:
        self.groups: list[list[Any]] = []
        self.has_begun = threading.Event()
        self.go_on = threading.Event()
        if not holds_first:
            self.go_on.set()

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        self.groups.append(list(items))
        self.has_begun.set()
        assert self.go_on.wait(PATIENCE)
        return [self.serve(item, items) for item in items]

    def serve(self, item: Any, items: Sequence[Any]) -> Any:
        return ValueError(item) if item == "bad" else f"{item}!"


class Breaking(Work):
    """One that breaks where ``breaks_at`` is among the items."""

    def __init__(self, breaks_at: Any, error: BaseException, *, holds_first: bool = False) -> None:
        super().__init__(holds_first=holds_first)
        self.breaks_at, self.error = breaks_at, error

    def serve(self, item: Any, items: Sequence[Any]) -> Any:
        if self.breaks_at in items:
            raise self.error
        return super().serve(item, items)


@pytest.fixture(autouse=True)
def _in_no_transaction(transactional_db: None) -> None:
    """A group serves whoever is in a transaction by themselves."""


def behind_the_first(work: Work, items: Sequence[Any]) -> dict[Any, Any]:
    """What becomes of callers who come while the first one, ``"first"``, is being served."""
    group = Group[Any, Any](work)
    with ThreadPoolExecutor(len(items) + 1) as pool:
        asked = {"first": pool.submit(group.join, "first")}
        assert work.has_begun.wait(PATIENCE)
        asked |= {item: pool.submit(group.join, item) for item in items}
        until(lambda: len(group._waiting) == len(items))
        work.go_on.set()
        _done, late = await_all(asked.values(), PATIENCE)
    assert not late
    assert group._waiting == []
    assert not group._busy
    assert group.join("last") == "last!"
    return {item: result(future) for item, future in asked.items()}


def test_a_lone_caller_is_served_at_once() -> None:
    work = Work()
    group = Group[str, str](work)
    assert [group.join("a"), group.join("b")] == ["a!", "b!"]
    assert work.groups == [["a"], ["b"]]


def test_who_comes_meanwhile_is_served_together() -> None:
    work = Work(holds_first=True)
    found = behind_the_first(work, range(20))
    assert found == {"first": "first!"} | {item: f"{item}!" for item in range(20)}
    assert [sorted(map(str, each)) for each in work.groups[:2]] == [["first"], sorted(map(str, range(20)))]


def test_a_group_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushcenter.messaging.group.LARGEST", 8)
    assert LARGEST > 8
    work = Work(holds_first=True)
    assert len(behind_the_first(work, range(20))) == 21
    assert [len(each) for each in work.groups] == [1, 8, 8, 4, 1]


def test_a_leader_waits_for_company_after_a_group_of_several_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=time.monotonic)
    monkeypatch.setattr("pushcenter.messaging.group.time", clock)
    work = Work(holds_first=True)
    behind_the_first(work, range(3))
    assert [len(each) for each in work.groups] == [1, 3, 1]
    assert [0 < wait <= LONGEST for wait in waits] == [True]


def test_a_result_that_is_an_error_is_its_own_callers() -> None:
    work = Work(holds_first=True)
    found = behind_the_first(work, ["a", "bad", "b"])
    assert (found["a"], found["b"]) == ("a!", "b!")
    assert isinstance(found["bad"], ValueError)
    assert len(work.groups) == 3


def test_where_a_group_breaks_each_is_served_alone_and_only_one_suffers() -> None:
    work = Breaking(7, DataError("too long"), holds_first=True)
    found = behind_the_first(work, range(10))
    assert isinstance(found.pop(7), DataError)
    assert found == {"first": "first!"} | {item: f"{item}!" for item in range(10) if item != 7}
    assert [len(each) for each in work.groups] == [1, 10, *[1] * 10, 1]


@pytest.mark.parametrize("error", [OperationalError("away"), SystemExit(1), KeyboardInterrupt()], ids=repr)
def test_an_error_that_is_nobodys_fault_reaches_everybody(error: BaseException) -> None:
    work = Breaking(7, error, holds_first=True)
    found = behind_the_first(work, range(10))
    assert {type(found[item]) for item in range(10)} == {type(error)}
    assert found["first"] == "first!"


@pytest.mark.parametrize("error", [OperationalError("away"), SystemExit(1)], ids=repr)
def test_a_leader_that_breaks_leaves_nobody_waiting(error: BaseException) -> None:
    work = Breaking("first", error, holds_first=True)
    found = behind_the_first(work, ["a", "b"])
    assert found.pop("first") is error
    assert found == {"a": "a!", "b": "b!"}


def test_too_few_results_are_an_error_and_leave_nobody_waiting() -> None:
    class Losing(Work):
        def __call__(self, items: Sequence[Any]) -> list[Any]:
            found = super().__call__(items)
            return found if len(items) == 1 else found[:-1]

    found = behind_the_first(Losing(holds_first=True), ["a", "b", "c"])
    assert all(isinstance(found[item], ValueError) or found[item] == f"{item}!" for item in "abc")


def test_who_is_in_a_transaction_is_served_in_it_and_waits_for_nobody() -> None:
    work = Work()
    group = Group[str, str](work)
    group._busy = True  # as if somebody led: it would wait for ever
    with transaction.atomic():
        assert group.join("a") == "a!"
        with pytest.raises(ValueError, match="bad"):
            group.join("bad")
    assert work.groups == [["a"], ["bad"]]


def props() -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")


def test_a_message_in_a_transaction_vanishes_with_it() -> None:
    props()
    with transaction.atomic():
        factories.message()
        assert Message.objects.count() == 1
        transaction.set_rollback(True)
    assert Message.objects.count() == 0


def transactions() -> int:
    """How many transactions have written the messages that are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM messaging_message")
        return int(cursor.fetchone()[0])


def sent(number: int, **fields: Any) -> Callable[[], Any]:
    """A call of a thread of its own; the time-out of the suite ends what would wait for ever."""

    def call() -> Any:
        try:
            return factories.message(reference=str(number), **fields)
        finally:
            connection.close()

    return call


def while_the_table_is_locked(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What becomes of calls of which the first has to wait in its transaction until all others have come."""
    with ThreadPoolExecutor(len(calls)) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE messaging_message IN EXCLUSIVE MODE")
            asked = [pool.submit(calls[0])]
            until(lambda: intake._singles._busy)
            until(lambda: not intake._singles._waiting)
            asked += [pool.submit(call) for call in calls[1:]]
            until(lambda: len(intake._singles._waiting) == len(calls) - 1)
        return [result(future) for future in asked]


def test_messages_that_come_together_are_one_transaction() -> None:
    props()
    found = while_the_table_is_locked([sent(number) for number in range(12)])
    assert [each.reference for each in found] == [str(number) for number in range(12)]
    assert Message.objects.count() == 12
    assert transactions() == 2


def test_a_message_that_the_database_does_not_take_spoils_no_other() -> None:
    props()
    calls = [sent(number, request_id="x" * (70 if number == 3 else 7)) for number in range(6)]
    found = while_the_table_is_locked(calls)
    assert isinstance(found.pop(3), DataError)
    assert {each.reference for each in found} == {"0", "1", "2", "4", "5"}
    assert set(Message.objects.values_list("reference", flat=True)) == {"0", "1", "2", "4", "5"}
    assert (transactions(), queue.waiting()) == (6 - 1, 1)


def test_callers_who_are_refused_do_not_disturb_the_others() -> None:
    props()
    calls = [sent(number, to={"recipient": "nobody" if number % 2 else "u-1001"}) for number in range(8)]
    found = while_the_table_is_locked(calls)
    assert [isinstance(each, Message) for each in found] == [True, False] * 4
    assert {type(each) for each in found[1::2]} == {Rejected}
    assert Message.objects.count() == 4


def test_threads_that_send_as_fast_as_they_can_lose_and_double_nothing() -> None:
    props()

    def many() -> list[str]:
        return [str(factories.message().pk) for _ in range(20)]

    ids = [each for found in at_once([many] * 8) for each in found]
    assert len(set(ids)) == Message.objects.count() == 160
    assert transactions() <= 160
