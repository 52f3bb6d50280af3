"""The installation under fire: who runs in it, and an end that leaves nobody behind."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from pushcenter.supervisor import LAUNCH
from tests.faults.plan import Plan

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_S = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The provider's process, and the log that it writes."""

    process: psutil.Process
    port: int
    log: Path

    def cut_connections(self) -> None:
        self.process.send_signal(signal.SIGUSR1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Web and workers. Processes come and go, so each answer is for the moment, and may name nobody."""

    supervisor: psutil.Process
    provider: Provider

    def clusters(self) -> list[psutil.Process]:
        """The first process of each ``qcluster``."""
        return self._programs("qcluster")

    def guards(self) -> list[psutil.Process]:
        """The process of each cluster that starts its workers, and starts them again."""
        return [guard for cluster in self.clusters() for guard in children(cluster)]

    def workers(self) -> list[psutil.Process]:
        """All that a guard has started; those first that have a call under way."""
        found = [worker for guard in self.guards() for worker in children(guard)]
        return sorted(found, key=self._is_calling, reverse=True)

    def web_masters(self) -> list[psutil.Process]:
        return self._programs("gunicorn")

    def web_workers(self) -> list[psutil.Process]:
        return [worker for master in self.web_masters() for worker in children(master)]

    def _programs(self, word: str) -> list[psutil.Process]:
        return [each for each in children(self.supervisor) if word in command(each)]

    def _is_calling(self, process: psutil.Process) -> bool:
        try:
            links = process.net_connections("tcp")
        except psutil.Error:
            return False
        return any(link.raddr and link.raddr.port == self.provider.port for link in links)


def children(parent: psutil.Process) -> list[psutil.Process]:
    try:
        return parent.children()
    except psutil.NoSuchProcess:
        return []


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill_tree(process: psutil.Process) -> None:
    """``kill -9`` to a process and all that it has started, as when its machine goes down."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.kill()


@contextmanager
def provider(folder: Path, *, seed: int) -> Iterator[Provider]:
    """The provider, taking calls; its log is in the folder."""
    log = folder / "calls"
    with _running(["tests.faults.provider", str(log), str(seed)], os.environ, subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Provider(process=psutil.Process(process.pid), port=port, log=log)


@contextmanager
def site(plan: Plan, log: Path, environment: Mapping[str, str], provider: Provider) -> Iterator[Site]:
    """Web and workers, from the moment at which the web answers; what they print goes to the log."""
    arguments = [str(plan.clusters), str(plan.restart_pause), *(["1"] if plan.hasty else [])]
    with (
        log.open("wb") as output,
        _running(["tests.faults.supervised", *arguments], environment, output) as supervisor,
    ):
        _wait_for(f"http://127.0.0.1:{environment['PORT']}/readyz", supervisor)
        yield Site(supervisor=psutil.Process(supervisor.pid), provider=provider)


@contextmanager
def _running(
    module: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, or with this process, however that ends."""
    process = subprocess.Popen(
        [sys.executable, str(LAUNCH), str(os.getpid()), sys.executable, "-m", *module],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output == subprocess.PIPE else subprocess.STDOUT,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End its process group and those of its children, which are sessions of their own under a supervisor.

    It is halted first, so that it starts nobody meanwhile. One that has died stays among its children until it has
    looked, so that the groups of those are found, too.
    """
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGSTOP)
    groups = [process.pid, *(each.pid for each in children(psutil.Process(process.pid)))]
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} is not ready")
