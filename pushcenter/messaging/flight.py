"""A claimed delivery made ready for its adapter, and what comes of the call."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from channels_app import connections, registry
from channels_app.contract import Adapter, Address, ChannelError, Outgoing, Sent, Temporary, settled
from channels_app.models import Account
from pushcenter.messaging import retry
from pushcenter.messaging.content import content_of
from pushcenter.messaging.control import control
from pushcenter.messaging.models import AttemptOutcome, Delivery, Message
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Ended, Verdict
from templates_app.models import DoubtPolicy
from templates_app.render import RenderError

#: How long a delivery waits before it looks again for an account of its channel.
WITHOUT_ACCOUNT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """Everything that one call needs. No database is touched from here to the verdict."""

    delivery: Delivery
    adapter: Adapter
    account_id: UUID | None
    outgoing: Outgoing
    situation: retry.Situation

    async def fly(self) -> Ended:
        """Call the adapter when it has a place, and judge what came of it; never raises."""
        async with self.adapter.places:
            if await self._is_stopped():
                return _grounded(self.delivery, _stopped(timezone.now()))
            started = timezone.now()
            if not self._fits_into_lease(started):
                return _grounded(self.delivery, _give_back(started))
            result = await self._call()
        try:
            return self._ended(result, started)
        except Exception as error:  # what came back is nothing that the contract knows
            return self._ended(settled(error), started)

    def _ended(self, result: Sent | ChannelError, started: datetime) -> Ended:
        finished = timezone.now()
        return Ended(
            delivery_id=self.delivery.pk,
            claim=self.delivery.claims,
            number=self.outgoing.attempt,
            called=True,
            verdict=retry.decide(result, self.situation, now=finished),
            adapter=self.adapter.name,
            account_id=self.account_id,
            started_at=started,
            finished_at=finished,
            receipts=tuple(result.receipts) if isinstance(result, Sent) else (),
        )

    def _fits_into_lease(self, now: datetime) -> bool:
        # A call that outlives its lease could be repeated by another worker while it is still under way.
        lease_until = self.delivery.lease_until
        return (
            lease_until is None or now + timedelta(seconds=self.adapter.capabilities.timeout) <= lease_until
        )

    async def _is_stopped(self) -> bool:
        await control.fresh()
        return control.stops(self.delivery.message)

    async def _call(self) -> Sent | ChannelError:
        limit = self.adapter.capabilities.timeout
        try:
            return await asyncio.wait_for(self.adapter.send(self.outgoing), limit)
        except TimeoutError:
            return Temporary(f"no answer within {limit:g} s", code="timeout", maybe_sent=True)
        except asyncio.CancelledError:  # nobody cancels a flight: it comes from within the adapter
            return Temporary("the call was broken off", code="cancelled", maybe_sent=True)
        except Exception as error:
            return settled(error)


def prepare(
    delivery: Delivery, message: Message, accounts: Mapping[str, Sequence[Account]]
) -> Flight | Ended:
    """The flight of a claimed delivery, or the end of the claim where it cannot take off."""
    delivery.message = message  # so that nobody has to ask the database during the flight
    if not delivery.address:  # its person was erased while it was on its way
        return _grounded(delivery, _nowhere())
    try:
        adapter, account = _adapter(delivery, message, accounts)
        content = content_of(message, channel=delivery.channel, locale=delivery.locale)
    except connections.NoAccount as error:
        return _grounded(delivery, _wait_for_account(delivery, str(error)))
    except RenderError as error:
        return _grounded(delivery, _unrenderable(error))
    return Flight(
        delivery=delivery,
        adapter=adapter,
        account_id=account.pk if account else None,
        outgoing=Outgoing(
            id=str(delivery.pk),
            address=_address(delivery),
            content=content,
            attempt=delivery.attempts + 1,
            category=message.category,
            expires_at=delivery.expires_at,
            callback_url=account.callback_url if account else "",
            metadata=message.metadata,
        ),
        situation=retry.Situation(
            lane=delivery.lane,
            attempt=delivery.retries + 1,
            expires_at=delivery.expires_at,
            idempotent=adapter.capabilities.idempotent,
            can_look_up=adapter.capabilities.lookup and account is not None,
            hold_when_in_doubt=message.template.doubt_policy == DoubtPolicy.HOLD,
            maybe_sent=delivery.maybe_sent,
        ),
    )


def _adapter(
    delivery: Delivery, message: Message, accounts: Mapping[str, Sequence[Account]]
) -> tuple[Adapter, Account | None]:
    if message.is_test:
        return registry.adapter("simulated")({}), None
    account, adapter = connections.choose(accounts.get(delivery.channel, ()), _address(delivery))
    return adapter, account


def _address(delivery: Delivery) -> Address:
    return Address(kind=delivery.kind, value=delivery.address, locale=delivery.locale)


def _grounded(delivery: Delivery, verdict: Verdict) -> Ended:
    now = timezone.now()
    return Ended(
        delivery_id=delivery.pk,
        claim=delivery.claims,
        number=delivery.attempts,
        called=False,
        verdict=verdict,
        adapter="",
        account_id=None,
        started_at=now,
        finished_at=now,
    )


def _give_back(now: datetime) -> Verdict:
    return Verdict(
        state=State.PENDING,
        outcome=AttemptOutcome.THROTTLED,
        due_at=now,
        code="no_place",
        reason="the account had no place for it while it was claimed",
    )


def _stopped(now: datetime) -> Verdict:
    return Verdict(
        state=State.PENDING,
        outcome=AttemptOutcome.THROTTLED,
        due_at=now,
        code="paused",
        reason="it was paused or cancelled before the call",
    )


def _wait_for_account(delivery: Delivery, reason: str) -> Verdict:
    due_at = min(timezone.now() + WITHOUT_ACCOUNT, delivery.expires_at)
    return Verdict(
        state=State.PENDING,
        outcome=AttemptOutcome.MISCONFIGURED,
        due_at=due_at,
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
