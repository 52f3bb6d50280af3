"""Several deliveries in one call: what goes together, and whose the result is."""

import asyncio
from collections.abc import Sequence

import pytest

from channels_app.bulk import only, send_alike
from channels_app.contract import ChannelError, Outgoing, Refused, Sent, Temporary, Unreachable
from tests.channels.provider import outgoing


class Calls:
    """Answers with the numbers of those it was called with, and keeps the groups."""

    def __init__(self, bad: str = "", error: Exception | None = None) -> None:
        self.groups: list[list[str]] = []
        self.bad, self.error = bad, error

    async def call(self, group: Sequence[Outgoing]) -> list[Sent | ChannelError]:
        values = [each.address.value for each in group]
        self.groups.append(values)
        if self.error:
            raise self.error
        if self.bad in values:
            raise Unreachable("one of them", code="bad")
        return [Sent(provider_id=each) for each in values]


def send(calls: Calls, *pairs: tuple[str, str], size: int = 3) -> list[Sent | ChannelError]:
    messages = [outgoing("phone", value, {"text": text}) for value, text in pairs]
    return asyncio.run(
        send_alike(messages, alike=lambda each: str(each.content["text"]), size=size, call=calls.call)
    )


def test_what_is_alike_goes_together_and_each_has_its_own_result() -> None:
    calls = Calls()
    results = send(calls, ("1", "a"), ("2", "b"), ("3", "a"), ("4", "a"), ("5", "a"))
    assert calls.groups == [["1", "3", "4"], ["5"], ["2"]]
    assert [each.provider_id for each in results if isinstance(each, Sent)] == ["1", "2", "3", "4", "5"]


def test_a_bad_address_is_found_by_sending_each_alone() -> None:
    calls = Calls(bad="2")
    results = send(calls, ("1", "a"), ("2", "a"), ("3", "a"))
    assert calls.groups == [["1", "2", "3"], ["1"], ["2"], ["3"]]
    assert [type(each) for each in results] == [Sent, Unreachable, Sent]


def test_any_other_error_is_everybodys() -> None:
    results = send(Calls(error=Refused("no", code="x")), ("1", "a"), ("2", "a"))
    assert [type(each) for each in results] == [Refused, Refused]


def test_a_fault_of_our_own_leaves_all_in_doubt() -> None:
    (result,) = send(Calls(error=KeyError("x")), ("1", "a"))
    assert isinstance(result, Temporary)
    assert result.maybe_sent


def test_the_only_result_is_given_or_raised() -> None:
    assert only([Sent(provider_id="7")]).provider_id == "7"
    with pytest.raises(Refused):
        only([Refused("no")])
