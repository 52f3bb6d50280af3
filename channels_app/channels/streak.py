"""Many calls refused one after the other: then the account is wrong, and not the addresses."""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from channels_app.contract import ChannelError, Misconfigured

T = TypeVar("T")
#: So many refusals, without one success between them and within this time in seconds, speak of the account.
LIMIT, WITHIN_S = 20, 60.0


class Streak:
    """Keeps one wrong setting, such as test in place of production, from using up every address there is.

    ``codes`` are the provider's for what one address can cause as well as the account, ``sentence`` is what the
    operator reads.
    """

    def __init__(
        self, codes: Iterable[str], sentence: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._codes = frozenset(codes)
        self._sentence = sentence
        self._clock = clock
        self._refused: deque[float] = deque(maxlen=LIMIT)

    async def watch(self, call: Awaitable[T]) -> T:
        """The call's result; a streak of refusals raises :class:`Misconfigured` for the account in their place."""
        try:
            result = await call
        except ChannelError as error:
            if error.code in self._codes and self._has_grown_long():
                raise Misconfigured(self._sentence, code=error.code) from None
            raise
        self._refused.clear()
        return result

    def _has_grown_long(self) -> bool:
        now = self._clock()
        self._refused.append(now)
        return len(self._refused) == LIMIT and now - self._refused[0] <= WITHIN_S
