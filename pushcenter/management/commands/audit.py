"""``manage.py audit``: does the ledger balance, and is everything there that was acknowledged?"""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from pushcenter.messaging import audit, ledger_checks
from pushcenter.messaging.ledger import Line
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import IN_FLIGHT, State

GROUP = 10_000
#: More missing ids than anybody reads; all of them are counted.
SHOWN = 100
#: Columns of the table that are shown whatever stands in them.
ENDS = [state for state in State if state not in IN_FLIGHT]


class Command(BaseCommand):
    help = "Holds every row of the ledger against its figures; exit code 1 where something does not fit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=int, metavar="N", help="only the last N days (UTC), today included"
        )
        parser.add_argument(
            "--ids",
            metavar="FILE",
            help="read back these ids of acknowledged messages as well, one a line; - is standard input",
        )

    def handle(self, *, days: int | None, ids: str | None, **options: Any) -> None:
        if days is not None and days < 1:
            raise CommandError("--days takes a number from 1 on.")
        wrong = self._audit(audit.days()[-days:] if days else audit.days())
        if ids is not None:
            wrong += self._read_back(ids)
        if wrong:
            sys.exit(1)
        self.stdout.write("Everything fits.")

    def _audit(self, days: Sequence[date]) -> int:
        """Count each day in full and show it; returns how much does not fit."""
        systems = dict(apps.get_model("access.System").objects.values_list("pk", "code"))
        self._row(
            "day",
            "system",
            "messages",
            "accepted",
            *(state.value for state in ENDS),
            "in flight",
            "difference",
        )
        difference = 0
        for day in days:
            lines = audit.recount(day, full=True)
            if lines is None:
                raise CommandError("A worker is counting at this moment; try again.")
            for line in lines:
                self._show(day, systems.get(line.system_id, str(line.system_id)), line)
                difference += line.difference
        return difference

    def _show(self, day: date, system: str, line: Line) -> None:
        flying = sum(line.states.get(state, 0) for state in IN_FLIGHT)
        ends = (line.states.get(state, 0) for state in ENDS)
        name = f"{system} (test)" if line.is_test else system
        self._row(str(day), name, line.messages, line.accepted, *ends, flying, line.difference)
        for check, found in line.differences.items():
            self.stdout.write(f"  {found.number} {ledger_checks.LABELS[check]}, such as:")
            for sample in found.samples:
                self.stdout.write(f"    {sample}")

    def _row(self, day: str, system: str, *cells: object) -> None:
        self.stdout.write(f"{day:<10}  {system:<20}" + "".join(f"{cell!s:>12}" for cell in cells))

    def _read_back(self, name: str) -> int:
        """Look for acknowledged messages; returns how many are missing."""
        counts: Counter[str] = Counter()
        missing: list[UUID] = []
        with _opened(name) as lines:
            ids = _ids(lines)
            while group := list(islice(ids, GROUP)):
                there = set(Message.objects.filter(pk__in=group).values_list("pk", flat=True))
                missing += [each for each in group if each not in there]
                counts["acknowledged"] += len(group)
                found = Delivery.objects.filter(message__in=there).order_by()
                counts.update(found.values_list("state", flat=True))
        self.stdout.write(f"{counts.pop('acknowledged', 0)} acknowledged, {len(missing)} missing")
        for state in State:
            if counts[state]:
                self.stdout.write(f"  deliveries {state.label}: {counts[state]}")
        for each in missing[:SHOWN]:
            self.stdout.write(f"  missing: {each}")
        if len(missing) > SHOWN:
            self.stdout.write(f"  and {len(missing) - SHOWN} more")
        return len(missing)


def _opened(name: str) -> TextIO:
    if name == "-":
        return sys.stdin
    try:
        return Path(name).open(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None


def _ids(lines: TextIO) -> Iterator[UUID]:
    """Each id of the file once; empty lines are passed over."""
    seen: set[UUID] = set()
    for number, line in enumerate(lines, start=1):
        if text := line.strip():
            try:
                found = UUID(text)
            except ValueError:
                raise CommandError(f"Line {number} is no id of a message: {text[:50]!r}.") from None
            if found not in seen:
                seen.add(found)
                yield found
