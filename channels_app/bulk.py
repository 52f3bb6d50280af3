"""One call for several deliveries, for providers that say the same to many."""

from collections.abc import Awaitable, Callable, Hashable, Sequence

from channels_app.contract import ChannelError, Outgoing, Sent, Unreachable, settled

Results = Sequence[Sent | ChannelError]


async def send_alike(
    messages: Sequence[Outgoing],
    *,
    alike: Callable[[Outgoing], Hashable],
    size: int,
    call: Callable[[Sequence[Outgoing]], Awaitable[Results]],
) -> list[Sent | ChannelError]:
    """Send what is ``alike`` together, at most ``size`` at once; one result each, in the order of the messages.

    What ``call`` raises holds for its whole group. Only a bad address is never everybody's: where the provider
    refused a group for one, each is sent alone.
    """
    results: dict[int, Sent | ChannelError] = {}
    for places in _groups(messages, alike, size):
        group = [messages[place] for place in places]
        results.update(zip(places, await _send(group, call), strict=True))
    return [results[place] for place in range(len(messages))]


def _groups(
    messages: Sequence[Outgoing], alike: Callable[[Outgoing], Hashable], size: int
) -> list[list[int]]:
    by_key: dict[Hashable, list[int]] = {}
    for place, message in enumerate(messages):
        by_key.setdefault(alike(message), []).append(place)
    return [
        places[start : start + size] for places in by_key.values() for start in range(0, len(places), size)
    ]


async def _send(
    group: Sequence[Outgoing], call: Callable[[Sequence[Outgoing]], Awaitable[Results]]
) -> Results:
    try:
        return await call(group)
    except Unreachable as error:
        if len(group) == 1:
            return [error]
        return [(await _send([message], call))[0] for message in group]
    except Exception as error:
        return [settled(error)] * len(group)


def only(results: Results) -> Sent:
    """The result of a single message; raises it where it is an error."""
    (result,) = results
    if isinstance(result, ChannelError):
        raise result
    return result
