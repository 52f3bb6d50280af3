"""The worker's one event loop: it runs in a thread of its own as long as the process, and adapters live on it."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from channels_app import connections, http

T = TypeVar("T")
#: How long the goodbye may take, in seconds.
GOODBYE_WITHIN = 5


@dataclass(frozen=True, slots=True)
class _Running:
    pid: int
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread


_lock = threading.Lock()
_running: _Running | None = None


def submit(work: Coroutine[Any, Any, T]) -> "Future[T]":
    """Start a coroutine on the worker's loop; its result comes through the future."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


def soon(function: Callable[..., None], *args: Any) -> None:
    """Have the worker's loop call a function."""
    _loop().call_soon_threadsafe(function, *args)


#: The loop itself holds tasks by weak references alone.
_tasks: set["asyncio.Task[None]"] = set()


def begin(work: Coroutine[Any, Any, None]) -> None:
    """Begin, on the loop itself, what nobody waits for."""
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _loop() -> asyncio.AbstractEventLoop:
    global _running  # noqa: PLW0603  (one loop a process is the point)
    with _lock:
        # A forked child has inherited the name of a thread that does not run in it.
        if _running is None or _running.pid != os.getpid():
            loop = uvloop.new_event_loop()
            thread = threading.Thread(target=loop.run_forever, name="adapters", daemon=True)
            thread.start()
            _running = _Running(os.getpid(), loop, thread)
        return _running.loop


def close() -> None:
    """Say goodbye to the providers and end the loop; the next :func:`submit` would start another."""
    global _running
    with _lock:
        running, _running = _running, None
    if running is None or running.pid != os.getpid():
        return
    asyncio.run_coroutine_threadsafe(_goodbye(), running.loop).result(GOODBYE_WITHIN)
    running.loop.call_soon_threadsafe(running.loop.stop)
    running.thread.join(GOODBYE_WITHIN)
    running.loop.close()


async def _goodbye() -> None:
    await connections.close()
    await http.close()
