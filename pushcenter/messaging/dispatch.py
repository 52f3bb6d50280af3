"""Dispatch: claim what is due in a lane, send it side by side, record each outcome as it comes.

The claim is committed before a provider is called, and no transaction or lock is held during the call. A new
claim fills the places that became free, so nothing waits for the slowest of a group.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from uuid import UUID

from django.conf import settings

from channels_app.models import Account
from pushcenter.messaging import loop, outcomes, queue, stops
from pushcenter.messaging.control import control
from pushcenter.messaging.flight import Flight, prepare
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.verdicts import Ended

#: Outcomes are recorded in groups at least this often, in seconds.
RECORD_WITHIN = 0.05
#: So many deliveries at the head of a lane are looked at together when a stopped batch stands there.
PUT_ASIDE = 1_000


def run(lane: str) -> int:
    """Serve a lane until nothing is due in it or the time of one task is up; returns how many claims ended.

    This is the task that a wake-up starts in a worker.
    """
    return _Dispatch(lane).work()


@dataclass(slots=True)
class _Dispatch:
    lane: str
    results: "SimpleQueue[Ended]" = field(default_factory=SimpleQueue)
    known: dict[UUID, tuple[Delivery, Message]] = field(default_factory=dict)
    ended: int = 0
    skip_to: datetime | None = None

    def work(self) -> int:
        until = time.monotonic() + settings.DISPATCH_SECONDS
        while time.monotonic() < until:
            if not self._step():
                queue.settle(self.lane)
                if not self._step():
                    self._come_back_when_due()
                    return self.ended
        while self.known:
            self._collect()
        queue.wake(self.lane)
        return self.ended

    def _step(self) -> bool:
        """Claim and collect once; False when there was nothing to do and nothing is under way."""
        claimed = self._claim()
        if self.known:
            self._collect()
            return True
        return claimed

    def _claim(self) -> bool:
        room = settings.DISPATCH_WINDOW - len(self.known)
        if room <= 0 or self.lane in stops.current().lanes:
            return False
        lease = timedelta(seconds=settings.LEASE_SECONDS)
        after, self.skip_to = self.skip_to, None
        deliveries = Delivery.objects.claim(lane=self.lane, limit=room, lease=lease, after=after)
        ours = self._not_held([each for each in deliveries if not each.held])
        if ours:
            control.claimed({each.batch_id for each in ours if each.batch_id})
            self._take_off(ours)
        if len(deliveries) - len(ours) > room // 2:
            self._get_past(deliveries)
        return bool(deliveries) or after is not None

    def _get_past(self, deliveries: Sequence[Delivery]) -> None:
        """What is stopped stands at the head of the lane. A batch is due at one moment, so that the next claim can look
        behind it, and what is there does not wait until all of the batch has been put aside.
        """
        Delivery.objects.put_aside(lane=self.lane, limit=PUT_ASIDE)
        Delivery.objects.put_aside_stopped(lane=self.lane, limit=PUT_ASIDE)
        self.skip_to = max(each.due_at for each in deliveries if each.held)

    def _not_held(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those whose template and system are not stopped; the others are put back, marked as held."""
        messages = Message.objects.select_related("template").in_bulk(
            [each.message_id for each in deliveries]
        )
        control.refresh()
        stopped = stops.current()
        for each in deliveries:
            each.message = messages[each.message_id]
            each.held = stopped.holds(each.message.system_id, each.message.template_id)
        stops.put_back(each for each in deliveries if each.held)
        return [each for each in deliveries if not each.held]

    def _take_off(self, deliveries: Sequence[Delivery]) -> None:
        accounts = _accounts()
        for delivery in deliveries:
            message = delivery.message
            self.known[delivery.pk] = (delivery, message)
            prepared = prepare(delivery, message, accounts)
            if isinstance(prepared, Flight):
                loop.submit(prepared.fly()).add_done_callback(self._landed)
            else:
                self.results.put(prepared)

    def _landed(self, future: "Future[Ended]") -> None:
        self.results.put(future.result())

    def _collect(self) -> None:
        """Wait for outcomes for a moment and record those that are there."""
        control.refresh()
        ended = self._arrived()
        if ended:
            outcomes.record(ended, self.known)
            self.ended += len(ended)
            for each in ended:
                del self.known[each.delivery_id]

    def _arrived(self) -> list[Ended]:
        arrived: list[Ended] = []
        until = time.monotonic() + RECORD_WITHIN
        while len(arrived) < len(self.known):
            try:
                arrived.append(self.results.get(timeout=max(0.0, until - time.monotonic())))
            except Empty:
                break
        return arrived

    def _come_back_when_due(self) -> None:
        if self.lane in stops.current().lanes:
            return  # who resumes it wakes it
        at = Delivery.objects.next_due(self.lane)
        if at is not None:
            queue.wake(self.lane, at)


def _accounts() -> dict[str, list[Account]]:
    by_channel: dict[str, list[Account]] = {}
    for account in Account.objects.usable():
        by_channel.setdefault(account.channel, []).append(account)
    return by_channel
