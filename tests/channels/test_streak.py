"""Many addresses refused in a row speak of the account."""

import asyncio

import pytest

from channels_app.channels import Streak
from channels_app.channels.streak import LIMIT, WITHIN_S
from channels_app.contract import ChannelError, Misconfigured, Refused, Unreachable

FOREIGN = Unreachable("not for us", code="foreign")


class Calls:
    """Calls that end as they are told, each a second after the one before."""

    def __init__(self, pause: float = 1.0) -> None:
        self.now = 0.0
        self.pause = pause
        self.streak = Streak(["foreign"], "all are foreign", clock=lambda: self.now)

    def end(self, *ends: ChannelError | None) -> list[type]:
        return [asyncio.run(self._end(each)) for each in ends]

    async def _end(self, error: ChannelError | None) -> type:
        self.now += self.pause

        async def call() -> str:
            if error:
                raise error
            return "done"

        try:
            return type(await self.streak.watch(call()))
        except ChannelError as raised:
            return type(raised)


def test_a_long_row_of_refusals_speaks_of_the_account() -> None:
    ends = Calls().end(*[FOREIGN] * (LIMIT + 1))
    assert ends == [Unreachable] * (LIMIT - 1) + [Misconfigured] * 2


def test_one_success_ends_the_row() -> None:
    ends = Calls().end(*[FOREIGN] * (LIMIT - 1), None, FOREIGN)
    assert ends == [Unreachable] * (LIMIT - 1) + [str, Unreachable]


@pytest.mark.parametrize("other", [Unreachable("gone", code="gone"), Refused("no", code="bad")])
def test_other_ends_neither_lengthen_nor_end_the_row(other: ChannelError) -> None:
    ends = Calls().end(*[FOREIGN] * (LIMIT - 1), other, other, FOREIGN)
    assert ends[-3:] == [type(other), type(other), Misconfigured]


def test_refusals_that_come_now_and_then_are_no_row() -> None:
    ends = Calls(pause=WITHIN_S / (LIMIT - 2)).end(*[FOREIGN] * (3 * LIMIT))
    assert set(ends) == {Unreachable}
