"""What one process holds of an account's daily quota."""

from dataclasses import dataclass
from datetime import date

from channels_app.pace import GrantOfDay
from pushcenter.purse import Purse, Wish

#: Tokens of a quota are held so long, in seconds, before they are handed back for others.
LEASE = 5.0
#: A quota that could not give what was asked for is asked again after so many seconds: somebody may have handed back.
EVERY = 2.0
#: The largest lease, as a part of the quota and in messages.
PART, MOST = 50, 500


class DayPurse(Purse):
    """Tokens that are good until midnight."""

    __slots__ = ("_midnight", "day", "is_spent", "limit")

    def __init__(self, quota: int) -> None:
        super().__init__(lease=LEASE)
        self.limit = DayLimit(quota=quota)
        self.day: date | None = None
        self.is_spent = False
        self._midnight = float("-inf")

    def held(self, now: float) -> int:
        return super().held(now) if now < self._midnight else 0

    def until_midnight(self, now: float) -> float:
        return max(0.0, self._midnight - now)

    def take(self, wish: Wish, given: GrantOfDay, now: float) -> None:
        self.fill(wish, given.grant, self.limit, now)
        self.day, self._midnight = given.day, now + given.ends_in
        self.is_spent = given.grant.left <= 0 and given.grant.tokens < 1
        if self.is_spent:
            self._next = min(self._next, self._midnight)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLimit:
    """A quota is a bucket that is filled at midnight."""

    quota: int

    @property
    def block(self) -> int:
        return max(1, min(self.quota // PART, MOST))

    def wait(self, left: float) -> float:
        return EVERY
