"""How long both versions are on a channel, in how many parts they go, and what that costs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median
from typing import Any

from channels_app.segments import segments
from templates_app.estimates import estimate

#: Longer texts are compared by lines, shorter ones by words.
LONG = 2_000


@dataclass(slots=True)
class Numbers:
    """One version on one channel: a number for each set."""

    lengths: list[int] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)

    def add(self, channel: str, content: Mapping[str, Any]) -> None:
        self.lengths.append(length(content))
        if channel == "sms":
            self.segments.append(segments(str(content.get("text", ""))).count)


@dataclass(slots=True)
class OnChannel:
    """Both versions on one channel; it ``is_new`` where the published version has nothing to say on it.

    ``price`` is of one text message, or of one message of any other channel; None where the account has none.
    """

    channel: str
    is_new: bool
    price: Decimal | None
    currency: str
    before: Numbers = field(default_factory=Numbers)
    after: Numbers = field(default_factory=Numbers)
    changed: int = 0

    @classmethod
    def of(cls, channel: str, *, is_new: bool) -> "OnChannel":
        one = estimate(channel, {"text": "-"})  # asked once: prices do not depend on what is said
        return cls(channel, is_new, one.price, one.currency)

    def cost(self, numbers: Numbers) -> Decimal | None:
        """Of all sets together."""
        return (
            None if self.price is None else self.price * sum(numbers.segments or [1] * len(numbers.lengths))
        )


def spread(numbers: Sequence[int]) -> tuple[int, int, int]:
    """The least, the one in the middle, the greatest."""
    return min(numbers), round(median(numbers)), max(numbers)


def length(content: Mapping[str, Any]) -> int:
    """Characters in all fields, markup included."""
    return sum(map(len, _texts(content)))


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> float:
    """How unlike two contents are, from 0 to 1: the share of their text that only one of them has."""
    if before == after:
        return 0.0
    texts = " ".join(_texts(before)), " ".join(_texts(after))
    one, other = [set(each.split() if len(each) <= LONG else each.splitlines()) for each in texts]
    whole = sum(map(len, one)) + sum(map(len, other))
    return max(sum(map(len, one ^ other)) / whole, 0.001) if whole else 0.001


def _texts(content: Mapping[str, Any]) -> list[str]:
    values = [value for value in content.values() if value is not None and not isinstance(value, bool)]
    return [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in values]
