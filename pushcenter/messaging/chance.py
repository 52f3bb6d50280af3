"""Whether two shares differ by more than chance. Pure arithmetic."""

from dataclasses import dataclass
from enum import Enum
from math import erfc, exp, lgamma, sqrt

#: Standard deviations on either side that 95 % of what chance does lies within.
WITHIN = 1.96
#: With fewer on either side, that nothing is seen says nothing.
FEW = 30
#: Below so many expected cases the normal distribution is no good, and each outcome is counted exactly.
EXPECTED = 5
#: Ten figures are compared, and looked at again and again: the usual one in a hundred would often be met by chance.
SURE, LIKELY = 0.005, 0.05


class Verdict(Enum):
    """What can be said of a difference."""

    TOO_FEW = "too_few"
    CHANCE = "chance"
    LIKELY = "likely"
    SURE = "sure"


@dataclass(frozen=True, slots=True)
class Share:
    """``part`` cases of ``whole``."""

    part: int
    whole: int

    @property
    def rate(self) -> float:
        return self.part / self.whole if self.whole else 0.0


def verdict(one: Share, other: Share) -> Verdict:
    """What a difference between them is worth, by the probability that equal ones differ as much."""
    if not one.whole or not other.whole:
        return Verdict.TOO_FEW
    probability = p_value(one, other)
    if probability < SURE:
        return Verdict.SURE
    if min(one.whole, other.whole) < FEW:
        return Verdict.TOO_FEW
    return Verdict.LIKELY if probability < LIKELY else Verdict.CHANCE


def p_value(one: Share, other: Share) -> float:
    """How probable so great a difference is where there is none: two-sided, by z, or by Fisher's exact test."""
    part, whole = one.part + other.part, one.whole + other.whole
    rarer = min(part, whole - part) * min(one.whole, other.whole) / whole
    return _fisher(one, other) if rarer < EXPECTED else _z(one, other)


def _z(one: Share, other: Share) -> float:
    pooled = (one.part + other.part) / (one.whole + other.whole)
    error = sqrt(pooled * (1 - pooled) * (1 / one.whole + 1 / other.whole))
    return erfc(abs(one.rate - other.rate) / error / sqrt(2))


def _fisher(one: Share, other: Share) -> float:
    part, whole = one.part + other.part, one.whole + other.whole
    outcomes = range(max(0, part - other.whole), min(part, one.whole) + 1)
    weights = [_ways(one.whole, each) + _ways(other.whole, part - each) for each in outcomes]
    seen = _ways(one.whole, one.part) + _ways(other.whole, other.part)
    all_ways = _ways(whole, part)
    return min(1.0, sum(exp(each - all_ways) for each in weights if each <= seen + 1e-9))


def _ways(number: int, chosen: int) -> float:
    """The logarithm of in how many ways so many can be chosen."""
    return lgamma(number + 1) - lgamma(chosen + 1) - lgamma(number - chosen + 1)


def interval(one: Share, other: Share) -> tuple[float, float]:
    """Where ``one.rate - other.rate`` really lies, with 95 % confidence (Newcombe's method, of Wilson's intervals)."""
    low, high = _wilson(one)
    other_low, other_high = _wilson(other)
    difference = one.rate - other.rate
    return (
        difference - sqrt((one.rate - low) ** 2 + (other_high - other.rate) ** 2),
        difference + sqrt((high - one.rate) ** 2 + (other.rate - other_low) ** 2),
    )


def _wilson(share: Share) -> tuple[float, float]:
    if not share.whole:
        return 0.0, 1.0
    square = WITHIN**2
    middle = (share.part + square / 2) / (share.whole + square)
    spread = share.rate * (1 - share.rate) / share.whole + square / (4 * share.whole**2)
    half = WITHIN * sqrt(spread) * share.whole / (share.whole + square)
    return max(0.0, middle - half), min(1.0, middle + half)
