"""``make faults``: kills everything at random under load, and then reads back every acknowledged message.

Figures go to ``var/faults/latest.json`` and the log of web and workers to ``var/faults/site.log``. Exit code 1 where
anything was lost, doubled without a mark, or left without an end.
"""

import argparse
import faulthandler
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.faults import cast, ledger, readback
from tests.faults.database import Database, database
from tests.faults.kills import Killer
from tests.faults.load import Load
from tests.faults.plan import LONG, SHORT, Plan
from tests.faults.site import ROOT, Provider, provider, site
from tests.faults.verdict import Recovery, Verdict, judge
from tests.flow.world import free_port

FIGURES = ROOT / "var" / "faults" / "latest.json"
TELL_EVERY_S = 10
#: So many examples are told of each thing that is wrong.
STORIES = 4
BEGUN = time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help=f"{SHORT.messages} messages, not {LONG.messages}"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="of all dice")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="where the figures go")
    asked = parser.parse_args()
    plan = SHORT if asked.short else LONG
    # Whatever happens, this ends, and everything that it has started ends with it.
    faulthandler.dump_traceback_later(plan.limit, exit=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    say(f"{plan.messages:,} messages in {plan.seconds:g} s, seed {asked.seed}")
    asked.figures.parent.mkdir(parents=True, exist_ok=True)
    verdict, faults = try_out(plan, asked.figures.with_name("site.log"), asked.seed)
    asked.figures.write_text(json.dumps(figures(verdict), indent=2) + "\n")
    report(verdict, faults)
    return 1 if faults else 0


def try_out(plan: Plan, log: Path, seed: int) -> tuple[Verdict, list[str]]:
    """One run, from an empty folder to the verdict, and what is wrong."""
    with data_folder() as data, database(data) as opened, provider(data, seed=seed) as outside:
        secret = prepare(plan, data, opened, outside)
        with site(plan, log, os.environ, outside) as running:
            say("web and workers are up")
            port = int(os.environ["PORT"])
            dice = random.Random(f"load {seed}")
            load = Load(plan=plan, dice=dice, port=port, provider_port=outside.port, secret=secret)
            dice = random.Random(f"kills {seed}")
            killer = Killer(plan=plan, dice=dice, site=running, database=opened, say=say)
            storm(load, killer, opened)
            await_calm(plan, opened)
            differences = readback.over_api(load)
        differences += readback.by_audit(load.acknowledged)
        found = ledger.read(opened, outside.log)
        verdict = judge(found, load.acknowledged, killer.done)
        tell_stories(verdict, opened, found.calls)
    return verdict, [*verdict.faults(recovery=plan.recovery), *load.surprises[:5], *differences[:5]]


@contextmanager
def data_folder() -> Iterator[Path]:
    data = Path(tempfile.mkdtemp(prefix="pushcenter-faults-"))
    data.chmod(0o711)  # under root the server runs as another user, which has to be able to pass
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


def prepare(plan: Plan, data: Path, opened: Database, outside: Provider) -> str:
    """Settle the environment, which all processes inherit, and fill the tables; returns the secret of a key."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "pushcenter.settings",
        "PUSHCENTER_DATA": str(data),
        "DATABASE_URL": opened.url,
        **cast.KEYS,
        "PORT": str(free_port()),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS": "off",
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PYTHONPATH": str(ROOT),
        **plan.settings,
    }
    return cast.enter(plan, data, provider_port=outside.port)


def storm(load: Load, killer: Killer, opened: Database) -> None:
    """Load and kills side by side, until all is acknowledged."""
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(load.run), pool.submit(killer.run, load)]
        try:
            while not load.is_over.wait(TELL_EVERY_S):
                say(f"acknowledged {load.messages:,}, in flight {ledger.in_flight(opened):,}")
        finally:
            load.is_over.set()  # for the others, too, where this one is interrupted
    for each in running:
        each.result()
    say(f"acknowledged {load.messages:,}; {load.unanswered} calls broke off and were repeated")


def await_calm(plan: Plan, opened: Database) -> None:
    """Wait until every delivery has an end, as long as that may take."""
    until, told = time.monotonic() + plan.calm, time.monotonic()
    while (waiting := ledger.in_flight(opened)) and time.monotonic() < until:
        if time.monotonic() > told + TELL_EVERY_S:
            say(f"in flight {waiting:,}")
            told = time.monotonic()
        time.sleep(0.5)


def figures(verdict: Verdict) -> dict[str, float]:
    """By the names that others rely on."""
    return {
        "acknowledged": verdict.acknowledged,
        "lost": verdict.lost,
        "ended": verdict.ended,
        "in_doubt": verdict.in_doubt,
        "duplicates_marked": len(verdict.marked),
        "duplicates_unmarked": len(verdict.unmarked),
        "max_recovery_s": round(min(verdict.max_recovery_s, 9_999), 2),
        "max_acceptance_recovery_s": round(
            min(max((each.accepted_s for each in verdict.recoveries), default=0), 9_999), 2
        ),
        "kills": len(verdict.recoveries),
        "in_flight": verdict.in_flight,
        "repeated_by_id": len(verdict.repeated),
        "unrecorded": len(verdict.unrecorded),
        "untrue": len(verdict.untrue),
        "denied": len(verdict.denied),
        "resent": len(verdict.resent),
        "seconds": round(time.monotonic() - BEGUN, 1),
    }


def tell_stories(verdict: Verdict, opened: Database, calls: Sequence[ledger.Taken]) -> None:
    """Some of what is wrong, from both sides."""
    for what, those in verdict.wrong.items():
        for delivery in those[:STORIES]:
            say(f"{what}:")
            for line in ledger.story(opened, delivery, calls):
                say(f"  {line}")


def report(verdict: Verdict, faults: list[str]) -> None:
    say("longest time after each kind of kill until messages were accepted, and until every lane was served:")
    by_kind: dict[str, list[Recovery]] = defaultdict(list)
    for each in verdict.recoveries:
        by_kind[each.kill.kind].append(each)
    for kind, those in sorted(by_kind.items()):
        accepted = max(each.accepted_s for each in those)
        last = max(those, key=lambda each: each.served_s)
        say(f"  {kind:12} {len(those):3} times {accepted:8.2f} s {last.served_s:8.2f} s ({last.lane})")
    say(f"the provider was called: {told(verdict.calls)}")
    say(f"ended by state: {told(verdict.states)}")
    say(
        f"attempts without a known end: {verdict.lost_attempts}, settled after {verdict.longest_lost_s:.0f} s at most"
    )
    for name, value in figures(verdict).items():
        say(f"  {name:20} {value:>10,}")
    for fault in faults:
        say(f"WRONG: {fault}")
    say("something is wrong" if faults else "nothing lost, nothing doubled without a mark")


def told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def say(line: str) -> None:
    sys.stdout.write(f"{time.monotonic() - BEGUN:6.1f} {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
