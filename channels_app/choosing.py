"""Which account takes a message: a pure function of health, rank, weight and room.

An account that is not healthy is passed over, and so the next rank takes over. One that is only busy is waited for: a
rank has its number because its accounts are to be used before others. After a failure the next one in failover order
gets the message, and after the last the first.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account that takes the address. ``room`` is how many calls it can begin now."""

    id: UUID
    priority: int
    weight: int
    is_healthy: bool = True
    room: int = 1


def choose(
    candidates: Sequence[Candidate],
    *,
    failed: UUID | None = None,
    dice: Callable[[], float] = random.random,
) -> Candidate | None:
    """One of the candidates, which come in failover order; None means that the message has to wait.

    ``failed`` is the account through which the last attempt failed; ``dice`` gives a number from 0 to 1.
    """
    healthy = [each for each in candidates if each.is_healthy]
    others = _after(candidates, failed) if failed is not None else []
    if others:
        return next((each for each in others if each.room > 0), None)
    if not healthy:
        return None
    first = [each for each in healthy if each.priority == healthy[0].priority and each.room > 0]
    return _by_weight(first, dice) if first else None


def _after(candidates: Sequence[Candidate], failed: UUID) -> list[Candidate]:
    """The healthy others, beginning with the one after the failed one."""
    places = [place for place, each in enumerate(candidates) if each.id == failed]
    if not places:
        return []
    ring = [*candidates[places[0] + 1 :], *candidates[: places[0]]]
    return [each for each in ring if each.is_healthy]


def _by_weight(candidates: Sequence[Candidate], dice: Callable[[], float]) -> Candidate:
    point = dice() * sum(each.weight for each in candidates)
    for each in candidates:
        point -= each.weight
        if point < 0:
            return each
    return candidates[-1]
