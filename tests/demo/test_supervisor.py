import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import psutil
import pytest

from pushcenter.supervisor import ending

STUBBORN = "trap '' TERM; echo pid $$; while :; do sleep 0.1; done"


@dataclass(slots=True, kw_only=True)
class Running:
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def wait_for(self, text: str, *, times: int = 1) -> str:
        """The last of so many lines that hold the text."""
        wait_until(lambda: sum(text in line for line in self.lines) >= times, f"{text!r} in {self.lines}")
        return [line for line in self.lines if text in line][times - 1]

    def pid(self, name: str, *, time_: int = 1) -> int:
        return int(self.wait_for(f"{name} | pid ", times=time_).split()[-1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@contextmanager
def supervising(*programs: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.demo.supervised", *programs],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    running = Running(process=process)
    assert process.stdout is not None
    reader = Thread(target=lambda: running.lines.extend(line.rstrip() for line in process.stdout or []))
    with process.stdout:
        reader.start()
        try:
            yield running
        finally:
            started = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
            process.wait()
            for each in started:  # a stubborn one would outlive it
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            reader.join()


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_lines_stand_behind_the_name_of_their_program() -> None:
    with supervising("web=echo one; echo two >&2; printf half; sleep 60") as running:
        running.wait_for("two")
        assert running.lines == ["web | one", "web | two"]


def test_a_dead_program_starts_again_with_growing_pauses() -> None:
    with supervising("web=echo pid $$; exit 3") as running:
        running.wait_for("starts again", times=3)
    said = [line for line in running.lines if "starts again" in line][:3]
    assert said[0] == "web ended with code 3; it starts again in 0.1 s"
    assert [line.split()[-2] for line in said] == ["0.1", "0.2", "0.4"]


def test_what_a_dead_program_left_is_cleared_away() -> None:
    with supervising("web=sleep 60 & echo pid $!; exit 1") as running:
        left = running.pid("web")
        running.wait_for("starts again")
        wait_until(lambda: is_gone(left), "the end of what it left")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_program_and_leaves_no_process(number: signal.Signals) -> None:
    tidy = "trap 'echo goodbye; exit 0' TERM; echo pid $$; while :; do sleep 0.1; done"
    with supervising(f"web={tidy}", "worker=sleep 60 & echo pid $!; wait") as running:
        pids = [running.pid("web"), running.pid("worker")]
        running.process.send_signal(number)
        assert running.process.wait(20) == 0
        running.wait_for("all quiet")
        assert "web | goodbye" in running.lines
        assert not any("starts again" in line for line in running.lines)
        assert all(is_gone(pid) for pid in pids)


def test_a_second_signal_kills_at_once() -> None:
    with supervising(f"web={STUBBORN}") as running:
        pid = running.pid("web")
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert not is_gone(pid)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(5) == 0
        assert is_gone(pid)


def test_a_signal_to_the_terminal_reaches_the_supervisor_alone() -> None:
    with supervising(f"web={STUBBORN}") as running:
        assert os.getpgid(running.pid("web")) != os.getpgid(running.process.pid)


@pytest.mark.skipif(
    sys.platform != "linux", reason="other systems cannot tell a program of its parent's death"
)
def test_a_killed_supervisor_leaves_no_program() -> None:
    with supervising("web=echo pid $$; exec sleep 60") as running:
        pid = running.pid("web")
        running.process.kill()
        wait_until(lambda: is_gone(pid), "the program's end")


def test_endings_are_told_in_words() -> None:
    assert ending(3) == "ended with code 3"
    assert ending(-signal.SIGKILL) == "was ended by SIGKILL"
