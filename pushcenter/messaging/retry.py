"""What follows from an attempt: a pure function of its result, the clock and the dice.

The table below is the whole retry policy. Waits are in seconds, the longest that the n-th retry may take; full
jitter draws from all of it, so that a thousand retries do not come back as one.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from pushcenter.lanes import Lane
from pushcenter.messaging.models import AttemptOutcome
from pushcenter.messaging.states import State
from pushcenter.messaging.verdicts import Verdict
from pushcenter.recipients.models import SuppressionReason

MINUTE = 60
HOUR = 60 * MINUTE

SCHEDULE: dict[str, tuple[int, ...]] = {
    Lane.CRITICAL: (1, 2, 4, 8, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE),
    Lane.HIGH: (2, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR),
    Lane.NORMAL: (5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR),
    Lane.LOW: (30, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR),
}
SHORTEST_WAIT = 0.2
#: What a provider asks for beyond it is not believed.
LONGEST_PAUSE = 24 * HOUR
AT_ONCE = timedelta(seconds=SHORTEST_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the policy has to know of a delivery.

    ``attempt`` counts from 1 and leaves throttled calls out; ``hold_when_in_doubt`` is the template's policy.
    ``maybe_sent`` says that an earlier attempt may have reached the provider.
    ``accounts`` is how many could take the message now, this one included: the next attempt is that of another one.
    With ``can_look_up`` the provider can be asked what came of an attempt, so that nobody has to guess.
    """

    lane: str
    attempt: int
    expires_at: datetime
    idempotent: bool
    hold_when_in_doubt: bool
    maybe_sent: bool = False
    accounts: int = 1
    can_look_up: bool = False

    @property
    def may_repeat(self) -> bool:
        """Could another attempt reach the person twice? What one provider knows again, another one does not."""
        return self.accounts > 1 or not self.idempotent

    @property
    def waits_in_doubt(self) -> bool:
        """Whether a message that the provider may have is not simply sent again."""
        return self.may_repeat and (self.can_look_up or self.hold_when_in_doubt)


def decide(
    result: Sent | ChannelError,
    situation: Situation,
    *,
    now: datetime,
    dice: Callable[[], float] = random.random,
) -> Verdict:
    """The verdict on one attempt. ``dice`` gives a number from 0 to 1."""
    match result:
        case Sent():
            return sent(result)
        case Temporary(maybe_sent=True) if situation.waits_in_doubt:
            return _verdict(State.IN_DOUBT, AttemptOutcome.TEMPORARY, result)
        case Temporary():
            return _again(result, situation, now=now, dice=dice)
        case Throttled():
            wait = max(SHORTEST_WAIT, min(LONGEST_PAUSE, result.retry_after)) * (1 + 0.1 * dice())
            return _postponed(
                result, AttemptOutcome.THROTTLED, situation, due_at=now + timedelta(seconds=wait)
            )
        case Unreachable():
            reason = SuppressionReason.OPTED_OUT if result.opted_out else SuppressionReason.UNREACHABLE
            return _verdict(State.FAILED, AttemptOutcome.UNREACHABLE, result, suppress=reason, fall_back=True)
        case Misconfigured():
            return _misconfigured(result, situation, now=now, dice=dice)
        case Refused() | _:
            return _verdict(State.FAILED, AttemptOutcome.REFUSED, result, fall_back=True)


def backoff(lane: str, attempt: int, *, dice: Callable[[], float]) -> timedelta | None:
    """How long to wait after the n-th attempt (from 1), or None where the schedule is at its end."""
    waits = SCHEDULE[lane]
    if attempt > len(waits):
        return None
    return timedelta(seconds=max(SHORTEST_WAIT, waits[attempt - 1] * dice()))


def sent(result: Sent) -> Verdict:
    """The provider took it."""
    return Verdict(
        state=State.DELIVERED if result.final else State.SENT,
        outcome=AttemptOutcome.SENT,
        provider_id=result.provider_id,
        reason=result.note,
    )


def _verdict(
    state: State,
    outcome: AttemptOutcome,
    error: ChannelError,
    *,
    suppress: str = "",
    fall_back: bool = False,
) -> Verdict:
    return Verdict(
        state=state,
        outcome=outcome,
        code=error.code or outcome.value,
        reason=error.detail,
        suppress=suppress,
        fall_back=fall_back,
    )


def _again(error: Temporary, situation: Situation, *, now: datetime, dice: Callable[[], float]) -> Verdict:
    wait = backoff(situation.lane, situation.attempt, dice=dice)
    if wait is not None and situation.attempt < situation.accounts and not error.maybe_sent:
        wait = AT_ONCE  # each account has its turn before anybody waits
    out_of_time = wait is None or now + wait >= situation.expires_at
    if out_of_time and (error.maybe_sent or situation.maybe_sent):
        return _verdict(State.IN_DOUBT, AttemptOutcome.TEMPORARY, error)
    if wait is None:
        return _verdict(State.FAILED, AttemptOutcome.TEMPORARY, error, fall_back=True)
    return _postponed(
        error, AttemptOutcome.TEMPORARY, situation, due_at=now + wait, maybe_sent=error.maybe_sent
    )


def _misconfigured(
    error: Misconfigured, situation: Situation, *, now: datetime, dice: Callable[[], float]
) -> Verdict:
    if error.scope is not Scope.ACCOUNT:
        return _verdict(State.FAILED, AttemptOutcome.MISCONFIGURED, error, fall_back=True)
    # At first soon, because the next claim takes another account; then as after any fault.
    wait = backoff(situation.lane, situation.attempt - 1, dice=dice) if situation.attempt > 1 else AT_ONCE
    if wait is None and situation.maybe_sent:
        return _verdict(State.IN_DOUBT, AttemptOutcome.MISCONFIGURED, error)
    if wait is None:
        return _verdict(State.FAILED, AttemptOutcome.MISCONFIGURED, error, fall_back=True)
    return _postponed(error, AttemptOutcome.MISCONFIGURED, situation, due_at=now + wait, pause_account=True)


def _postponed(
    error: ChannelError,
    outcome: AttemptOutcome,
    situation: Situation,
    *,
    due_at: datetime,
    maybe_sent: bool = False,
    pause_account: bool = False,
) -> Verdict:
    if due_at >= situation.expires_at:
        return Verdict(
            # That no attempt got through is not known where one before this had no known end.
            state=State.IN_DOUBT if situation.maybe_sent else State.EXPIRED,
            outcome=outcome,
            code="expired",
            reason=f"no time left for another attempt after: {error.detail}",
            fall_back=False,
            pause_account=pause_account,
        )
    return Verdict(
        state=State.PENDING,
        outcome=outcome,
        due_at=due_at,
        code=error.code or outcome.value,
        reason=error.detail,
        maybe_duplicate=maybe_sent and situation.may_repeat,
        maybe_sent=maybe_sent,
        pause_account=pause_account,
    )
