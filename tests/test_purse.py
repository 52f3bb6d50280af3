"""The arithmetic of leased tokens, with a clock that is handed in."""

import pytest

from pushcenter.purse import AWAY, BLOCK, LEASE, Grant, Limit, Purse, Wish

FAST = Limit.of(rate=1000, burst=1000)
SLOW = Limit.of(rate=2, burst=10)

LIMITS: dict[str, tuple[int, int, int, int]] = {
    "the default": (1000, 1000, 50, 1000),
    "slow": (2, 10, 1, 10),
    "slowest": (1, 1, 1, 1),
    "a burst that could not carry the rate": (1000, 1, 50, 100),
    "fast": (20_000, 50_000, 1000, 50_000),
}


@pytest.mark.parametrize(("rate", "burst", "block", "holds"), LIMITS.values(), ids=LIMITS)
def test_a_block_is_a_twentieth_of_the_rate(rate: int, burst: int, block: int, holds: int) -> None:
    limit = Limit.of(rate=rate, burst=burst)
    assert (limit.block, limit.burst) == (block, holds)


def leased(limit: Limit, tokens: int, *, left: float = 500.0, now: float = 100.0) -> Purse:
    """A purse right after a lease."""
    purse = Purse()
    purse.fill(purse.wish(limit), Grant(tokens=tokens, left=left), limit, now)
    return purse


def spend(purse: Purse, times: int, now: float) -> int:
    """How many of so many requests are let in."""
    return sum(purse.spend(now) for _ in range(times))


def test_a_new_purse_has_nothing_and_asks_at_once() -> None:
    purse = Purse()
    assert not purse.spend(0.0)
    assert purse.wait(0.0) == 0
    assert purse.wish(FAST) == Wish(take=50, back=0)


def test_a_lease_is_spent_token_by_token() -> None:
    purse = leased(FAST, 50)
    assert spend(purse, 60, 100.5) == 50
    assert purse.wait(100.5) == 0, "a full lease says that there is more"


def test_a_lease_ends_after_its_time() -> None:
    purse = leased(FAST, 50)
    assert purse.spend(100.0 + LEASE - 0.01)
    assert not purse.spend(100.0 + LEASE)


SPENT: dict[str, tuple[int, int, Wish]] = {
    "all of it": (50, 50, Wish(take=50, back=0)),
    "all of a small one": (8, 8, Wish(take=16, back=0)),
    "a part": (50, 13, Wish(take=13, back=37)),
    "one": (50, 1, Wish(take=1, back=49)),
}


@pytest.mark.parametrize(("tokens", "spent", "wish"), SPENT.values(), ids=SPENT)
def test_the_next_lease_follows_what_was_needed(tokens: int, spent: int, wish: Wish) -> None:
    purse = leased(FAST, tokens)
    assert spend(purse, spent, 100.5) == spent
    assert purse.wish(FAST) == wish


EMPTY: dict[str, tuple[Limit, Grant, float]] = {
    "fast": (FAST, Grant(tokens=0, left=0.4), BLOCK),
    "fast, something was left": (FAST, Grant(tokens=7, left=0.0), BLOCK),
    "slow": (SLOW, Grant(tokens=0, left=0.0), 0.5),
    "slow, nearly there": (SLOW, Grant(tokens=0, left=0.8), 0.1),
}


@pytest.mark.parametrize(("limit", "grant", "wait"), EMPTY.values(), ids=EMPTY)
def test_an_empty_bucket_is_left_alone_until_there_is_something(
    limit: Limit, grant: Grant, wait: float
) -> None:
    purse = Purse()
    purse.fill(purse.wish(limit), grant, limit, 100.0)
    assert spend(purse, 100, 100.0) == grant.tokens
    assert purse.wait(100.0) == pytest.approx(wait)
    assert purse.wait(100.0 + wait + 0.001) == 0


def test_a_store_that_is_away_is_left_alone_until_it_may_be_back() -> None:
    purse = leased(FAST, 50)
    purse.forgo(200.0)
    assert purse.is_away
    assert not purse.spend(200.0)
    assert purse.wait(200.5) == pytest.approx(AWAY - 0.5)
    purse.fill(purse.wish(FAST), Grant(tokens=50, left=0.0), FAST, 201.0)
    assert not purse.is_away
    assert purse.spend(201.0)


def test_what_remains_is_the_lease_and_the_bucket_as_it_fills() -> None:
    assert Purse().remaining(FAST, 0.0) == 1000
    purse = leased(FAST, 50, left=200.0)
    assert purse.remaining(FAST, 100.0) == 250
    spend(purse, 30, 100.0)
    assert purse.remaining(FAST, 100.125) == 345
    assert purse.remaining(FAST, 105.0) == 1000


def test_what_was_taken_beyond_the_lease_is_owed() -> None:
    purse = leased(FAST, 10)
    purse.owe(13)
    assert (purse.held(100.1), purse.unspent(100.1)) == (0, True)
    assert purse.leave() == Wish(take=0, back=-3)
    assert purse.wish(FAST).back == -3
    purse.fill(purse.leave(), Grant(tokens=0, left=0.0), FAST, 100.2)
    assert not purse.unspent(100.2)


def test_what_is_left_of_a_lease_that_is_over_can_be_handed_back() -> None:
    purse = leased(FAST, 10)
    assert spend(purse, 4, 100.5) == 4
    assert (purse.held(100.5), purse.unspent(100.5)) == (6, False)
    assert (purse.held(100.0 + LEASE), purse.unspent(100.0 + LEASE)) == (0, True)
    assert purse.leave() == Wish(take=0, back=6)
