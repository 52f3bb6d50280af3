"""Claimed deliveries made ready for their adapter, and what comes of the call.

A flight is one call: of one delivery, or of several that say the same where the provider takes many at once.
"""

import asyncio
import time
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
from django.utils import timezone

from channels_app import connections
from channels_app.contract import Address, ChannelError, Outgoing, Sent, Temporary, settled
from channels_app.deadlines import TimeLimit
from pushcenter.lanes import ORDER, Lane
from pushcenter.messaging import content, leaving, retry
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.control import control
from pushcenter.messaging.knowledge import Knowledge
from pushcenter.messaging.models import AttemptOutcome
from pushcenter.messaging.seats import Seat, Seats
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended, Verdict
from templates_app.render import RenderError

#: How long a delivery waits before it looks again for an account of its channel.
WITHOUT_ACCOUNT = timedelta(seconds=30)
#: How long it waits where the accounts are busy.
WITHOUT_ROOM = timedelta(seconds=1)
_decode = msgspec.json.Decoder().decode


class Passenger(msgspec.Struct):
    """One delivery that is ready for its adapter.

    ``holds`` is its template's policy when it is in doubt; ``accounts`` is how many could take it now.
    """

    claimed: Claimed
    outgoing: Outgoing
    seat: Seat
    holds: bool
    accounts: int

    @property
    def is_to_be_assigned(self) -> bool:
        """Whether who finds the claim abandoned has to know the account: to ask it, or not to ask the one before."""
        before, now = self.claimed.account_id, self.seat.id
        return before != now and (before is not None or self.seat.adapter.capabilities.lookup)


class Flight(msgspec.Struct):
    """Everything that one call needs, and what came of it. No database is touched from here to the verdict.

    ``lease_until`` is a moment of the monotonic clock. The call is made for those who are ``going``, each with a place
    in ``results``; ``staying`` is what became of the other passengers. ``result`` is what the call came to, None where
    there was none: of several results a failure, where there is one.
    """

    passengers: Sequence[Passenger]
    seat: Seat
    lease_until: float
    going: Sequence[Passenger] = ()
    staying: Sequence[Ended] = ()
    results: Sequence[Sent | ChannelError] = ()
    result: Sent | ChannelError | None = None
    began_at: float = 0.0
    ended_at: float = 0.0

    @property
    def lane(self) -> str:
        """The most urgent of its lanes."""
        if len(self.passengers) == 1:
            return self.passengers[0].claimed.lane
        return min((Lane(each.claimed.lane) for each in self.passengers), key=ORDER.__getitem__)

    @property
    def seconds(self) -> float:
        """How long the call took."""
        return max(0.0, self.ended_at - self.began_at)

    async def fly(self, limit: TimeLimit) -> None:
        """Call the adapter; never raises. ``limit`` is that of the task.

        What is done here is done between two answers. Whatever can wait is left to :meth:`ends`, which is asked for
        many flights in a row, and takes half as long for each of them as it would here.
        """
        if not control.is_fresh:
            await control.fresh()
        adapter = self.seat.adapter
        seconds = adapter.capabilities.timeout
        # A call that outlives its lease could be repeated by another worker while it is still under way.
        if time.monotonic() + seconds > self.lease_until:
            self.staying = [grounded(each.claimed, _give_back()) for each in self.passengers]
            return
        going = self.going = self.passengers if control.is_clear else self._not_stopped()
        if not going:
            return
        self.began_at = time.time()
        limit.begin(seconds)
        try:
            if len(going) == 1:
                self.results = (await adapter.send(going[0].outgoing),)
            else:
                self.results = _complete(
                    await adapter.send_many([each.outgoing for each in going]), len(going)
                )
        except asyncio.CancelledError:  # its limit has, and nobody else but the adapter itself
            self._fail(_late(seconds) if limit.end() else _broken_off())
        except TimeoutError:
            self._fail(_late(seconds))
        except Exception as error:
            self._fail(_settled(error))
        finally:
            limit.end()
            self.ended_at = time.time()

    def ends(self) -> list[Ended]:
        """What became of each passenger, once the flight is over."""
        started = datetime.fromtimestamp(self.began_at, UTC)
        finished = datetime.fromtimestamp(self.ended_at, UTC)
        # Where a mistake of ours left no results, there is nothing to be said.
        called = zip(self.going, self.results, strict=False)
        ended = [self._ended(passenger, result, started, finished) for passenger, result in called]
        return [*self.staying, *ended]

    def _not_stopped(self) -> Sequence[Passenger]:
        stopped = [each for each in self.passengers if control.stops(each.claimed)]
        self.staying = [grounded(each.claimed, _stopped()) for each in stopped]
        return [each for each in self.passengers if each not in stopped]

    def _fail(self, error: ChannelError) -> None:
        self.results = [error] * len(self.going)

    def _ended(
        self, passenger: Passenger, result: Sent | ChannelError, started: datetime, finished: datetime
    ) -> Ended:
        try:
            verdict = self._verdict(passenger, result, finished)
            receipts = tuple(result.receipts) if isinstance(result, Sent) else ()
        except Exception as error:  # what came back is nothing that the contract knows
            result = _settled(error)
            verdict, receipts = self._verdict(passenger, result, finished), ()
        if self.result is None or isinstance(self.result, Sent):
            self.result = result
        return Ended(
            claimed=passenger.claimed,
            number=passenger.outgoing.attempt,
            called=True,
            verdict=verdict,
            adapter=self.seat.adapter.name,
            account_id=self.seat.id,
            started_at=started,
            finished_at=finished,
            receipts=receipts,
        )

    def _verdict(self, passenger: Passenger, result: Sent | ChannelError, now: datetime) -> Verdict:
        if isinstance(result, Sent):
            return retry.sent(result)
        claimed = passenger.claimed
        situation = retry.Situation(
            lane=claimed.lane,
            attempt=claimed.retries + 1,
            expires_at=claimed.expires,
            idempotent=self.seat.adapter.capabilities.idempotent,
            can_look_up=self.seat.adapter.capabilities.lookup and self.seat.id is not None,
            hold_when_in_doubt=passenger.holds,
            maybe_sent=claimed.maybe_sent == "t",
            accounts=passenger.accounts,
        )
        return retry.decide(settled(result), situation, now=now)


def prepare(claimed: Claimed, seats: Seats, knowledge: Knowledge) -> Passenger | Ended:
    """A claimed delivery ready for its adapter, or the end of the claim where it cannot take off."""
    if not claimed.address:  # its person was erased while it was on its way
        return grounded(claimed, _nowhere())
    address = Address(kind=claimed.kind, value=claimed.address, locale=claimed.locale)
    try:
        seat = seats.choose(claimed, address)
        said = content.compiled(claimed.version_id, claimed.channel, claimed.locale)
        leave = leaving.url_of(claimed.id, claimed.category) if said.leads_out else ""
        rendered = said.render(
            content.context(_decode(claimed.params), _decode(claimed.to), leave=leave),
            has_nulls="null" in claimed.params or "null" in claimed.to,
        )
    except connections.NoRoom as error:
        return grounded(claimed, wait(str(error), code="no_place", until=timezone.now() + WITHOUT_ROOM))
    except connections.NoAccount as error:
        return grounded(claimed, _wait_for_account(claimed, str(error)))
    except RenderError as error:
        return grounded(claimed, _unrenderable(error))
    outgoing = Outgoing(
        id=claimed.id,
        address=address,
        content=rendered,
        attempt=claimed.calls + 1,
        category=claimed.category,
        expires_at=claimed.expires,
        unsubscribe_url=leave,
        callback_url=seat.callback_url,
        metadata=_decode(claimed.metadata),
        is_tracked=claimed.template_id not in knowledge.untracked,
    )
    holds = claimed.template_id in knowledge.holding
    return Passenger(claimed, outgoing, seat, holds, seats.others(claimed))


def flights(passengers: Iterable[Passenger], lease_until: float) -> list[Flight]:
    """One flight for each call: alone, or with others that say the same through a provider that takes many."""
    found: list[Flight] = []
    together: dict[Hashable, list[Passenger]] = {}
    for each in passengers:
        if each.seat.adapter.capabilities.batch_size == 1:
            found.append(Flight((each,), each.seat, lease_until))
        else:
            together.setdefault((id(each.seat), _says(each.outgoing)), []).append(each)
    for group in together.values():
        size = group[0].seat.portion()
        starts = range(0, len(group), size)
        found += [Flight(group[start : start + size], group[0].seat, lease_until) for start in starts]
    return found


def _says(outgoing: Outgoing) -> tuple[bytes, str, bool]:
    return msgspec.json.encode(outgoing.content), outgoing.category, outgoing.is_tracked


def _late(seconds: float) -> ChannelError:
    return Temporary(f"no answer within {seconds:g} s", code="timeout", maybe_sent=True)


def _broken_off() -> ChannelError:
    return Temporary("the call was broken off", code="cancelled", maybe_sent=True)


def _complete(results: Sequence[Sent | ChannelError], number: int) -> Sequence[Sent | ChannelError]:
    if len(results) != number:
        raise ValueError("not one result for each message")
    return results


def _settled(error: Exception) -> ChannelError:
    return cast("ChannelError", settled(error))  # no exception becomes Sent


def grounded(claimed: Claimed, verdict: Verdict) -> Ended:
    """The end of a claim without a call."""
    now = timezone.now()
    return Ended(
        claimed=claimed,
        number=claimed.calls,
        called=False,
        verdict=verdict,
        adapter="",
        account_id=None,
        started_at=now,
        finished_at=now,
    )


def wait(reason: str, *, code: str, until: datetime) -> Verdict:
    """The verdict on one that was claimed and has to wait after all."""
    return Verdict(
        state=State.PENDING, outcome=AttemptOutcome.THROTTLED, due_at=until, code=code, reason=reason
    )


def _give_back() -> Verdict:
    return wait("the account had no place for it while it was claimed", code="no_place", until=timezone.now())


def _stopped() -> Verdict:
    return wait("it was paused or cancelled before the call", code="paused", until=timezone.now())


def _wait_for_account(claimed: Claimed, reason: str) -> Verdict:
    return Verdict(
        state=State.PENDING,
        outcome=AttemptOutcome.MISCONFIGURED,
        due_at=min(timezone.now() + WITHOUT_ACCOUNT, claimed.expires),
        code="no_account",
        reason=reason,
    )


def _nowhere() -> Verdict:
    return Verdict(
        state=State.FAILED,
        outcome=AttemptOutcome.REFUSED,
        code="no_address",
        reason="the address has been erased",
    )


def _unrenderable(error: RenderError) -> Verdict:
    return Verdict(
        state=State.FAILED,
        outcome=AttemptOutcome.REFUSED,
        code="render_error",
        reason=str(error),
        fall_back=True,
    )
