"""A canary beside the published version: what has become of the messages of each since it began.

No index knows the version of a message, and none is worth its cost for this page. So the template's messages are
gone through from the newest back, some thousands at a time, until the canary's beginning or until the time is up.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from pushcenter.ids import first_id, made_at
from pushcenter.messaging import trials
from pushcenter.messaging.chance import Share, Verdict, interval, verdict
from pushcenter.messaging.models import Message
from pushcenter.messaging.states import IN_FLIGHT, State
from templates_app.models import TemplateVersion

AT_ONCE = 2_000
#: Seconds after which nothing further is counted.
PATIENCE = 1.5
REACHED = ("sent", "delivered", "opened", "clicked", "converted")

# OFFSET 0 has each message look up its own deliveries by their index, whatever the planner thinks of reading them all.
DELIVERIES = f"""
SELECT m.version, d.state, d.code, count(*), {", ".join(f"count(d.{name}_at)" for name in REACHED)}
  FROM unnest(%s::uuid[], %s::uuid[]) AS m (id, version)
 CROSS JOIN LATERAL (SELECT * FROM messaging_delivery WHERE message_id = m.id OFFSET 0) AS d
 GROUP BY 1, 2, 3
"""  # noqa: S608  (nothing in it comes from outside)


@dataclass(slots=True)
class Figures:
    """Numbers of one version. ``reached`` and ``states`` are of deliveries; ``codes`` say why some went nowhere."""

    messages: int = 0
    deliveries: int = 0
    reached: "Counter[str]" = field(default_factory=Counter)
    states: "Counter[State]" = field(default_factory=Counter)
    codes: "Counter[tuple[State, str]]" = field(default_factory=Counter)

    def add(self, state: State, code: str, number: int, reached: Sequence[int]) -> None:
        self.deliveries += number
        self.states[state] += number
        self.reached.update(dict(zip(REACHED, reached, strict=True)))
        if code and state in {State.FAILED, State.UNDELIVERED, State.SKIPPED, State.IN_DOUBT}:
            self.codes[state, code] += number

    @property
    def tried(self) -> int:
        """Deliveries that somebody tried to make, and that are not under way any more."""
        out = sum(self.states[state] for state in (*IN_FLIGHT, State.SKIPPED, State.CANCELLED))
        return self.deliveries - out

    def share(self, name: str) -> Share:
        """The share that a line of the comparison is about."""
        if name == State.SKIPPED:
            return Share(self.states[State.SKIPPED], self.deliveries)
        if name in State.values and name not in REACHED:
            return Share(self.states[State(name)], self.tried)
        return Share(self.reached[name], self.tried if name == "sent" else self.reached["sent"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of both. ``low`` and ``high`` bound the difference of the rates, with 95 % confidence."""

    name: str
    canary: Share
    published: Share
    verdict: Verdict
    low: float
    high: float
    more_is_better: bool

    @property
    def difference(self) -> float:
        return self.canary.rate - self.published.rate

    @property
    def is_better(self) -> bool:
        return (self.difference > 0) is self.more_is_better

    @property
    def is_sure(self) -> bool:
        return self.verdict is Verdict.SURE


#: What is compared, and whether more of it is good.
COMPARED: Mapping[str, bool] = {
    "sent": True,
    "failed": False,
    "undelivered": False,
    "in_doubt": False,
    "expired": False,
    "skipped": False,
    "delivered": True,
    "opened": True,
    "clicked": True,
    "converted": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both since ``since``; that is later than the canary's beginning where there were too many to count them all."""

    canary: Figures
    published: Figures
    since: datetime
    is_complete: bool

    def lines(self) -> Iterator[Line]:
        """Those of which either version has any."""
        for name, more_is_better in COMPARED.items():
            one, other = self.canary.share(name), self.published.share(name)
            if one.part or other.part:
                low, high = interval(one, other)
                yield Line(
                    name=name,
                    canary=one,
                    published=other,
                    verdict=verdict(one, other),
                    low=low,
                    high=high,
                    more_is_better=more_is_better,
                )


def compare(canary: TemplateVersion, *, patience: float = PATIENCE) -> Comparison:
    """Count the messages of the canary and of the published version, none of test keys."""
    since = canary.canary_since
    published = canary.template.published
    if since is None or published is None:
        raise ValueError("There is nothing to compare.")
    figures = {canary.pk: Figures(), published.pk: Figures()}
    reached, is_complete = _count(canary.template_id, since, figures, time.monotonic() + patience)
    return Comparison(
        canary=figures[canary.pk], published=figures[published.pk], since=reached, is_complete=is_complete
    )


def _count(
    template: UUID, since: datetime, figures: Mapping[UUID, Figures], until: float
) -> tuple[datetime, bool]:
    """Back to when it came, and whether that is all."""
    first, of_tests = first_id(since), trials.system_id()
    rows = Message.objects.filter(template=template, pk__gte=first).order_by("-id")
    rest = rows
    while True:
        found = list(rest.values_list("pk", "version", "is_test", "system", "batch")[:AT_ONCE])
        _add(
            [
                (pk, version)
                for pk, version, is_test, system, batch in found
                # A broadcast from before is made into messages later, and none of them gets the canary.
                if version in figures and not is_test and system != of_tests and (batch or first) >= first
            ],
            figures,
        )
        if len(found) < AT_ONCE:
            return since, True
        if time.monotonic() > until:
            return made_at(found[-1][0]), False
        rest = rows.filter(pk__lt=found[-1][0])


def _add(messages: Sequence[tuple[UUID, UUID]], figures: Mapping[UUID, Figures]) -> None:
    for _pk, version in messages:
        figures[version].messages += 1
    with connection.cursor() as cursor:
        cursor.execute(DELIVERIES, [[pk for pk, _ in messages], [version for _, version in messages]])
        rows: list[Any] = cursor.fetchall()
    for version, state, code, number, *reached in rows:
        figures[version].add(State(state), code, number, reached)
