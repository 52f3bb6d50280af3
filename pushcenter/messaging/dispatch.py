"""Dispatch: claim what is due, send it side by side, record each outcome as it comes.

The claim is committed before a provider is called, and no transaction or lock is held during the call. A new
claim fills the places that became free, so nothing waits for the slowest of a group.

One dispatcher serves all lanes at once, each up to a number of its own, so that a backlog in one is no reason for
another to wait: what became due in the meantime is seen at the next round, some 20 milliseconds later.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from channels_app.deadlines import TimeLimit
from channels_app.traffic import traffic
from pushcenter import prepared
from pushcenter.lanes import Lane
from pushcenter.messaging import claims, loop, queue, stops
from pushcenter.messaging.claims import EVER, Claimed, Queue, Wish
from pushcenter.messaging.control import control
from pushcenter.messaging.flight import Flight, Passenger, flights, grounded, prepare, wait
from pushcenter.messaging.knowledge import Knowledge
from pushcenter.messaging.landing import Landing
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.recorder import Recorder
from pushcenter.messaging.seats import Seat, Seats
from pushcenter.messaging.verdicts import Ended

log = logging.getLogger(__name__)
#: Outcomes are recorded in groups at least this often, in seconds; so often, too, one looks for what became due.
ROUND = 0.02
#: When so many calls have ended, they are recorded before that.
ENOUGH = 200
#: So many deliveries at the head of a queue are looked at together when a stopped batch stands there.
PUT_ASIDE = 1_000
#: A queue that had something due and gave nothing is left alone for so long, in seconds: all of it has expired, or
#: another worker is at it.
BARREN = 0.5
#: A worker whose time is up serves these alone while its last calls end, for so many seconds. Where one of them
#: hangs, it goes on with all lanes.
URGENT = (Lane.CRITICAL, Lane.HIGH)
LAST_CALLS = 1.0
#: After so many turns it takes nothing new at all, so that it comes to an end.
TURNS = 6
#: When to look again for what is due and finds no room, in seconds.
LOOK_AGAIN = 1.0
#: So long at most, also where an account says that it takes longer: another may come to help.
LONGEST_SLEEP = 15.0
#: How often another worker is asked to help with a backlog, in seconds.
HELP_EVERY = 1.0


def run(lane: str) -> int:
    """Serve the lanes until nothing is due or the time of one task is up; returns how many claims ended.

    This is the task that a wake-up starts in a worker; ``lane`` is the one that was woken.
    """
    return Dispatcher().work()


class Dispatcher:
    """One worker's round trip between the database and the adapters."""

    def __init__(self) -> None:
        self.ended = 0
        self._lanes = tuple(settings.LANES)
        self._knowledge = Knowledge()
        self._seats = Seats(self._knowledge)
        self._landing = Landing()
        self._in_air = 0
        self._in_work: Counter[str] = Counter()
        self._grounded: list[Ended] = []
        self._recorder = Recorder(self._landing.wake)
        self._skip_to: dict[Queue, str] = {}
        self._barren: dict[Queue, float] = {}
        self._helped = float("-inf")
        self._turn_until = time.monotonic() + settings.DISPATCH_SECONDS
        self._end = self._turn_until + TURNS * settings.DISPATCH_SECONDS

    def work(self) -> int:
        """Go round and round; returns how many claims ended."""
        try:
            self._go_round()
        except (InterfaceError, OperationalError):
            self._save_what_is_known()
            raise
        finally:
            self._recorder.close()
        self._come_back_when_due()
        traffic.leave()
        return self.ended

    def _save_what_is_known(self) -> None:
        """The database went away: what providers have said is recorded when it is back, as long as a lease lasts."""
        until = time.monotonic() + settings.LEASE_SECONDS
        while (self._in_air or self._recorder.is_busy or self._grounded) and time.monotonic() < until:
            connection.close()
            try:
                self._collect()
            except (InterfaceError, OperationalError):
                time.sleep(queue.AWAY)

    def _go_round(self) -> None:
        busy_at = time.monotonic()
        while True:
            now = time.monotonic()
            if self.step():
                busy_at = now
            elif now - busy_at >= settings.DISPATCH_LINGER_MS / 1000:
                queue.settle(self._lanes)
                if not self.step():
                    break
            if now >= self._turn_until and not self._in_air and not self._recorder.is_busy:
                break

    def step(self) -> bool:
        """Claim and collect once; False when there was nothing to do and nothing is under way."""
        prepared.keep_plans_fresh()
        self._knowledge.refresh()
        traffic.refresh()
        claimed = self._claim()
        if self._in_air or self._grounded or self._recorder.is_busy:
            self._collect()
            return True
        if not claimed and settings.DISPATCH_LINGER_MS:
            time.sleep(ROUND)
        return claimed

    def _claim(self) -> bool:
        wishes = self._wishes()
        if not wishes:
            return False
        lease_until = time.monotonic() + settings.LEASE_SECONDS
        found = claims.claim(wishes, lease=settings.LEASE_SECONDS)
        self._remember_barren(wishes, found)
        aside = [each for each in found if each.was_put_aside]
        ours, held = self._parted([each for each in found if not each.was_put_aside])
        if aside or held:
            self._get_past([*aside, *held], wishes)
        self._ask_for_help(wishes, len(found))
        if ours:
            control.claimed({UUID(each.batch_id) for each in ours if each.batch_id})
            self._take_off(ours, lease_until)
        return bool(found) or any(wish.after != EVER for wish in wishes)

    def _wishes(self) -> list[Wish]:
        """How much to claim of which queue; the most urgent lane has the first word."""
        lanes = self._lanes_to_serve()
        if not lanes:
            return []
        now = time.monotonic()
        due = [
            each.queue for each in claims.waiting() if each.is_due and self._barren.get(each.queue, 0) <= now
        ]
        self._seats.begin_round()
        wishes = []
        for lane in lanes:
            room = settings.LANE_WINDOWS[lane] - self._in_work[lane]
            for each in due:
                if each.lane == lane and (size := self._seats.room(each, room)) > 0:
                    wishes.append(Wish(each, size, self._skip_to.pop(each, EVER)))
                    room -= size
        return wishes

    def _lanes_to_serve(self) -> list[str]:
        now = time.monotonic()
        going = [lane for lane in self._lanes if lane not in stops.current().lanes]
        if now < self._turn_until:
            return going
        if now >= self._end:
            return []
        if now >= self._turn_until + LAST_CALLS:
            self._turn_until = now + settings.DISPATCH_SECONDS
            return going
        return [lane for lane in going if lane in URGENT]

    def _remember_barren(self, wishes: Iterable[Wish], found: Iterable[Claimed]) -> None:
        until = time.monotonic() + BARREN
        fruitful = {each.queue for each in found}
        looked_at = {wish.queue for wish in wishes if wish.after == EVER}
        self._barren.update({each: until for each in looked_at if each not in fruitful})

    def _parted(self, claimed: Sequence[Claimed]) -> tuple[list[Claimed], list[Claimed]]:
        """Those that may go, and those whose template or system is stopped, which are put back and held."""
        stopped = stops.current()
        held = [each for each in claimed if stopped.holds_claimed(each)]
        stops.put_back(held)
        return [each for each in claimed if not stopped.holds_claimed(each)], held

    def _get_past(self, put_aside: Sequence[Claimed], wishes: Iterable[Wish]) -> None:
        """What is stopped stands at the head of a queue. A batch is due at one moment, so that the next claim can look
        behind it, and what is there does not wait until all of the batch has been put aside.
        """
        for wish in wishes:
            aside = [each for each in put_aside if each.queue == wish.queue]
            if len(aside) > wish.size // 2:
                claims.put_aside(wish.queue, limit=PUT_ASIDE)
                Delivery.objects.put_aside_stopped(wish.queue, limit=PUT_ASIDE)
                self._skip_to[wish.queue] = max(each.due_at for each in aside)

    def _ask_for_help(self, wishes: Iterable[Wish], found: int) -> None:
        """More waits than one claim could take: another worker is woken, if there is one."""
        now = time.monotonic()
        if found and found >= sum(wish.size for wish in wishes) and now - self._helped >= HELP_EVERY:
            self._helped = now
            for lane in {wish.queue.lane for wish in wishes}:
                queue.call_for_help(lane)

    def _take_off(self, claimed: Sequence[Claimed], lease_until: float) -> None:
        self._in_work.update(each.lane for each in claimed)
        ready: list[Passenger] = []
        for each in claimed:
            passenger = prepare(each, self._seats, self._knowledge)
            if isinstance(passenger, Passenger):
                ready.append(passenger)
            else:
                self._grounded.append(passenger)
        going = self._in_turn(ready)
        claims.assign([(each.claimed, each.seat.id) for each in going if each.is_to_be_assigned])
        self._start(flights(going, lease_until))

    def _in_turn(self, ready: Iterable[Passenger]) -> list[Passenger]:
        """Those whose address has its turn; the others wait for it."""
        by_seat: dict[int, list[Passenger]] = {}
        for each in ready:
            by_seat.setdefault(id(each.seat), []).append(each)
        going: list[Passenger] = []
        for group in by_seat.values():
            waits = self._seats.waits_until(group[0].seat, [each.claimed for each in group])
            if not waits:
                going += group
                continue
            for each in group:
                if at := waits.get(each.claimed.id):
                    self._grounded.append(
                        grounded(each.claimed, wait("its address had its turn", code="pace", until=at))
                    )
                else:
                    going.append(each)
        return going

    def _start(self, taking_off: Sequence[Flight]) -> None:
        for flight in taking_off:
            flight.seat.runway.line_up(flight.lane, flight)
            if flight.seat.account:
                traffic.begin(flight.seat.account.pk, len(flight.passengers))
        self._in_air += len(taking_off)
        if taking_off:
            loop.soon(self._begin, {flight.seat for flight in taking_off})

    def _begin(self, seats: Iterable[Seat]) -> None:
        """Each place that is free has a task, which takes one flight after the other while any wait."""
        for seat in seats:
            while flight := seat.runway.take():
                loop.begin(self._fly(seat, flight))

    async def _fly(self, seat: Seat, flight: Flight | None) -> None:
        runway, landing = seat.runway, self._landing
        with TimeLimit() as limit:
            while flight:
                try:
                    await flight.fly(limit)
                except Exception:  # a mistake of ours: the leases tell the sweep
                    log.exception("a call of %s came to no end", seat.adapter.name)
                runway.land()
                landing.land(flight)
                flight = runway.take()

    def _collect(self) -> None:
        """Wait for outcomes for a moment, and have those that are there recorded."""
        ended, self._grounded = self._grounded, []
        if self._in_air or self._recorder.is_busy:
            landed = self._landing.wait(self._enough(), ROUND)
            self._in_air -= len(landed)
            for flight in landed:
                ended += self._ends(flight)
        self._recorder.take(ended)
        self._note_stored()

    @staticmethod
    def _ends(flight: Flight) -> list[Ended]:
        account, ended = flight.seat.account, []
        try:
            ended = flight.ends()
        except Exception:  # as above
            log.exception("what a call of %s came to was not understood", flight.seat.adapter.name)
        if account and flight.result is not None:
            traffic.end(account.pk, flight.result, flight.seconds)
        elif account:
            traffic.drop(account.pk)
        return ended

    def _enough(self) -> int:
        """How many calls to wait for. Who lingers waits a moment for more than a few: each round has its price."""
        return ENOUGH if self._in_air and settings.DISPATCH_LINGER_MS else min(self._in_air, ENOUGH)

    def _note_stored(self) -> None:
        stored = self._recorder.stored()
        self.ended += len(stored)
        self._in_work.subtract(each.claimed.lane for each in stored)
        if any(each.verdict.pause_account for each in stored):
            self._knowledge.forget()

    def _come_back_when_due(self) -> None:
        """One wake-up for each lane in which something waits."""
        # What is due and was not taken found no room, unless the time was up.
        at_once = timezone.now()
        soon = at_once if time.monotonic() >= self._turn_until else at_once + self._until_there_is_room()
        earliest: dict[str, datetime] = {}
        for each in claims.waiting():
            lane, at = each.queue.lane, soon if each.is_due else each.due_at
            earliest[lane] = min(at, earliest.get(lane, at))
        for lane, at in earliest.items():
            if lane not in stops.current().lanes:  # who resumes it wakes it
                queue.wake(lane, at)

    @staticmethod
    def _until_there_is_room() -> timedelta:
        turn = traffic.next_turn()
        return timedelta(seconds=LOOK_AGAIN if turn is None else min(max(turn, ROUND), LONGEST_SLEEP))
