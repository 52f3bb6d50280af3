"""What a broadcast would come to: the same decisions for the same people, and nothing stored.

Up to ``EXACT`` people each of them is looked at. Of more, an even sample is, and its figures are scaled up.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from pushcenter.ids import uuid7
from pushcenter.messaging import brake, broadcast
from pushcenter.messaging.models import Attempt, AttemptOutcome
from pushcenter.messaging.request import Caller, Request
from pushcenter.messaging.routing import Choice, Decision, plan, why_nothing
from pushcenter.recipients.audience import Audience
from pushcenter.recipients.models import Recipient
from pushcenter.recipients.resolve import people

#: So many people are all looked at; of more, about so many.
EXACT = 20_000
CHUNK = 2_000
#: The speed is that of the best second among so many of the latest attempts.
LATEST = 5_000


@dataclass(slots=True)
class Counted:
    """What was found among the people that were looked at. ``channels`` counts by channel and choice or reason."""

    looked_at: int = 0
    reached: int = 0
    channels: dict[str, "Counter[str]"] = field(default_factory=dict)
    left_out: "Counter[str]" = field(default_factory=Counter)

    def add(self, decisions: Sequence[Decision]) -> None:
        self.looked_at += 1
        for each in decisions:
            said = each.reason if each.choice is Choice.SKIPPED else each.choice
            self.channels.setdefault(each.channel, Counter())[said.value] += 1
        reason = why_nothing(decisions)
        if reason is None:
            self.reached += 1
        else:
            self.left_out[reason.value] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """``sampled`` is how many people were looked at, where not all were; figures are scaled up then.

    ``channels`` says for each channel how many it is ``chosen`` for, for how many it is kept as ``fallback``, and why
    others are ``skipped``. ``seconds`` is None where nothing was sent lately.
    """

    people: int
    reached: int
    sampled: int | None
    channels: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, int]
    seconds: float | None
    per_second: int | None
    estimate: str


def forecast(request: Request, given: Mapping[str, Any], *, caller: Caller) -> Forecast:
    """Raises as accepting the broadcast would, but for quotas."""
    terms, number = broadcast.checked(request, given, caller=caller, batch_id=uuid7())
    audience = Audience.of(given).people(before=terms.accepted_at)
    is_sample = number > EXACT
    counted = Counted()
    for ids in _chunks(_sample(audience, number // EXACT + 1) if is_sample else audience):
        found = people(ids)
        for each in ids:
            if each in found:
                counted.add(plan(terms.route, found[each]))
    return _scaled(counted, number, is_sample=is_sample)


def _sample(audience: QuerySet[Recipient], every: int) -> QuerySet[Recipient]:
    """One of so many, spread evenly and always the same."""
    place = RawSQL("mod(abs(uuid_hash(recipients_recipient.id)::bigint), %s)", [every])
    return audience.annotate(place=place).filter(place=0)


def _chunks(audience: QuerySet[Recipient]) -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        rest = audience.filter(pk__gt=last) if last else audience
        ids = list(rest.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return
        yield ids
        last = ids[-1]


def _scaled(counted: Counted, number: int, *, is_sample: bool) -> Forecast:
    factor = number / counted.looked_at if counted.looked_at else 0.0

    def scaled(count: int) -> int:
        return round(count * factor) if is_sample else count

    chosen = sum(scaled(counts[Choice.CHOSEN.value]) for counts in counted.channels.values())
    speed = _speed()
    wait = settings.BRAKE_WAIT if brake.slice_of(number) else 0
    return Forecast(
        people=number,
        reached=scaled(counted.reached),
        sampled=counted.looked_at if is_sample else None,
        channels=[_channel(name, counts, scaled) for name, counts in counted.channels.items()],
        left_out={reason: scaled(count) for reason, count in counted.left_out.items()},
        seconds=round(chosen / speed + wait, 1) if speed else None,
        per_second=speed,
        estimate=(
            f"at the speed of the best second among the last {LATEST:,} attempts{_braked(wait)}"
            if speed
            else "nothing has been sent yet, so that the speed is not known"
        ),
    )


def _braked(wait: int) -> str:
    return f", and {wait} s for the first slice to be watched" if wait else ""


def _channel(name: str, counts: "Counter[str]", scaled: Any) -> dict[str, Any]:
    choices = {Choice.CHOSEN.value, Choice.FALLBACK.value}
    return {
        "channel": name,
        "chosen": scaled(counts[Choice.CHOSEN.value]),
        "fallback": scaled(counts[Choice.FALLBACK.value]),
        "skipped": {reason: scaled(count) for reason, count in counts.items() if reason not in choices},
    }


def _speed() -> int | None:
    """Deliveries per second that this installation has shown lately."""
    latest = Attempt.objects.filter(outcome=AttemptOutcome.SENT).order_by("-id")[:LATEST]
    sent: Counter[int] = Counter(int(at.timestamp()) for at in latest.values_list("finished_at", flat=True))
    return max(sent.values(), default=None)
