"""Which account takes a delivery, and how many deliveries there is room for.

A slow account fills its own places and no other's. Less urgent lanes leave some of them free, so that a backlog in
one lane never keeps a more urgent one from an account that both use.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from channels_app import connections, registry
from channels_app.connections import NoRoom
from channels_app.contract import Adapter, Address
from channels_app.models import Account
from channels_app.traffic import traffic
from pushcenter.messaging.claims import Claimed, Queue
from pushcenter.messaging.knowledge import Knowledge
from pushcenter.messaging.runway import Runway

#: So many deliveries at once are told that their channel has no account at work; the others just wait.
TOLD = 100


class Seat:
    """An account with its adapter, and this dispatcher's calls through it; ``ahead`` of them may wait for a place."""

    __slots__ = ("account", "adapter", "ahead", "callback_url", "id", "runway")

    def __init__(self, adapter: Adapter, account: Account | None = None) -> None:
        self.adapter = adapter
        self.account = account
        self.id = str(account.pk) if account else None
        self.callback_url = account.callback_url if account else ""
        self.runway: Runway[Any] = Runway(adapter.concurrency, time.monotonic())
        self.ahead = 0

    def free(self, lane: str, *, is_only: bool = True) -> int:
        """How many calls for a lane may begin now, or soon where it is the only account: no other could take them."""
        self.runway.places = self.adapter.concurrency
        if self.account and self.account.max_in_flight:
            self.runway.places = min(self.runway.places, self.account.max_in_flight)
        free = self.runway.free(lane)
        if self.account is None:
            return max(0, free + self.ahead)
        if is_only and traffic.is_plain(self.account.pk):
            return max(0, free + self.ahead)
        return max(0, min(free, traffic.room(self.account, self.adapter)))

    def portion(self) -> int:
        """How many messages one call may carry."""
        size = self.adapter.capabilities.batch_size
        return max(1, traffic.portion(self.account.pk, size)) if self.account else size


class Standing(NamedTuple):
    """How a channel stands in this round: its only account, where there is just one, and how many are well."""

    only: Seat | None
    healthy: int


class Seats:
    """The seats of one dispatcher."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._known: dict[UUID | None, Seat] = {}
        self._promised: Counter[str] = Counter()
        self._standings: dict[str, Standing] = {}

    def begin_round(self) -> None:
        """What was promised in the last round has been claimed, or was not there."""
        self._promised.clear()
        self._standings.clear()
        now = time.monotonic()
        for seat in self._known.values():
            seat.ahead = seat.runway.ahead(now)

    def room(self, queue: Queue, limit: int) -> int:
        """For how many deliveries of a queue there is room, at most ``limit``; they are promised to it."""
        if queue.is_test:
            return min(limit, self._simulated.free(queue.lane))
        seats = self._seats(queue.channel)
        if not seats:
            return min(limit, TOLD)
        is_only = len(seats) == 1
        free = sum(
            seat.free(queue.lane, is_only=is_only) * seat.adapter.capabilities.batch_size
            for seat in self._first(seats)
        )
        granted = max(0, min(limit, free - self._promised[queue.channel]))
        self._promised[queue.channel] += granted
        return granted

    def choose(self, claimed: Claimed, address: Address) -> Seat:
        """The seat that a delivery takes; see :func:`channels_app.connections.choose` for what it raises."""
        if claimed.is_test == "t":
            return self._simulated
        if claimed.pinned_to:
            return self._pinned(claimed, address)
        standing = self._standing(claimed.channel)
        if standing.only and standing.only.adapter.takes(address):
            if standing.healthy:
                return standing.only
            raise NoRoom("the only account that takes such an address is out of order for the moment")
        account, adapter = connections.choose(
            self._knowledge.accounts.get(claimed.channel, ()),
            address,
            failed=claimed.failed_through,
            traffic=traffic,
        )
        return self._seat_of(account, adapter)

    def _pinned(self, claimed: Claimed, address: Address) -> Seat:
        """The account that was chosen for it, whatever the others are like."""
        for account in self._knowledge.accounts.get(claimed.channel, ()):
            if str(account.pk) == claimed.pinned_to and (seat := self._seat(account)):
                if not seat.adapter.takes(address):
                    break
                if traffic.is_healthy(account.pk):
                    return seat
                raise NoRoom("the account that was chosen for it is out of order for the moment")
        raise connections.NoAccount(
            "the account that was chosen for it is not at work, or takes no such address"
        )

    def others(self, claimed: Claimed) -> int:
        """How many accounts could take this message now; at least one."""
        return 1 if claimed.pinned_to else self._standing(claimed.channel).healthy or 1

    def _standing(self, channel: str) -> "Standing":
        known = self._standings.get(channel)
        if known is None:
            accounts = self._knowledge.accounts.get(channel, ())
            known = self._standings[channel] = Standing(
                only=self._seat(accounts[0]) if len(accounts) == 1 else None,
                healthy=sum(traffic.is_healthy(account.pk) for account in accounts),
            )
        return known

    @staticmethod
    def waits_until(seat: Seat, claimed: Iterable[Claimed]) -> Mapping[str, datetime]:
        """Which of these have to wait for the turn of their address, and until when; by their ids."""
        if seat.account is None or not traffic.keeps_pace(seat.account):
            return {}
        return traffic.waits_until(seat.account, {each.id: each.address for each in claimed})

    @staticmethod
    def _first(seats: Sequence[Seat]) -> Sequence[Seat]:
        """Those among which the next message is to choose: of the first rank of the healthy."""
        healthy = [seat for seat in seats if seat.account and traffic.is_healthy(seat.account.pk)]
        rank = min((seat.account.priority for seat in healthy if seat.account), default=0)
        return [seat for seat in healthy if seat.account and seat.account.priority == rank]

    @property
    def _simulated(self) -> Seat:
        seat = self._known.get(None)
        if seat is None:
            seat = self._known[None] = Seat(registry.adapter("simulated")({}))
        return seat

    def _seats(self, channel: str) -> list[Seat]:
        accounts = self._knowledge.accounts.get(channel, ())
        return [seat for account in accounts if (seat := self._seat(account))]

    def _seat(self, account: Account) -> Seat | None:
        try:
            return self._seat_of(account, connections.connect(account))
        except connections.NoAccount:
            return None

    def _seat_of(self, account: Account, adapter: Adapter) -> Seat:
        known = self._known.get(account.pk)
        if known is None or known.adapter is not adapter:
            known = self._known[account.pk] = Seat(adapter, account)
        known.account = account
        return known
