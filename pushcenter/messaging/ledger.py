"""The ledger: for every system and day, accepted = ended in each way + in flight.

Both sides are written by different hands: the figures (tallies and what they were folded into) by each change as it
happens, the rows by the flow itself. One statement counts the rows of a day and holds every figure against them, by
hour, template, channel and measure, in one snapshot, so that nothing moves meanwhile.

Days are those of UTC, by the moment in which a message was accepted. Messages of test keys have no figures; of them the
rows alone are counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction

from pushcenter.messaging.states import State
from pushcenter.messaging.tally import COUNTED_ENDS

#: What each measure of the figures counts, as the rows have it.
MEASURES = {
    "accepted": "count(*)",
    **{each: f"count(d.{each}_at)" for each in ("sent", "delivered", "opened", "clicked", "converted")},
    **{each.value: f"count(*) FILTER (WHERE d.state = '{each.value}')" for each in sorted(COUNTED_ENDS)},
}
#: Examples of what does not fit.
SAMPLES = 5

COUNT = """
WITH booked AS (
    SELECT date_trunc('hour', m.accepted_at, 'UTC') AS hour, m.system_id, m.is_test, m.template_id, d.channel,
           {measures},
           {states}
      FROM messaging_message m JOIN messaging_delivery d ON d.message_id = m.id
     WHERE m.accepted_at >= %(start)s AND m.accepted_at < %(end)s
       AND d.accepted_at >= %(start)s AND d.accepted_at < %(end)s
     GROUP BY 1, 2, 3, 4, 5
), cell AS (
    SELECT hour, system_id, template_id, channel, v.measure, v.amount AS booked, 0 AS told
      FROM booked CROSS JOIN LATERAL (VALUES {values}) AS v (measure, amount)
     WHERE NOT is_test
     UNION ALL
    SELECT hour, system_id, template_id, channel, v.measure, 0, v.amount
      FROM {figures} CROSS JOIN LATERAL (VALUES {values}) AS v (measure, amount)
     WHERE hour >= %(start)s AND hour < %(end)s
     UNION ALL
    SELECT hour, system_id, template_id, channel, measure, 0, amount
      FROM messaging_tally
     WHERE hour >= %(start)s AND hour < %(end)s AND measure = ANY(%(known)s)
), compared AS (
    SELECT hour, system_id, template_id, channel, measure, sum(booked) AS booked, sum(told) AS told
      FROM cell GROUP BY 1, 2, 3, 4, 5
), off AS (
    SELECT c.system_id, sum(abs(booked - told)) AS number,
           (array_agg(format('%%s %%s %%s %%s: %%s rows, the figures say %%s',
                             to_char(hour AT TIME ZONE 'UTC', 'HH24:00'), COALESCE(t.code, template_id::text), channel,
                             measure, booked, told)
                      ORDER BY hour, channel, measure))[1:{samples}] AS samples
      FROM compared c LEFT JOIN templates_app_template t ON t.id = c.template_id
     WHERE booked <> told GROUP BY 1
), messages AS (
    SELECT system_id, is_test, count(*) AS number
      FROM messaging_message
     WHERE accepted_at >= %(start)s AND accepted_at < %(end)s GROUP BY 1, 2
), told AS (
    SELECT system_id, false AS is_test, sum(told) FILTER (WHERE measure = 'accepted') AS accepted
      FROM compared GROUP BY 1
), states AS (
    SELECT system_id, is_test, sum(accepted) AS accepted, {state_sums} FROM booked GROUP BY 1, 2
)
SELECT system_id, is_test, COALESCE(messages.number, 0),
       COALESCE(CASE WHEN is_test THEN states.accepted ELSE told.accepted END, 0),
       {state_columns},
       COALESCE(off.number, 0), COALESCE(off.samples, '{{}}')
  FROM messages FULL JOIN states USING (system_id, is_test) FULL JOIN told USING (system_id, is_test)
  LEFT JOIN off USING (system_id)
 WHERE messages.number > 0 OR states.accepted > 0 OR told.accepted <> 0 OR off.number > 0
 ORDER BY 1, 2
"""


CALMLY = """
SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true)
"""


@dataclass(slots=True, kw_only=True)
class Finding:
    """How much one check found, and examples of it."""

    number: int
    samples: list[str]


@dataclass(slots=True, kw_only=True)
class Line:
    """One system on one day, as it was counted just now."""

    system_id: UUID
    is_test: bool
    messages: int = 0
    accepted: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    differences: dict[str, Finding] = field(default_factory=dict)

    @property
    def difference(self) -> int:
        return sum(each.number for each in self.differences.values())


def bounds(day: date) -> dict[str, datetime]:
    """The moments between which the messages of a day were accepted."""
    start = datetime.combine(day, time.min, UTC)
    return {"start": start, "end": start + timedelta(days=1)}


def count(day: date) -> list[Line]:
    """Count the rows of a day and hold the figures against them; a line for each system."""
    lines = []
    for system_id, is_test, messages, accepted, *rest in rows(_statement(), day, known=list(MEASURES)):
        states, (number, samples) = rest[: len(State)], rest[len(State) :]
        line = Line(
            system_id=system_id,
            is_test=is_test,
            messages=messages,
            accepted=int(accepted),
            states={state.value: int(value) for state, value in zip(State, states, strict=True) if value},
        )
        if number and not is_test:
            line.differences["figures"] = Finding(number=int(number), samples=samples)
        lines.append(line)
    return lines


def rows(statement: str, day: date, *, joins_the_day: bool = False, **params: Any) -> list[tuple[Any, ...]]:
    """What a statement finds of one day: with room to sort and hash, and on one processor, which others need, too.

    One that ``joins_the_day`` holds all rows of a day against each other. That goes by hashing: where the planner takes
    a table that has just been filled for an empty one, it would compare each with each.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CALMLY)
        if joins_the_day:
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(statement, {**bounds(day), **params})
        return cursor.fetchall()


def _statement() -> str:
    # The tier above owns the figures; this only points to them.
    figures = apps.get_model("analytics_app.HourlyStat")._meta.db_table
    states = [state.value for state in State]
    return COUNT.format(
        figures=figures,
        measures=", ".join(f"{sql} AS {name}" for name, sql in MEASURES.items()),
        states=", ".join(f"count(*) FILTER (WHERE d.state = '{each}') AS is_{each}" for each in states),
        values=", ".join(f"('{name}', {name})" for name in MEASURES),
        state_sums=", ".join(f"sum(is_{each}) AS is_{each}" for each in states),
        state_columns=", ".join(f"COALESCE(states.is_{each}, 0)" for each in states),
        samples=SAMPLES,
    )
