"""How much each account may take at this moment: its places, its rates and quota, and its breaker.

One dispatching thread in each process asks here, for each of thousands of deliveries in a second: these are look-ups
and plain arithmetic. :meth:`Traffic.refresh` talks to the database, where all workers share what they know
(:mod:`channels_app.health`, :mod:`channels_app.pace`, :mod:`channels_app.places`). An account without limits that is
well costs nothing there but a look at those that are not.
"""

import logging
import os
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import Error, connection
from django.utils import timezone

from channels_app import health, pace, places
from channels_app.allowance import Allowance
from channels_app.breaker import Switch
from channels_app.contract import Adapter, ChannelError, Sent
from channels_app.health import HEALTHY
from channels_app.line import Line
from channels_app.models import Account
from channels_app.pace import Ask, AskOfDay, Pace
from channels_app.places import MARGIN
from pushcenter.purse import AWAY

K = TypeVar("K", bound=Hashable)
log = logging.getLogger(__name__)
#: So often, in seconds: anything at all; a look at the health of all accounts; a note of what is under way.
TICK, LOOK_EVERY, NOTE_EVERY = 0.04, 0.25, 5.0
#: Who looks at the console sees a note for so long.
NOTE_KEEPS = timedelta(seconds=3 * NOTE_EVERY)
#: Accounts that one refresh reports about or leases places for; the others have their turn at the next.
MOST_AT_ONCE = 10


class Traffic:
    """The accounts, as this process sees them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Begin anew, as another process: a child of a fork has begun no call and leased nothing."""
        self.process = uuid4().hex
        self._lines: dict[UUID, Line] = {}
        self._next = self._next_look = self._next_note = float("-inf")

    def room(self, account: Account, adapter: Adapter) -> int:
        """How many calls this account may begin now in this process."""
        line = self._lines.get(account.id)
        if line is None or line.version != account.updated_at:
            line = self._line(account, adapter)
        if line.is_plain:
            return line.places - line.calls
        return line.room(self._clock())

    def is_plain(self, account_id: UUID) -> bool:
        """Whether nothing but the places of this process stands in the way of a call; to be asked after the room."""
        line = self._lines.get(account_id)
        return line is not None and line.is_plain

    def portion(self, account_id: UUID, size: int) -> int:
        """How many messages one bulk call may carry, of so many: fewer at the end of a daily quota."""
        line = self._lines.get(account_id)
        return size if line is None else line.portion(size, self._clock())

    def is_healthy(self, account_id: UUID) -> bool:
        """Whether it is worth waiting for this account; otherwise the next one takes over, where there is one.

        It is not while its breaker is open, its provider hangs, its daily quota is used up or the provider has asked
        for a long pause. A worker that has claimed the probe may use it for that.
        """
        line = self._lines.get(account_id)
        return line is None or line.is_healthy(self._clock())

    def begin(self, account_id: UUID, messages: int = 1) -> None:
        """A call begins, with so many messages: it takes a place and a token, and of the quota one for each message."""
        line = self._lines.get(account_id)
        if line is not None:
            line.begin(messages, self._clock())

    def end(self, account_id: UUID, result: Sent | ChannelError, seconds: float) -> None:
        """A call is over after so many seconds, and this is what it came to."""
        line = self._lines.get(account_id)
        if line is not None:
            line.end(result, seconds, self._clock())

    def drop(self, account_id: UUID) -> None:
        """A call that was begun was not made after all."""
        line = self._lines.get(account_id)
        if line is not None:
            line.calls = max(0, line.calls - 1)

    def next_turn(self) -> float | None:
        """Seconds until an account that was asked for room and had none may have some; None where none was."""
        now = self._clock()
        waits = [wait for line in self._lines.values() if (wait := line.turn(now)) is not None]
        return min(waits, default=None)

    def keeps_pace(self, account: Account) -> bool:
        """Whether what goes to one address has to take turns."""
        return self._pace(account) is not None

    def waits_until(self, account: Account, wanted: Mapping[K, str]) -> dict[K, datetime]:
        """Take a turn for each message, named by any key, to its address, one statement for all.

        Those in the answer have none yet: they come again at that time and ask anew. Empty, and without a statement,
        where the account has no pace to keep. To be asked when there is room for them: a turn that is not used is lost.
        """
        at_pace = self._pace(account)
        if at_pace is None or not wanted:
            return {}
        try:
            waits: Mapping[K, float] = pace.turns(account.pk, wanted, at_pace)
        except Error as error:
            log.warning("the store of turns is away: %s", type(error).__name__)
            waits = dict.fromkeys(wanted, AWAY)
        now = timezone.now()
        return {key: now + timedelta(seconds=wait) for key, wait in waits.items()}

    def refresh(self) -> None:
        """Talk to the database, if it is time to: never within a transaction, and never raising its errors."""
        now = self._clock()
        if now < self._next or connection.in_atomic_block:
            return
        self._next = now + TICK
        try:
            self._look(now)
            self._lease(now)
            self._lease_of_day(now)
            self._lease_places(now)
            self._exchange(now)
            self._note(now)
        except Error as error:
            log.warning("the store of health and rates is away: %s", type(error).__name__)
            self._next = now + AWAY
            connection.close_if_unusable_or_obsolete()

    def leave(self) -> None:
        """Hand back what is leased, when this process stops; calls have to be over."""
        now = self._clock()
        try:
            self._settle_days([line for line in self._lines.values() if line.day is not None], now)
            for line in self._lines.values():
                if line.allowance.in_flight is not None:
                    self._take_places(line, line.calls, now)
        except Error as error:
            log.warning("leases could not be handed back: %s", type(error).__name__)

    def _line(self, account: Account, adapter: Adapter) -> Line:
        allowance = Allowance.of(account, adapter)
        line = self._lines.get(account.id)
        if line is None:
            line = self._lines[account.id] = Line(account.id, allowance, account.updated_at)
            self._next_look = float("-inf")
        else:
            line.set(allowance, account.updated_at)
        return line

    def _pace(self, account: Account) -> Pace | None:
        line = self._lines.get(account.id)
        if line is not None and line.version == account.updated_at:
            return line.allowance.pace
        number = account.address_rate_per_minute or account.adapter_class.capabilities.address_rate
        return Pace.per_minute(number) if number else None

    def _look(self, now: float) -> None:
        if now < self._next_look:
            return
        seen = health.look()
        for account_id, line in self._lines.items():
            line.saw(seen.get(account_id, HEALTHY), self.process, now)
        self._next_look = now + LOOK_EVERY

    def _lease(self, now: float) -> None:
        asks = {}
        for line in self._lines.values():
            limit = line.allowance.rate
            if limit is not None and line.rate is not None and line.lacks_tokens(now):
                wish = line.rate.wish(limit)
                asks[line.account_id] = Ask(
                    account_id=line.account_id, rate=limit.rate, burst=limit.burst, wish=wish
                )
        if not asks:
            return
        for (account_id, _), grant in pace.lease([*asks.values()]).items():
            line = self._lines[account_id]
            if line.rate is not None and line.allowance.rate is not None:
                line.rate.fill(asks[account_id].wish, grant, line.allowance.rate, now)

    def _lease_of_day(self, now: float) -> None:
        lines = [*self._lines.values()]
        asks = [
            AskOfDay(
                account_id=line.account_id,
                quota=line.day.limit.quota,
                day=line.day.day,
                wish=line.day.wish(line.day.limit),
            )
            for line in lines
            if line.day is not None and line.lacks_quota(now)
        ]
        self._ask_days(asks, now)
        self._settle_days([line for line in lines if line.has_quota_left(now)], now)

    def _settle_days(self, lines: Iterable[Line], now: float) -> None:
        asks = [
            AskOfDay(
                account_id=line.account_id,
                quota=line.day.limit.quota,
                day=line.day.day,
                wish=line.day.leave(),
            )
            for line in lines
            if line.day is not None
        ]
        self._ask_days(asks, now)

    def _ask_days(self, asks: list[AskOfDay], now: float) -> None:
        if not asks:
            return
        wishes = {each.account_id: each.wish for each in asks}
        for account_id, given in pace.lease_of_day(asks).items():
            day = self._lines[account_id].day
            if day is not None:
                day.take(wishes[account_id], given, now)

    def _lease_places(self, now: float) -> None:
        due = [
            (line, wants) for line in self._lines.values() if (wants := line.places_wanted(now)) is not None
        ]
        for line, wants in due[:MOST_AT_ONCE]:
            self._take_places(line, wants, now)

    def _take_places(self, line: Line, wants: int, now: float) -> None:
        limit = line.allowance.in_flight
        if limit is None:
            return
        line.asked_places(now)
        seconds = line.allowance.timeout + MARGIN
        given = places.lease(
            line.account_id, self.process, limit=limit, calls=line.calls, wants=wants, seconds=seconds
        )
        line.gave_places(given, now)

    def _exchange(self, now: float) -> None:
        has_turned = False
        said = ((line, line.said(self.process, now)) for line in self._lines.values())
        for number, (line, each) in enumerate((line, each) for line, each in said if each is not None):
            was_closed = line.switch is Switch.CLOSED
            line.told(health.exchange(line.account_id, each), self.process, now)
            has_turned |= was_closed != (line.switch is Switch.CLOSED)
            if number + 1 >= MOST_AT_ONCE:
                break
        if has_turned:
            tell()

    def _note(self, now: float) -> None:
        if now < self._next_note:
            return
        self._next_note = now + NOTE_EVERY
        lines = [line for line in self._lines.values() if line.calls or line.told_calls]
        if lines:
            health.saw(self.process, [(line.account_id, line.calls) for line in lines], keep=NOTE_KEEPS)
            for line in lines:
                line.told_calls = line.calls


def tell() -> None:
    """Tell whoever listens which breakers have opened or closed; a listener that fails is asked again later."""
    try:
        health.tell()
    except Error:
        raise
    except Exception:
        log.exception("somebody who listens to breakers failed")


def tidy() -> None:
    """What is done once a minute."""
    tell()
    pace.tidy()


traffic = Traffic()
os.register_at_fork(after_in_child=traffic.forget)
