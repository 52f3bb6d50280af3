"""What a difference of two shares is worth."""

import pytest

from pushcenter.messaging.chance import Share, Verdict, interval, p_value, verdict


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((0, 0), (5, 100), Verdict.TOO_FEW),
        ((1, 10), (5, 100), Verdict.TOO_FEW),
        ((50, 1000), (500, 10_000), Verdict.CHANCE),
        ((0, 1000), (0, 10_000), Verdict.CHANCE),
        ((1000, 1000), (10_000, 10_000), Verdict.CHANCE),
        ((67, 1000), (500, 10_000), Verdict.LIKELY),
        ((90, 1000), (500, 10_000), Verdict.SURE),
        # So few, and still beyond doubt.
        ((8, 10), (0, 1000), Verdict.SURE),
        ((0, 10), (1000, 1000), Verdict.SURE),
    ],
)
def test_verdicts(one: tuple[int, int], other: tuple[int, int], said: Verdict) -> None:
    assert verdict(Share(*one), Share(*other)) is said
    assert verdict(Share(*other), Share(*one)) is said


def test_small_numbers_are_counted_exactly() -> None:
    # Fisher's own example of the lady who tastes tea: three of four cups right.
    assert p_value(Share(3, 4), Share(1, 4)) == pytest.approx(0.4857, abs=1e-4)
    assert p_value(Share(2, 500), Share(0, 100_000)) == pytest.approx(2.5e-5, rel=0.05)


def test_large_numbers_go_by_the_normal_distribution() -> None:
    # Two of a thousand apart: z = (0.05 - 0.07) / sqrt(0.06 * 0.94 * 2 / 1000) = -1.883.
    assert p_value(Share(50, 1000), Share(70, 1000)) == pytest.approx(0.0597, abs=1e-3)


def test_the_interval_of_a_difference() -> None:
    # The example (a) of Newcombe (1998), method 10.
    low, high = interval(Share(56, 70), Share(48, 80))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert interval(Share(0, 0), Share(0, 0)) == (-1.0, 1.0)
