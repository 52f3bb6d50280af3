"""Runs a few programs until told to stop: starts them again when they die, and leaves none behind.

Each program gets a session of its own, so that Ctrl-C in a terminal reaches the supervisor alone, which then
stops the programs in good order. One thread does everything, because the kernel ties a program's
"signal me when my parent dies" to the thread that started it.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
#: A program that ran for so long before it died starts again with the first pause.
SOUND_AFTER_S = 60.0
STOP_S = 30.0
LONGEST_LINE = 65_536

Handler = Callable[[int, FrameType | None], object] | int | None

LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run. ``name`` stands before each line that it prints; ``environment`` is added to ours."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Child:
    """A program's present process, or when there will be one."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float
    next_start: float = 0.0
    unfinished_line: bytes = field(default=b"", repr=False)

    @property
    def output(self) -> IO[bytes] | None:
        """What it prints, until the end of it was read."""
        stream = self.process.stdout if self.process else None
        return None if stream is None or stream.closed else stream

    def signal(self, number: int) -> None:
        """To the program itself: it knows how to stop what it started."""
        if self.process is not None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """SIGKILL to whatever is left of its process group, whose id is that of the process."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """``say`` gets each line to show: the programs' own, behind their names, and what happened to them."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], None],
        first_pause: float = FIRST_PAUSE_S,
    ) -> None:
        self._children = [Child(program=program, pause=first_pause) for program in programs]
        self._say = say
        self._first_pause = first_pause
        self._selector = selectors.DefaultSelector()
        self._stops = 0
        self._deadline = float("inf")
        self._wake_reading, self._wake_writing = os.pipe()
        for end in (self._wake_reading, self._wake_writing):
            os.set_blocking(end, False)
        self._selector.register(self._wake_reading, selectors.EVENT_READ)

    def run(self) -> None:
        """Runs until :meth:`stop`, SIGINT or SIGTERM, and returns when no program is left.

        To be called in the main thread, which alone may handle signals.
        """
        before = self._handle_signals()
        wakeup_before = signal.set_wakeup_fd(self._wake_writing, warn_on_full_buffer=False)
        try:
            while not self._stops or any(child.process for child in self._children):
                self._turn()
        finally:
            for child in self._children:
                child.kill_group()
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._close()

    def stop(self) -> None:
        """Ask for the end, from any thread; asked twice, the programs are killed."""
        self._stops += 1
        with suppress(BlockingIOError):
            os.write(self._wake_writing, b"\0")

    def _handle_signals(self) -> dict[int, Handler]:
        """Take the signals over, and return what handled them before."""
        before: dict[int, Handler] = {
            number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup wants it
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_signal)
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop
        return before

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stops += 1

    def _turn(self) -> None:
        """One round: end or start what is due, then wait for output, a death, a signal or a time."""
        self._pursue_stop()
        for child in self._children:
            self._bury(child)
            if not self._stops and child.process is None and time.monotonic() >= child.next_start:
                self._start(child)
        for key, _events in self._selector.select(self._patience()):
            if isinstance(key.data, Child):
                self._read(key.data)
            else:
                self._drain()

    def _patience(self) -> float | None:
        """Seconds until something is due by itself."""
        if self._stops:
            return max(0.05, min(1.0, self._deadline - time.monotonic()))
        waiting = [child.next_start for child in self._children if child.process is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _pursue_stop(self) -> None:
        if not self._stops:
            return
        if self._deadline == float("inf"):
            self._deadline = time.monotonic() + STOP_S
            self._say("Stopping …")
            for child in self._children:
                child.signal(signal.SIGTERM)
        if self._stops > 1 or time.monotonic() > self._deadline:
            for child in self._children:
                child.kill_group()

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            [sys.executable, str(LAUNCH), str(os.getpid()), *child.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **child.program.environment},
            start_new_session=True,
        )
        child.started = time.monotonic()
        if output := child.output:
            os.set_blocking(output.fileno(), False)
            self._selector.register(output, selectors.EVENT_READ, child)

    def _bury(self, child: Child) -> None:
        """Notice a death: clear away what the program left, and plan the next start."""
        if child.process is None or child.process.poll() is None:
            return
        code = child.process.returncode
        child.kill_group()
        while self._read(child):
            pass
        self._forget_output(child)
        child.process = None
        if self._stops:
            return
        if time.monotonic() - child.started > SOUND_AFTER_S:
            child.pause = self._first_pause
        self._say(f"{child.program.name} {ending(code)}; it starts again in {child.pause:g} s")
        child.next_start = time.monotonic() + child.pause
        child.pause = min(child.pause * 2, LONGEST_PAUSE_S)

    def _read(self, child: Child) -> bool:
        """Show the lines that are complete, and tell whether there may be more.

        The pipe ends with the last process that holds it.
        """
        output = child.output
        if output is None:
            return False
        try:
            data = os.read(output.fileno(), LONGEST_LINE)
        except BlockingIOError:
            return False
        if not data:
            self._forget_output(child)
            return False
        *lines, rest = (child.unfinished_line + data).split(b"\n")
        child.unfinished_line = rest[-LONGEST_LINE:]
        for line in lines:
            self._show(child, line)
        return True

    def _show(self, child: Child, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self._say(f"{child.program.name} | {text}")

    def _forget_output(self, child: Child) -> None:
        output = child.output
        if output is None:
            return
        self._selector.unregister(output)
        output.close()
        self._show(child, child.unfinished_line)
        child.unfinished_line = b""

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_reading, 4096)

    def _close(self) -> None:
        for child in self._children:
            self._forget_output(child)
        self._selector.close()
        os.close(self._wake_reading)
        os.close(self._wake_writing)


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with code {code}"
    return f"was ended by {signal.Signals(-code).name}"
