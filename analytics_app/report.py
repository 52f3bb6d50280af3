"""The report: figures of a span of days, by day, channel, template or system. Reads the hourly figures alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from analytics_app.models import MEASURES, HourlyStat
from analytics_app.query import Query
from channels_app import registry

KEYS = {"channel": "channel", "template": "template__code", "system": "system__name"}

#: A delivery that ended without reaching anybody, though it was tried or was to be.
LOST = ("undelivered", "failed", "expired")
#: A delivery that was not tried: opted out, suppressed, cancelled …
LEFT_OUT = ("skipped", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums by measure, and the rates that follow from them."""

    sums: Mapping[str, int]

    def __getattr__(self, measure: str) -> int:
        try:
            return self.sums[measure]
        except KeyError:
            raise AttributeError(measure) from None

    @property
    def lost(self) -> int:
        return sum(self.sums[name] for name in LOST)

    @property
    def left_out(self) -> int:
        return sum(self.sums[name] for name in LEFT_OUT)

    @property
    def sent_rate(self) -> float | None:
        return rate(self.sums["sent"], self.sums["accepted"])

    @property
    def delivered_rate(self) -> float | None:
        return rate(self.sums["delivered"], self.sums["sent"])

    @property
    def opened_rate(self) -> float | None:
        return rate(self.sums["opened"], self.sums["sent"])

    @property
    def clicked_rate(self) -> float | None:
        return rate(self.sums["clicked"], self.sums["sent"])

    @property
    def converted_rate(self) -> float | None:
        return rate(self.sums["converted"], self.sums["sent"])

    @property
    def lost_rate(self) -> float | None:
        return rate(self.lost, self.sums["accepted"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table: ``key`` for programs, ``label`` for people."""

    key: str
    label: str
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    query: Query
    lines: list[Line]
    total: Figures

    @property
    def is_empty(self) -> bool:
        return not any(self.total.sums.values())


def rate(part: int, whole: int) -> float | None:
    """A share in per cent, or None of nothing."""
    return 100 * part / whole if whole else None


def build(query: Query) -> Report:
    sums = {name: Sum(name) for name in MEASURES}
    rows = _matching(query)
    if query.group == "day":
        by_day = rows.annotate(day=TruncDate("hour", tzinfo=timezone.get_current_timezone()))
        lines = list(_every_day(query, by_day.values("day").annotate(**sums)))
    elif query.group == "hour":
        lines = list(_every_hour(query, rows.values("hour").annotate(**sums)))
    else:
        key = KEYS[query.group]
        found = rows.values(key).annotate(**sums).order_by("-accepted", key)
        lines = [
            Line(key=row[key], label=_label(query.group, row[key]), figures=_figures(row)) for row in found
        ]
    return Report(query=query, lines=lines, total=_total(lines))


def totals(query: Query) -> Figures:
    """The sums of a span alone."""
    return _figures(_matching(query).aggregate(**{name: Sum(name) for name in MEASURES}))


def _matching(query: Query) -> QuerySet[HourlyStat]:
    rows = HourlyStat.objects.filter(hour__gte=query.start, hour__lt=query.end)
    if query.of_tests:
        return rows.none()
    wanted = {"channel": query.channel, "template": query.template, "system": query.system}
    return rows.filter(**{name: value for name, value in wanted.items() if value})


def _every_day(query: Query, rows: Iterable[Mapping[str, Any]]) -> Iterable[Line]:
    """A day on which nothing happened is a day of the report too."""
    known = {row["day"]: row for row in rows}
    for day in days(query.first, query.last):
        yield Line(key=day.isoformat(), label=day.isoformat(), figures=_figures(known.get(day, {})))


def _every_hour(query: Query, rows: Iterable[Mapping[str, Any]]) -> Iterable[Line]:
    """Hours are those of UTC, as they are stored, and so are their names."""
    known = {row["hour"]: row for row in rows}
    hour = query.start.astimezone(UTC).replace(minute=0)
    while hour < query.end:
        if hour >= query.start:
            name = hour.strftime("%Y-%m-%dT%H:%M:%SZ")
            yield Line(key=name, label=name, figures=_figures(known.get(hour, {})))
        hour += timedelta(hours=1)


def days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _figures(row: Mapping[str, Any]) -> Figures:
    return Figures(sums={name: row.get(name) or 0 for name in MEASURES})


def _total(lines: Iterable[Line]) -> Figures:
    everything = [line.figures.sums for line in lines]
    return Figures(sums={name: sum(sums[name] for sums in everything) for name in MEASURES})


def _label(group: str, value: str) -> str:
    known = registry.channels().get(value) if group == "channel" else None
    return str(known.label) if known else value
