"""When the ledger is counted: today's every few minutes, older days the more rarely, and never for much of the time.

A day is counted anew when its figures have moved, and once in full, every row of it, when it is over. What does not
fit is an alert of its day.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from pushcenter.messaging import alerts, ledger, ledger_checks, queue
from pushcenter.messaging.ledger import Line
from pushcenter.messaging.models import LedgerDay, LedgerLine, Message, Severity

#: Days that are looked at by schedule; older ones are, when somebody asks.
DAYS = 35
#: Days of which every row is looked at once a day.
FULL_DAYS = 3
#: Counting takes no more than this share of the time.
SHARE = 100
#: A message that comes at midnight is stored a little later.
AFTER_MIDNIGHT = timedelta(minutes=10)
#: Seconds after which a worker lets others have their turn.
TURN = 30.0
#: Second half of the advisory lock's key: one worker counts at a time.
COUNTING = 0xA1E9
MARKS = """
SELECT (hour AT TIME ZONE 'UTC')::date, sum(hashtext(s::text)::bigint)::text
  FROM {figures} s WHERE hour >= %s GROUP BY 1
"""


def run() -> int:
    """Count the days that are due; the task that a worker runs every minute. Returns how many days."""
    now = timezone.now()
    until = time.monotonic() + TURN
    counted = 0
    for day, is_full in due(now):
        if time.monotonic() > until or recount(day, full=is_full) is None:
            break
        counted += 1
    return counted


def due(now: datetime) -> Iterator[tuple[date, bool]]:
    """The days that are to be counted now, newest first, and whether in full."""
    today = now.astimezone(UTC).date()
    first = max(today - timedelta(days=DAYS), first_day() or today)
    marks = _marks(first)
    known = {row.day: row for row in LedgerDay.objects.filter(day__gte=first)}
    for back in range((today - first).days + 1):
        day = today - timedelta(days=back)
        is_over = now >= ledger.bounds(day)["end"] + AFTER_MIDNIGHT
        if is_due(known.get(day), marks.get(day, ""), now, age=back, is_over=is_over):
            yield day, is_over


def is_due(row: LedgerDay | None, mark: str, now: datetime, *, age: int, is_over: bool) -> bool:
    """Whether a day that is so many days ago is to be counted again."""
    if row is None:
        return True
    wait = max(timedelta(seconds=settings.AUDIT_SECONDS), timedelta(hours=age), row.took * SHARE)
    if now < row.counted_at + wait:
        return False
    has_moved = row.mark != mark or age == 0 or row.difference > 0
    is_daily = age <= FULL_DAYS and now >= row.counted_at + timedelta(days=1)
    return has_moved or is_daily or (is_over and not row.is_full)


def days() -> list[date]:
    """Every day that there is something of, oldest first."""
    first, today = first_day(), datetime.now(UTC).date()
    if first is None:
        return []
    return [first + timedelta(days=number) for number in range((today - first).days + 1)]


def first_day() -> date | None:
    """The first day that messages or figures are of."""
    oldest = Message.objects.order_by("id").values_list("accepted_at", flat=True).first()
    figures = apps.get_model("analytics_app.HourlyStat").objects.aggregate(first=Min("hour"))["first"]
    moments = [each for each in (oldest, figures) if each is not None]
    return min(moments).astimezone(UTC).date() if moments else None


def recount_now(day: str) -> None:
    """Count a day in full, as somebody has asked for; a task in a worker."""
    recount(date.fromisoformat(day), full=True)


def recount(day: date, *, full: bool) -> list[Line] | None:
    """Count a day, keep what was found, and raise or end its alert; None where somebody else is at it."""
    began = time.monotonic()
    with transaction.atomic():
        if not _is_only_one():
            return None
        mark = _marks(day).get(day, "")
        lines = ledger.count(day)
        if full:
            lines = _with_findings(day, lines)
        difference = sum(line.difference for line in lines)
        _keep(day, lines)
        LedgerDay.objects.update_or_create(
            day=day,
            defaults={
                "counted_at": timezone.now(),
                "milliseconds": round((time.monotonic() - began) * 1000),
                "is_full": full,
                "mark": mark,
                "difference": difference,
            },
        )
        _report(day, lines, difference)
    return lines


def _is_only_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [queue.LOCK_CLASS, COUNTING])
        return bool(cursor.fetchone()[0])


def _marks(first: date) -> dict[date, str]:
    """What stands for the figures of each day: another number as soon as one of them changes."""
    statement = MARKS.format(figures=apps.get_model("analytics_app.HourlyStat")._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement, [ledger.bounds(first)["start"]])
        return dict(cursor.fetchall())


def _with_findings(day: date, lines: Sequence[Line]) -> list[Line]:
    """The lines with what the checks of every row found; and lines for systems that have nothing else."""
    by_system = {(line.system_id, line.is_test): line for line in lines}
    for (system_id, is_test), found in ledger_checks.findings(day).items():
        line = by_system.setdefault((system_id, is_test), Line(system_id=system_id, is_test=is_test))
        line.differences |= found
    return list(by_system.values())


def _keep(day: date, lines: Sequence[Line]) -> None:
    LedgerLine.objects.filter(day=day).delete()
    LedgerLine.objects.bulk_create(
        LedgerLine(
            day=day,
            system_id=line.system_id,
            is_test=line.is_test,
            messages=line.messages,
            accepted=line.accepted,
            states=dict(line.states),
            differences={name: asdict(found) for name, found in line.differences.items()},
        )
        for line in lines
    )


def _report(day: date, lines: Sequence[Line], difference: int) -> None:
    key = f"ledger:{day}"
    if not difference:
        alerts.resolve(key)
        return
    sums = _sums(lines)
    told = "; ".join(f"{number} {ledger_checks.LABELS[name]}" for name, number in sums.items())
    samples = chain.from_iterable(found.samples for line in lines for found in line.differences.values())
    alerts.raise_alert(
        key,
        Severity.CRITICAL,
        f"The ledger of {day} does not balance: {told}.",
        {"day": str(day), **sums, "samples": list(samples)[:10]},
    )


def _sums(lines: Sequence[Line]) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        for name, found in line.differences.items():
            sums[name] = sums.get(name, 0) + found.number
    return sums
