"""Figures for the reports: each change writes what it changes, in its own transaction; the rollup adds it up.

Nothing is counted twice and nothing forgotten, because a tally commits or vanishes with the fact it counts.
Messages of test keys are not counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pushcenter import prepared
from pushcenter.messaging.deliveries import Before, end_of
from pushcenter.messaging.models import Delivery, Interaction, Message
from pushcenter.messaging.states import REACHED, State

#: Ends that are counted as such; ``sent`` and ``delivered`` count whoever ever got there.
COUNTED_ENDS = frozenset(
    {State.UNDELIVERED, State.FAILED, State.SKIPPED, State.EXPIRED, State.CANCELLED, State.IN_DOUBT}
)


#: Hour, system, template, channel, measure; as values or as PostgreSQL writes them.
Figure = tuple[datetime | str, UUID | str, UUID | str, str, str]
STORE = """
INSERT INTO messaging_tally (hour, system_id, template_id, channel, measure, amount)
SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One measure of one delivery that went up or down."""

    message: Message
    channel: str
    measure: str
    amount: int = 1


def accepted(message: Message, deliveries: Iterable[Delivery]) -> Iterator[Change]:
    """A message came in."""
    for delivery in deliveries:
        yield Change(message=message, channel=delivery.channel, measure="accepted")
        yield from moved(message, delivery.channel, before=None, after=State(delivery.state))


def moved(message: Message, channel: str, *, before: State | None, after: State) -> Iterator[Change]:
    """A delivery came to an end, or back from one."""
    for measure, amount in _ends(before, after):
        yield Change(message=message, channel=channel, measure=measure, amount=amount)


def given_up(rows: Iterable[Delivery], wanted: State) -> Iterator[Change]:
    """Deliveries that waited were ended as this, or in doubt."""
    for row in rows:
        yield from moved(row.message, row.channel, before=State.PENDING, after=end_of(row, wanted))


def progressed(message: Message, channel: str, *, before: Before, after: State) -> Iterator[Change]:
    """A receipt moved a delivery: its end, and whether it got so far for the first time."""
    for measure, amount in steps(before, after):
        yield Change(message=message, channel=channel, measure=measure, amount=amount)


def steps(before: Before, after: State) -> Iterator[tuple[str, int]]:
    """Which measures change, and by how much, when a delivery moves."""
    yield from _ends(before.state, after)
    if after in REACHED and not before.was_sent:
        yield "sent", 1
    if after is State.DELIVERED and not before.was_delivered:
        yield "delivered", 1


def _ends(before: State | None, after: State) -> Iterator[tuple[str, int]]:
    if before == after:
        return
    if before in COUNTED_ENDS:
        yield before.value, -1
    if after in COUNTED_ENDS:
        yield after.value, 1


def interacted(interaction: Interaction) -> Change:
    """A person did something with a delivery for the first time."""
    delivery = interaction.delivery
    return Change(message=delivery.message, channel=delivery.channel, measure=interaction.kind)


def write(changes: Iterable[Change]) -> None:
    """Store what changed, one row for each figure."""
    sums: Counter[Figure] = Counter()
    for each in changes:
        message = each.message
        if not message.is_test:
            hour = message.accepted_at.replace(minute=0, second=0, microsecond=0)
            sums[hour, message.system_id, message.template_id, each.channel, each.measure] += each.amount
    store(sums)


def store(sums: Mapping[Figure, int]) -> None:
    """Store by how much each figure changed."""
    changed = [(*figure, amount) for figure, amount in sums.items() if amount]
    if changed:
        prepared.rows(STORE, *(prepared.array(column) for column in zip(*changed, strict=True)))
