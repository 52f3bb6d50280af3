"""The harness can fail: each thing that must not be is seen, and told from what is in order."""

from dataclasses import replace

from tests.faults.kills import Kill
from tests.faults.ledger import Delivery, Ledger, Message, Taken
from tests.faults.load import Acknowledged
from tests.faults.verdict import Recovery, Verdict, judge

SINGLE = Acknowledged(name="call-1", id="m1", messages=1, is_batch=False)
BATCH = Acknowledged(name="call-2", id="b1", messages=2, is_batch=True)
SMS = Delivery(
    id="d1",
    message="m1",
    channel="sms",
    lane="high",
    state="sent",
    maybe_duplicate=False,
    doubtful=1,
    attempts=1,
)
WEBHOOK = replace(SMS, channel="webhook", state="delivered")
FINE = Taken(delivery="d1", at=10.0, did="fine")
RESET = replace(FINE, did="reset")


def message(key: str, *, batch: str = "", reference: str = "") -> Message:
    return Message(id=key, batch=batch, reference=reference or key)


def verdict(*deliveries: Delivery, calls: tuple[Taken, ...] = (FINE,)) -> Verdict:
    """What is said of one acknowledged message with these deliveries."""
    ledger = Ledger(messages=[message("m1")], deliveries=deliveries, calls=calls, outcomes=[])
    return judge(ledger, [SINGLE], [])


def faults(*deliveries: Delivery, calls: tuple[Taken, ...] = (FINE,)) -> list[str]:
    return verdict(*deliveries, calls=calls).faults(recovery=1)


def test_one_message_that_was_sent_once_is_in_order() -> None:
    assert faults(SMS) == []
    assert verdict(SMS).ended == 1


def test_a_lost_message_is_seen() -> None:
    assert faults(calls=()) == ["1 acknowledged messages are lost"]
    nothing = Ledger(messages=[], deliveries=[], calls=[], outcomes=[])
    assert judge(nothing, [SINGLE, BATCH], []).lost == 3


def test_a_batch_with_a_message_too_few_is_seen() -> None:
    stored = [message("m1", batch="b1"), message("m2", batch="b1")]
    both = [SMS, replace(SMS, id="d2", message="m2")]
    calls = [FINE, replace(FINE, delivery="d2")]
    whole = Ledger(messages=stored, deliveries=both, calls=calls, outcomes=[])
    assert judge(whole, [BATCH], []).lost == 0
    assert judge(replace(whole, messages=stored[:1]), [BATCH], []).lost == 1
    assert judge(replace(whole, deliveries=both[:1]), [BATCH], []).lost == 1


def test_a_call_that_was_done_twice_is_seen() -> None:
    stored = [message("m1"), message("m2", reference="m1")]
    ledger = Ledger(messages=stored, deliveries=[SMS], calls=[FINE], outcomes=[])
    assert judge(ledger, [SINGLE], []).faults(recovery=1) == ["1 messages were stored twice"]


def test_a_delivery_without_an_end_is_seen() -> None:
    assert faults(replace(SMS, state="sending")) == ["1 deliveries have no end"]


def test_doubt_is_an_end_of_its_own() -> None:
    found = verdict(replace(SMS, state="in_doubt"), calls=(RESET,))
    assert (found.faults(recovery=1), found.in_doubt, found.ended) == ([], 1, 0)


def test_a_duplicate_has_to_be_marked() -> None:
    twice = replace(SMS, attempts=2, doubtful=2)
    assert faults(twice, calls=(RESET, FINE)) == ["1 deliveries were taken twice and are not marked"]
    marked = verdict(replace(twice, maybe_duplicate=True), calls=(RESET, FINE))
    assert (marked.faults(recovery=1), len(marked.marked)) == ([], 1)


def test_what_was_refused_is_no_duplicate() -> None:
    refused = (replace(FINE, did="unavailable"), replace(FINE, did="throttle"), FINE)
    assert faults(replace(SMS, attempts=3, doubtful=1), calls=refused) == []


def test_a_repetition_that_its_receiver_drops_needs_a_recorded_reason() -> None:
    known = verdict(replace(WEBHOOK, attempts=2, doubtful=2), calls=(RESET, FINE))
    assert (known.faults(recovery=1), len(known.repeated)) == ([], 1)
    unknown = replace(WEBHOOK, attempts=2, doubtful=1)
    assert faults(unknown, calls=(FINE, FINE)) == ["1 deliveries were taken twice and are not marked"]


def test_a_call_that_the_ledger_does_not_have_is_seen() -> None:
    assert faults(replace(SMS, maybe_duplicate=True), calls=(RESET, FINE)) == [
        "1 deliveries had calls that are not in the ledger"
    ]


def test_a_success_that_the_provider_knows_nothing_of_is_seen() -> None:
    assert faults(SMS, calls=()) == ["1 deliveries are recorded as sent and were not"]


def test_an_end_as_not_sent_has_to_be_true() -> None:
    assert faults(replace(SMS, state="expired"), calls=(RESET,)) == [
        "1 deliveries ended as not sent, and the provider has them"
    ]
    assert faults(replace(SMS, state="expired"), calls=(replace(FINE, did="error"),)) == []


def test_what_was_recorded_as_sent_is_not_sent_again_whatever_its_mark() -> None:
    twice = replace(SMS, attempts=2, doubtful=2, maybe_duplicate=True, is_resent=True)
    assert faults(twice, calls=(FINE, FINE)) == [
        "1 deliveries were sent again after they had been recorded as sent"
    ]


def test_recovery_is_over_when_the_last_lane_is_served_again() -> None:
    outcomes = [("high", 9.0), ("high", 10.5), ("low", 9.5), ("low", 13.0), ("low", 14.0)]
    ledger = Ledger(
        messages=[message("m1")], deliveries=[SMS], calls=[FINE], outcomes=outcomes, accepted=[9.0, 12.0]
    )
    kill = Kill(kind="worker", at=10.0, victim="1")
    found = judge(ledger, [SINGLE], [kill])
    assert found.recoveries == [Recovery(kill=kill, accepted_s=2.0, served_s=3.0, lane="low")]
    assert found.faults(recovery=2) == ["worker: low was served again after 3.0 s"]
    never = judge(replace(ledger, outcomes=outcomes[:3]), [SINGLE], [kill])
    assert never.max_recovery_s == float("inf")
