"""Flights wait for the places of their account, and the most urgent goes first."""

from pushcenter.lanes import Lane
from pushcenter.messaging.runway import Runway


def lined_up(**flights: int) -> Runway[str]:
    runway = Runway[str](places=10)
    for lane, number in flights.items():
        for each in range(number):
            runway.line_up(lane, f"{lane}-{each}")
    return runway


def taken(runway: Runway[str]) -> list[str]:
    found = []
    while flight := runway.take():
        found.append(flight)
    return found


def test_what_has_no_place_waits_until_another_lands() -> None:
    runway = lined_up(normal=12)
    assert taken(runway) == [f"normal-{number}" for number in range(9)]
    assert runway.free(Lane.NORMAL) == -3
    runway.land()
    assert taken(runway) == ["normal-9"]


def test_as_many_line_up_as_land_in_a_tenth_of_a_second() -> None:
    runway = lined_up(normal=300)
    assert runway.ahead(now=100.0) == 0
    for _ in range(50):
        runway.take()
        runway.land()
    assert runway.ahead(now=100.01) == 0  # so short a time says nothing
    assert runway.ahead(now=100.05) == 100
    assert runway.ahead(now=100.06) == 100
    assert runway.ahead(now=101.0) == 0, "behind a provider that hangs nothing gathers"


def test_a_runway_knows_its_pace_from_the_moment_it_opens() -> None:
    runway = Runway[str](places=10, now=100.0)
    for _ in range(60):
        runway.land()
    assert runway.ahead(now=100.25) == 24


def test_a_lane_that_waits_keeps_no_place_from_a_more_urgent_one() -> None:
    runway = lined_up(low=20)
    assert len(taken(runway)) == 8
    assert [runway.free(lane) for lane in Lane.values] == [2, 1, 1, -12]
    runway.line_up("critical", "now")
    assert taken(runway) == ["now"]


def test_the_most_urgent_goes_first_whenever_it_came() -> None:
    runway = lined_up(low=8, normal=9, critical=3)
    assert [each.partition("-")[0] for each in taken(runway)] == ["critical"] * 3 + ["normal"] * 6
    for _ in range(8):
        runway.land()
    assert [each.partition("-")[0] for each in taken(runway)] == ["normal"] * 3 + ["low"] * 4


def test_an_account_has_one_place_at_least() -> None:
    runway = lined_up(low=2)
    runway.places = 1
    assert taken(runway) == ["low-0"]
