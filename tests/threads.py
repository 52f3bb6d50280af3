"""Several callers at the same moment, each in a thread with a connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

#: Seconds after which somebody who still waits waits for ever.
PATIENCE = 30


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call returns or raises, when all of them begin together."""
    together = threading.Barrier(len(calls))

    def make(call: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        together.wait(PATIENCE)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [result(future) for future in [pool.submit(make, call) for call in calls]]


def result(future: "Future[Any]") -> Any:
    """What came of it, be it an error."""
    error = future.exception(PATIENCE)
    return future.result() if error is None else error


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads are about to bring about."""
    never = threading.Event()
    for _ in range(PATIENCE * 100):
        if condition():
            return
        never.wait(0.01)
    pytest.fail("it does not come to this")
