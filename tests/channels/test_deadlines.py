"""Time limits of calls, which one timer looks after."""

import asyncio
import time
from collections.abc import Coroutine
from math import inf

import pytest

from channels_app.deadlines import TICK, Deadlines, Limited, TimeLimit, of_running_loop


class Alarm(Limited):
    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.rang: list[float] = []

    def expire(self) -> None:
        self.rang.append(self.until)


async def limited(limit: TimeLimit, seconds: float, work: Coroutine[None, None, str]) -> str:
    limit.begin(seconds)
    try:
        return await work
    except asyncio.CancelledError:
        return "too late" if limit.end() else "cancelled by another"
    finally:
        limit.end()


async def answer(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "answered"


def test_who_waits_longer_than_it_may_is_told_and_may_wait_again() -> None:
    async def calls() -> list[str]:
        with TimeLimit() as limit:
            return [
                await limited(limit, 0.1, answer(5)),
                await limited(limit, 5, answer(0.01)),
                await limited(limit, 0.1, answer(5)),
            ]

    begun = time.monotonic()
    assert asyncio.run(calls()) == ["too late", "answered", "too late"]
    assert time.monotonic() - begun < 2


def test_a_limit_that_was_kept_leaves_no_trace_in_its_task() -> None:
    async def calls() -> int:
        task = asyncio.current_task()
        assert task
        with TimeLimit() as limit:
            await limited(limit, 0.01, answer(5))
            await limited(limit, 0.01, answer(0))
            await asyncio.sleep(2 * TICK)  # nothing is limited: nothing may be cancelled
        return task.cancelling()

    assert asyncio.run(calls()) == 0


def test_to_be_cancelled_by_another_is_not_to_be_late() -> None:
    async def calls() -> str:
        async def call() -> str:
            with TimeLimit() as limit:
                return await limited(limit, 5, answer(5))

        task = asyncio.ensure_future(call())
        await asyncio.sleep(0.01)
        task.cancel()
        return await task

    assert asyncio.run(calls()) == "cancelled by another"


def test_a_moment_comes_once_and_not_for_what_is_forgotten() -> None:
    async def watched() -> tuple[Alarm, Alarm, Alarm]:
        soon, later, forgotten = Alarm(0.01), Alarm(60), Alarm(0.01)
        for each in (soon, later, forgotten):
            of_running_loop().watch(each)
        of_running_loop().forget(forgotten)
        await asyncio.sleep(3 * TICK)
        of_running_loop().forget(later)
        return soon, later, forgotten

    soon, later, forgotten = asyncio.run(watched())
    assert (len(soon.rang), len(later.rang), len(forgotten.rang)) == (1, 0, 0)
    assert soon.until == inf


def test_nothing_ticks_where_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = []
    tick = Deadlines._tick

    def counted(self: Deadlines) -> None:
        ticks.append(self)
        tick(self)

    monkeypatch.setattr(Deadlines, "_tick", counted)

    async def calls() -> int:
        with TimeLimit():
            await asyncio.sleep(3 * TICK)
        await asyncio.sleep(2 * TICK)
        before = len(ticks)
        await asyncio.sleep(3 * TICK)
        return len(ticks) - before

    assert asyncio.run(calls()) == 0
    assert ticks


def test_each_loop_has_its_own() -> None:
    async def mine() -> Deadlines:
        assert of_running_loop() is of_running_loop()
        return of_running_loop()

    assert asyncio.run(mine()) is not asyncio.run(mine())
