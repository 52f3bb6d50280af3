"""Which messages of a rehearsal are worth a look, before and after."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

from django.utils.safestring import SafeString

from pushcenter.messaging.rehearsal.sets import Set
from pushcenter.messaging.rehearsal.side import Side
from templates_app.looks import look
from templates_app.models import Variant
from templates_app.render import RenderError

SHOWN = 6
#: Characters; what is longer would make a page that no browser likes.
LONGEST = 300_000


class Order(Enum):
    DIFFERENT = "different"
    LONGEST = "longest"
    SHORTEST = "shortest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message on a channel that was rendered: how unlike both versions are, and how long it is now."""

    variant: Variant
    set: Set
    score: float
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How it looked, if there was anything, and how it would."""

    variant: Variant
    set: Set
    before: SafeString | None
    after: SafeString


KEYS: Mapping[Order, Callable[[Candidate], float]] = {
    Order.DIFFERENT: lambda each: -each.score,
    Order.LONGEST: lambda each: -each.length,
    Order.SHORTEST: lambda each: each.length,
    Order.NEWEST: lambda each: 0.0,  # the sets come in this order
}


def chosen(candidates: Iterable[Candidate], order: Order, *, channel: str = "") -> list[Candidate]:
    """Those to be shown: first the foremost of each channel and language, then the second of each, and so on."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for each in sorted(candidates, key=KEYS[order]):
        is_wanted = order is not Order.DIFFERENT or each.score > 0
        if is_wanted and channel in {"", each.variant.channel} and each.length <= LONGEST:
            groups.setdefault((each.variant.channel, each.variant.locale), []).append(each)
    turns = zip_longest(*groups.values())
    return [each for turn in turns for each in turn if each is not None][:SHOWN]


def pairs(candidates: Iterable[Candidate], *, before: Side | None, after: Side) -> list[Pair]:
    """The same, as they look."""
    return [
        Pair(
            variant=each.variant,
            set=each.set,
            before=_looked(before, each),
            after=look(each.variant.channel, after.content(each.variant, each.set)),
        )
        for each in candidates
    ]


def _looked(side: Side | None, each: Candidate) -> SafeString | None:
    variant = side.variant(each.variant.channel, each.set.locale) if side else None
    if side is None or variant is None:
        return None
    try:
        return look(variant.channel, side.content(variant, each.set))
    except RenderError:
        return None
