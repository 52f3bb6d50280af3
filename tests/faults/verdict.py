"""What the two records say of one another, as figures; a pure function of both, of the answers and of the kills."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.kills import Kill
from tests.faults.ledger import Delivery, Ledger, Taken
from tests.faults.load import Acknowledged

IN_FLIGHT = frozenset({"pending", "sending"})
SUCCEEDED = frozenset({"sent", "delivered"})
#: Its receivers drop repetitions by their id, so that a repetition is no duplicate for them.
IDEMPOTENT = frozenset({"webhook"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What came after a kill: seconds until a message was accepted, and until every lane had an outcome.

    ``lane`` is the last that had one. Where the web was away, too, lanes had nothing to do meanwhile.
    """

    kill: Kill
    accepted_s: float
    served_s: float
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Counts of messages, and the deliveries that tell something; each message of a run has one delivery.

    ``doubled`` are messages beyond the one of each reference. Of deliveries that the provider took more than once,
    ``repeated`` went to receivers that drop repetitions, for a reason that the ledger has; the others are ``marked`` or
    ``unmarked``. ``unrecorded`` had calls that the ledger does not have, ``untrue`` were recorded as sent and never
    came to the provider, ``denied`` ended as not sent although the provider has them,
    ``resent`` were tried again after they had been recorded as sent.
    """

    acknowledged: int
    lost: int
    doubled: int
    in_flight: int
    states: Mapping[str, int]
    calls: Mapping[str, int]
    marked: Sequence[Delivery]
    unmarked: Sequence[Delivery]
    repeated: Sequence[Delivery]
    unrecorded: Sequence[Delivery]
    untrue: Sequence[Delivery]
    denied: Sequence[Delivery]
    resent: Sequence[Delivery]
    lost_attempts: int
    longest_lost_s: float
    recoveries: Sequence["Recovery"] = field(repr=False)

    @property
    def ended(self) -> int:
        return sum(count for state, count in self.states.items() if state not in IN_FLIGHT | {"in_doubt"})

    @property
    def in_doubt(self) -> int:
        return self.states.get("in_doubt", 0)

    @property
    def max_recovery_s(self) -> float:
        return max((each.served_s for each in self.recoveries), default=0.0)

    @property
    def wrong(self) -> Mapping[str, Sequence[Delivery]]:
        """Deliveries that contradict the provider's log, by what is wrong with them."""
        return {
            "deliveries were taken twice and are not marked": self.unmarked,
            "deliveries had calls that are not in the ledger": self.unrecorded,
            "deliveries are recorded as sent and were not": self.untrue,
            "deliveries ended as not sent, and the provider has them": self.denied,
            "deliveries were sent again after they had been recorded as sent": self.resent,
        }

    def faults(self, *, recovery: float) -> list[str]:
        """What must not be, each in a sentence; a lane has to be served again within ``recovery`` seconds."""
        found = {
            "acknowledged messages are lost": self.lost,
            "messages were stored twice": self.doubled,
            "deliveries have no end": self.in_flight,
            **{what: len(those) for what, those in self.wrong.items()},
        }
        late = [
            f"{each.kill.kind}: {each.lane} was served again after {each.served_s:.1f} s"
            for each in self.recoveries
            if each.served_s > recovery
        ]
        return [f"{count} {what}" for what, count in found.items() if count] + late


def judge(ledger: Ledger, acknowledged: Sequence[Acknowledged], kills: Sequence[Kill]) -> Verdict:
    calls: dict[str, list[Taken]] = defaultdict(list)
    for call in ledger.calls:
        calls[call.delivery].append(call)
    taken = {key: sum(call.has_it for call in each) for key, each in calls.items()}
    twice = [each for each in ledger.deliveries if taken.get(each.id, 0) > 1]
    marked = [each for each in twice if each.maybe_duplicate]
    repeated = [each for each in twice if not each.maybe_duplicate and _is_harmless(each, taken[each.id])]
    references = Counter(message.reference for message in ledger.messages)
    return Verdict(
        acknowledged=sum(each.messages for each in acknowledged),
        lost=_lost(ledger, acknowledged),
        doubled=sum(count - 1 for count in references.values()),
        in_flight=sum(each.state in IN_FLIGHT for each in ledger.deliveries),
        states=dict(Counter(each.state for each in ledger.deliveries)),
        calls=dict(Counter(call.did for call in ledger.calls)),
        marked=marked,
        unmarked=[each for each in twice if each not in marked and each not in repeated],
        repeated=repeated,
        unrecorded=[each for each in ledger.deliveries if len(calls.get(each.id, ())) > each.attempts],
        untrue=[each for each in ledger.deliveries if each.state in SUCCEEDED and not taken.get(each.id)],
        denied=[each for each in ledger.deliveries if _is_denied(each, taken.get(each.id, 0))],
        resent=[each for each in ledger.deliveries if each.is_resent],
        lost_attempts=ledger.lost_attempts,
        longest_lost_s=ledger.longest_lost_s,
        recoveries=_recoveries(ledger, kills),
    )


def _is_harmless(delivery: Delivery, taken: int) -> bool:
    return delivery.channel in IDEMPOTENT and taken <= delivery.doubtful


def _is_denied(delivery: Delivery, taken: int) -> bool:
    return bool(taken) and delivery.state not in SUCCEEDED | IN_FLIGHT | {"in_doubt"}


def _lost(ledger: Ledger, acknowledged: Sequence[Acknowledged]) -> int:
    """Acknowledged messages that are not there, or have nothing to be delivered."""
    with_delivery = {each.message for each in ledger.deliveries}
    stored = [message for message in ledger.messages if message.id in with_delivery]
    singles = {message.id for message in stored if not message.batch}
    batches = Counter(message.batch for message in stored)
    missing = (
        max(0, each.messages - batches[each.id]) if each.is_batch else int(each.id not in singles)
        for each in acknowledged
    )
    return sum(missing)


def _recoveries(ledger: Ledger, kills: Sequence[Kill]) -> list[Recovery]:
    lanes: dict[str, list[float]] = defaultdict(list)
    for lane, at in sorted(ledger.outcomes, key=lambda outcome: outcome[1]):
        lanes[lane].append(at)
    accepted = sorted(ledger.accepted)
    found = []
    for kill in kills:
        after = {lane: _next_after(kill.at, times) - kill.at for lane, times in lanes.items()}
        last = max(after, key=lambda lane: after[lane])
        accepted_s = _next_after(kill.at, accepted) - kill.at
        found.append(Recovery(kill=kill, accepted_s=accepted_s, served_s=after[last], lane=last))
    return found


def _next_after(moment: float, times: Sequence[float]) -> float:
    place = bisect_right(times, moment)
    return times[place] if place < len(times) else float("inf")
