"""Provider codes as tables: an adapter lists what each code means, and an unknown code is a value.

A table names for each code what to raise::

    CODES: Mapping[str, Meaning] = {
        "40003": Unreachable,  # no such openid
        "43004": partial(Unreachable, opted_out=True),  # the person follows us no more
        "45009": partial(Throttled, retry_after=3600),  # the quota of the day is used up
        "40001": STALE_TOKEN,  # fetched anew once, then the call is repeated
        "40037": partial(Misconfigured, scope=Scope.TEMPLATE),  # no such template
    }
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from channels_app.contract import ChannelError, Misconfigured, Refused, Temporary, Throttled
from channels_app.tokens import Fetch, Tokens

T = TypeVar("T")
#: Makes the error from its detail and code.
Meaning = Callable[..., ChannelError]
#: Of a provider's sentence no more than this is kept, in characters.
MAX_DETAIL = 300


class StaleToken(Misconfigured):
    """The provider takes this token no more. :func:`with_token` fetches another once; else it means what it is."""


#: For tables of codes.
STALE_TOKEN: Meaning = StaleToken


def error_for(
    code: object,
    table: Mapping[str, Meaning],
    *,
    default: Meaning = Refused,
    detail: str = "",
    retry_after: float | None = None,
) -> ChannelError:
    """The error that a provider's code stands for; ``default`` makes it where the code is not in the table.

    ``retry_after``, in seconds, is what the provider itself asked for, and goes before the table's.
    """
    error = table.get(str(code), default)(detail[:MAX_DETAIL], code=str(code))
    if isinstance(error, Throttled) and retry_after is not None:
        error.retry_after = retry_after
    return error


async def with_token(tokens: Tokens, name: str, fetch: Fetch, work: Callable[[str], Awaitable[T]]) -> T:
    """Do ``work`` with a token, and once more with a fresh one where it raises :class:`StaleToken`."""
    token = await _token(tokens, name, fetch)
    try:
        return await work(token)
    except StaleToken:
        return await work(await _token(tokens, name, fetch, refused=token))


async def _token(tokens: Tokens, name: str, fetch: Fetch, *, refused: str = "") -> str:
    try:
        return await tokens.get(name, fetch, refused=refused)
    except Temporary as error:
        error.maybe_sent = False  # whatever became of that call, it carried no message
        raise
