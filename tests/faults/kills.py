"""Kills at random, one after another, each of its kind once in every round; one kind only halts for a while."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
import psycopg

from tests.faults.database import Database
from tests.faults.load import Load
from tests.faults.plan import Plan
from tests.faults.site import Site, kill_tree

#: So much longer the load lasts than the kills, so that there is always something that shows the recovery.
AFTERWARDS_S = 3.0
#: How long a victim is waited for that is just being started.
FIND_WITHIN_S = 20
#: So long something is waited for that shows that the last kill is over.
ALIVE_WITHIN_S = 15
MOST_BACKENDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    kind: str
    at: float
    victim: str


@dataclass(slots=True, kw_only=True)
class Killer:
    plan: Plan
    dice: random.Random
    site: Site
    database: Database
    say: Callable[[str], None]
    done: list[Kill] = field(default_factory=list)

    def run(self, load: Load) -> None:
        """Kill on until the plan's rounds are done; then the load may end."""
        ways = self._ways()
        kinds = list(self._order([*ways]))
        pause = self.plan.seconds / len(kinds)
        try:
            for kind in kinds:
                before = load.messages
                if load.is_over.wait(pause * self.dice.uniform(0.6, 1.3)):
                    return
                self._await_life(load, before)
                self._kill(kind, ways[kind])
            load.is_over.wait(AFTERWARDS_S)
        except BaseException:
            load.is_over.set()
            raise
        finally:
            load.is_enough.set()

    def _await_life(self, load: Load, before: int) -> None:
        """On a slow machine wait until something works again that can be killed."""
        until = time.monotonic() + ALIVE_WITHIN_S
        while load.messages <= before and time.monotonic() < until:
            if load.is_over.wait(0.1):
                return

    def _order(self, kinds: list[str]) -> Iterator[str]:
        for _ in range(self.plan.rounds):
            yield from self.dice.sample(kinds, len(kinds))

    def _kill(self, kind: str, way: Callable[[], str]) -> None:
        if victim := way():
            self.done.append(Kill(kind=kind, at=time.time(), victim=victim))
        self.say(f"killed {kind}: {victim or 'nobody was there'}")

    def _ways(self) -> dict[str, Callable[[], str]]:
        """Each kind of kill, and what does it; it gives its victim, empty where there was none."""
        site = self.site
        return {
            "worker": lambda: self._one(lambda: site.workers()[:1], psutil.Process.kill),
            "helper": lambda: self._one(site.workers, psutil.Process.kill),
            "halted": lambda: self._one(lambda: site.workers()[:1], self._halt),
            "guard": lambda: self._one(site.guards, psutil.Process.kill),
            "cluster": lambda: self._one(site.clusters, kill_tree),
            "web worker": lambda: self._one(site.web_workers, psutil.Process.kill),
            "web master": lambda: self._one(site.web_masters, psutil.Process.kill),
            "connections": self._connections,
            "backends": lambda: self._server(lambda: self.database.terminate_some(self.dice, MOST_BACKENDS)),
            "backend -9": lambda: self._server(lambda: self.database.crash(self.dice)),
            "database": lambda: self._server(lambda: [self.database.shut_down_at_once()]),
        }

    def _one(
        self, candidates: Callable[[], list[psutil.Process]], end: Callable[[psutil.Process], None]
    ) -> str:
        until = time.monotonic() + FIND_WITHIN_S
        while time.monotonic() < until:
            found = candidates()
            if found:
                chosen = self.dice.choice(found)
                try:
                    end(chosen)
                except psutil.NoSuchProcess:
                    continue
                return str(chosen.pid)
            time.sleep(0.05)
        return ""

    def _halt(self, process: psutil.Process) -> None:
        """Halt a process until others have taken over its work; then it goes on as if nothing had been."""

        def go_on() -> None:
            with suppress(psutil.NoSuchProcess):
                process.resume()

        process.suspend()
        later = threading.Timer(self.plan.stall, go_on)
        later.daemon = True
        later.start()

    def _connections(self) -> str:
        self.site.provider.cut_connections()
        return "all to the provider"

    def _server(self, end: Callable[[], list[int]]) -> str:
        until = time.monotonic() + FIND_WITHIN_S
        while time.monotonic() < until:
            with suppress(psycopg.OperationalError, OSError):  # it is away from the last time
                if ended := end():
                    return " ".join(map(str, ended))
            time.sleep(0.1)
        return ""
