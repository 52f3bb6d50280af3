"""How much an account may do: its own settings, and where they are empty what the adapter says of its provider."""

from dataclasses import dataclass

from channels_app.contract import Adapter
from channels_app.models import Account
from channels_app.pace import Pace
from pushcenter.purse import Limit

#: A bucket is asked so often, in seconds, holds what its rate gives in this time, and its tokens are good for so long.
EVERY, BURST, LEASE = 0.1, 0.25, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Limits of one account; None is no limit.

    ``places`` are calls that one process may have under way, ``in_flight`` those of all processes. Where not
    ``is_judged``, failures say nothing of the account.
    """

    places: int
    timeout: float
    rate: Limit | None = None
    in_flight: int | None = None
    quota: int | None = None
    pace: Pace | None = None
    is_judged: bool = True

    @classmethod
    def of(cls, account: Account, adapter: Adapter) -> "Allowance":
        can = adapter.capabilities
        rate = account.rate_per_second or can.rate
        pace = account.address_rate_per_minute or can.address_rate
        return cls(
            places=adapter.concurrency,
            timeout=can.timeout,
            rate=Limit.of(rate=rate, burst=max(1, int(rate * BURST)), every=EVERY) if rate else None,
            in_flight=account.max_in_flight,
            quota=account.daily_quota,
            pace=Pace.per_minute(pace) if pace else None,
            is_judged=can.one_provider,
        )

    @property
    def is_free(self) -> bool:
        """Nothing has to be asked before a call."""
        return self.rate is None and self.in_flight is None and self.quota is None
