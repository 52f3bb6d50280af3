"""What one worker process knows of one account: calls under way, tokens and places in hand, the breaker as last seen.

Everything here is arithmetic on what :mod:`channels_app.traffic` brings from the database; times are seconds of a clock
that is handed in.
"""

from enum import Enum, auto
from uuid import UUID

from channels_app.allowance import LEASE, Allowance
from channels_app.breaker import Switch
from channels_app.contract import ChannelError, Scope, Sent, Temporary, Throttled
from channels_app.health import Said, Seen
from channels_app.places import MARGIN
from channels_app.quota import DayPurse
from channels_app.watch import Watch
from pushcenter.purse import Purse

NEVER = float("-inf")
#: All places are taken, and the last of them for so long: the provider hangs.
HANGING = 3.0
#: An account that is to wait longer than this is passed over, where another can take over.
PATIENCE = 30.0
#: What a provider asks for beyond it is not believed, as in the retry policy.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 24 * 3600.0
#: Reports of one account are so far apart; what a probe came to is told at once.
REPORT_EVERY = 0.5
#: A claim on the probe outlasts the call: within this time it has to begin.
PROBE_MARGIN = 10.0
#: Whoever asked for room wants to use it for so long.
WANTED_FOR = 2.0
#: Places are renewed so often while they are used, and asked for so often while others have them.
RENEW_EVERY, ASK_EVERY = 1.0, 0.25
#: How long the dispatcher may sleep over a quota that is used up.
LOOK_AT_DAY = 60.0
SOON = 0.05


class Probe(Enum):
    """The one call that tries out an account whose breaker is open, where it is ours to make."""

    NOT_OURS = auto()
    GRANTED = auto()
    UNDER_WAY = auto()
    ANSWERED = auto()
    FAILED = auto()


class Line:
    """One account, as one process sees it. Only the dispatching thread uses it."""

    def __init__(self, account_id: UUID, allowance: Allowance, version: object) -> None:
        self.account_id = account_id
        #: Calls under way, and how many the database was told of.
        self.calls = self.told_calls = 0
        #: Nothing stands in the way of a call but the places of this process.
        self.is_plain = True
        self.watch = Watch()
        self.rate: Purse | None = None
        self.day: DayPurse | None = None
        self.switch = Switch.CLOSED
        self._is_troubled = False
        self._open_until = self._slowed_until = NEVER
        self._slow = 0.0  # a pause that the others have not been told of
        self._probe, self._probed = Probe.NOT_OURS, NEVER
        self._error = ("", "")
        self._begun = self._wanted = self._reported = NEVER
        self._places, self._asked_places, self._renewed = 0, NEVER, NEVER
        self.set(allowance, version)

    def set(self, allowance: Allowance, version: object) -> None:
        """Take over limits that may have changed; what is under way goes on."""
        self.allowance, self.version, self.places = allowance, version, allowance.places
        self.rate = (self.rate or Purse(lease=LEASE)) if allowance.rate else None
        if allowance.quota is None:
            self.day = None
        elif self.day is None or self.day.limit.quota != allowance.quota:
            self.day = DayPurse(allowance.quota)
        self._settle()

    def _settle(self) -> None:
        is_well = self.switch is Switch.CLOSED and self._slowed_until == NEVER
        self.is_plain = is_well and self.allowance.is_free

    # --- Before a call -------------------------------------------------------------------------------------

    def room(self, now: float) -> int:
        """How many calls may begin now."""
        if self.is_plain:
            return self.places - self.calls
        self._wanted = now
        if self.switch is not Switch.CLOSED:
            return min(1, self._free(now)) if self._may_probe(now) else 0
        return 0 if now < self._slowed_until else self._free(now)

    def portion(self, size: int, now: float) -> int:
        """How many messages a call may carry, of so many."""
        return size if self.day is None else min(size, self.day.held(now))

    def is_healthy(self, now: float) -> bool:
        """Whether to wait for this account where it has no room, or to pass it over."""
        if self.is_plain and self.calls < self.places:
            return True
        if self.switch is not Switch.CLOSED:
            self._wanted = now
            return self._may_probe(now)
        if self._hangs(now):
            return False
        if self.is_plain:
            return True
        if self.day is not None and self.day.is_spent:
            self._wanted = now
            return self.day.held(now) > 0 or self.day.until_midnight(now) < PATIENCE
        return self._slowed_until - now < PATIENCE

    def _free(self, now: float) -> int:
        room = self.places - self.calls
        if self.allowance.in_flight is not None:
            room = min(room, self._places_left(now))
        if self.rate is not None:
            room = min(room, self.rate.held(now))
        if self.day is not None:
            room = min(room, self.day.held(now))
        return max(0, room)

    def _places_left(self, now: float) -> int:
        return max(0, self._places - self.calls) if now - self._renewed < MARGIN else 0

    def _hangs(self, now: float) -> bool:
        most = self.allowance.places
        if self.allowance.in_flight is not None:
            most = max(1, min(most, self._places))
        return self.calls >= most and now - self._begun > HANGING

    def _may_probe(self, now: float) -> bool:
        return self._probe is Probe.GRANTED and now < self._open_until - self.allowance.timeout

    def turn(self, now: float) -> float | None:
        """Seconds until there may be room, where somebody wants it and there is none."""
        if self.is_plain or not self._is_wanted(now):
            return None
        waits = [*self._waits(now)]
        return max(SOON, *waits) if waits else None

    def _waits(self, now: float) -> list[float]:
        waits = []
        if self.switch is not Switch.CLOSED and not self._may_probe(now):
            waits.append(self._open_until - now)
        if now < self._slowed_until:
            waits.append(self._slowed_until - now)
        if self.rate is not None and not self.rate.held(now):
            waits.append(self.rate.wait(now))
        if self.day is not None and not self.day.held(now):
            is_spent = self.day.is_spent
            waits.append(min(LOOK_AT_DAY, self.day.until_midnight(now)) if is_spent else self.day.wait(now))
        if self.allowance.in_flight is not None and not self._places_left(now):
            waits.append(ASK_EVERY)
        return waits

    def _is_wanted(self, now: float) -> bool:
        return now - self._wanted < WANTED_FOR

    # --- The call ------------------------------------------------------------------------------------------

    def begin(self, messages: int, now: float) -> None:
        self.calls += 1
        self._begun = now
        if self.is_plain:
            return
        if self.rate is not None:
            self.rate.owe(1)
        if self.day is not None:
            self.day.owe(messages)
        if self._probe is Probe.GRANTED:
            self._probe, self._probed = Probe.UNDER_WAY, now

    def end(self, result: Sent | ChannelError, seconds: float, now: float) -> None:
        self.calls = max(0, self.calls - 1)
        if self.is_plain and isinstance(result, Sent):
            self.watch.answered(now)
            return
        has_failed = isinstance(result, Temporary)
        if isinstance(result, Temporary):
            self._error = (result.code or "temporary", result.detail)
        if isinstance(result, Throttled) and result.scope is Scope.ACCOUNT:
            self._slow_down(result, now)
        if self._probe is Probe.UNDER_WAY and now - seconds >= self._probed - SOON:
            self._probe = Probe.FAILED if has_failed else Probe.ANSWERED
        if self.switch is not Switch.CLOSED or not self.allowance.is_judged:
            return
        if has_failed:
            self.watch.failed(now)
        else:
            self.watch.answered(now)

    def _slow_down(self, result: Throttled, now: float) -> None:
        # In this order what is no number becomes the shortest pause.
        asked = max(SHORTEST_PAUSE, result.retry_after)
        pause = min(LONGEST_PAUSE, asked)
        self._slow = max(self._slow, pause)
        self._slowed_until = max(self._slowed_until, now + pause)
        self._error = (result.code or "throttled", result.detail)
        self._settle()

    # --- What the others are told, and what they tell ------------------------------------------------------

    def said(self, who: str, now: float) -> Said | None:
        """What to report and to ask, if it is time to."""
        is_over = self._probe in {Probe.ANSWERED, Probe.FAILED}
        if not is_over and now - self._reported < REPORT_EVERY:
            return None
        claims = self._claims_probe(now)
        has_news = self.watch.failures or (self._is_troubled and self.watch)
        if not (is_over or claims or self._slow or has_news):
            return None
        self._reported = now
        is_bad = bool(self.watch.failures or self._slow or self._probe is Probe.FAILED)
        code, detail = self._error if is_bad else ("", "")
        probe = self._probe is Probe.ANSWERED if is_over else None
        return Said(
            report=self.watch.report(who, now, probe=probe),
            code=code,
            detail=detail,
            slow=max(0.0, self._slowed_until - now) if self._slow else 0.0,
            probe=self.allowance.timeout + PROBE_MARGIN if claims else 0.0,
        )

    def _claims_probe(self, now: float) -> bool:
        if self.switch is Switch.CLOSED or self._may_probe(now) or not self._is_wanted(now):
            return False
        return now >= self._open_until and self._probe in {Probe.NOT_OURS, Probe.GRANTED}

    def told(self, seen: Seen, who: str, now: float) -> None:
        """What we said has been stored, and this is how the account stands now."""
        self._slow = 0.0
        if self._probe in {Probe.ANSWERED, Probe.FAILED}:
            self._probe = Probe.NOT_OURS
        self.saw(seen, who, now)

    def saw(self, seen: Seen, who: str, now: float) -> None:
        """How the account stands, as all workers share it."""
        self.switch, self._is_troubled = seen.switch, seen.is_troubled
        self._open_until = now + seen.ends_in
        if not self._slow:
            self._slowed_until = now + seen.slowed_for if seen.slowed_for else NEVER
        if self.switch is Switch.HALF_OPEN and seen.prober == who:
            if self._probe is Probe.NOT_OURS:
                self._probe = Probe.GRANTED
        elif self._probe in {Probe.GRANTED, Probe.UNDER_WAY}:
            self._probe = Probe.NOT_OURS
        if self.switch is not Switch.CLOSED:
            self.watch.clear()
        self._settle()

    # --- What is leased ------------------------------------------------------------------------------------

    def lacks_tokens(self, now: float) -> bool:
        if self.rate is None or self.allowance.rate is None or not self._is_wanted(now):
            return False
        return self.rate.held(now) <= self.allowance.rate.block // 2 and not self.rate.wait(now)

    def lacks_quota(self, now: float) -> bool:
        if self.day is None or not self._is_wanted(now):
            return False
        return self.day.held(now) <= self.day.limit.block // 2 and not self.day.wait(now)

    def has_quota_left(self, now: float) -> bool:
        """Is there something of the quota to be handed back, or owed?"""
        return self.day is not None and self.day.unspent(now) and not self.day.wait(now)

    def places_wanted(self, now: float) -> int | None:
        """How many places to ask for, if it is time to."""
        limit = self.allowance.in_flight
        if limit is None:
            return None
        is_short = self._is_wanted(now) and not self._places_left(now)
        if now - self._asked_places < (ASK_EVERY if is_short else RENEW_EVERY):
            return None
        if not (self.calls or self._places or is_short):
            return None
        more = max(1, self.calls) if self._is_wanted(now) else 0
        return max(self.calls, min(self.calls + more, limit, self.allowance.places))

    def gave_places(self, places: int, now: float) -> None:
        self._places, self._renewed, self.told_calls = places, now, self.calls

    def asked_places(self, now: float) -> None:
        self._asked_places = now
