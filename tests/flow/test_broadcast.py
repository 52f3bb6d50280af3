"""A broadcast reaches everybody in its audience once, whatever happens on the way."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from pushcenter.access.models import System
from pushcenter.faults import Rejected
from pushcenter.messaging import batches, broadcast, dispatch, intake, sweep, work
from pushcenter.messaging.forecast import forecast
from pushcenter.messaging.models import Batch, DailyUse, Delivery, Message
from pushcenter.messaging.request import Call
from pushcenter.recipients.models import Group, Recipient, Suppression
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]
EVERYBODY = {"all": True}
REQUEST = intake.Request(template="order-paid", params={"order_no": "1"})


@pytest.fixture(autouse=True)
def _props(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.template(channels=["email"])
    factories.account("email")
    monkeypatch.setattr(broadcast, "CHUNK", 3)


def a_crowd(number: int = 7) -> list[Recipient]:
    return [factories.recipient(f"u-{index}") for index in range(number)]


def begin(
    audience: Mapping[str, Any] = EVERYBODY, *, request: intake.Request = REQUEST, **caller: Any
) -> Batch:
    begun = broadcast.accept(request, audience, caller=factories.caller(**caller))
    assert isinstance(begun, broadcast.Begun)
    return Batch.objects.get(pk=begun.id)


def expand(batch: Batch) -> Batch:
    work.run(str(batch.pk))
    batch.refresh_from_db()
    return batch


def reached(batch: Batch) -> list[str]:
    people = Message.objects.filter(batch=batch).values_list("recipient__external_id", flat=True)
    return sorted(str(each) for each in people)


def test_everybody_gets_it_once() -> None:
    a_crowd()
    batch = begin()
    assert (batch.people, batch.has_work, batch.accepted) == (7, True, 0)
    assert batches.progress(batch).status == "expanding"
    expand(batch)
    assert reached(batch) == [f"u-{index}" for index in range(7)]
    assert (batch.accepted, batch.expanded, batch.left_out, batch.has_work) == (7, 7, {}, False)
    assert dispatch.run("normal") == 7
    assert batches.progress(batch).deliveries == {"delivered": 7}
    assert batches.progress(batch).status == "done"
    assert factories.figures()["email", "accepted"] == 7


def test_its_messages_are_like_any_other() -> None:
    factories.recipient("u-1", name="Li Wei", locale="zh-hans")
    send_at = timezone.now() + timedelta(hours=1)
    request = intake.Request(
        template="order-paid", params={"order_no": "7"}, send_at=send_at, metadata={"a": 1}, request_id="r-1"
    )
    batch = expand(begin(request=request))
    message = Message.objects.get()
    assert (message.params, message.metadata) == ({"order_no": "7", "amount": "0"}, {"a": 1})
    assert message.to == {"recipient": "u-1", "name": "Li Wei", "locale": "zh-hans"}
    assert (message.send_at, message.request_id, message.batch_id) == (send_at, "r-1", batch.pk)
    assert (message.accepted_at, message.expires_at - send_at) == (batch.accepted_at, timedelta(days=3))
    assert Delivery.objects.get().batch_id == batch.pk


def in_group(code: str, *people: Recipient) -> None:
    group, _ = Group.objects.get_or_create(code=code, defaults={"name": code})
    group.recipients.add(*people)


AUDIENCES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "all": ({"all": True}, ["ann", "bo", "cy", "dee"]),
    "a group": ({"groups": ["staff"]}, ["ann", "bo"]),
    "two groups that share somebody": ({"groups": ["staff", "vip"]}, ["ann", "bo", "cy"]),
    "a language": ({"filter": {"locale": "zh"}}, ["ann", "bo"]),
    "a language and place": ({"filter": {"locale": "zh-Hant-TW"}}, ["bo"]),
    "a time zone": ({"filter": {"time_zone": "Asia/Tokyo"}}, ["cy"]),
    "a kind of address": ({"filter": {"address": "phone"}}, ["dee"]),
    "several conditions": ({"filter": {"groups": ["staff", "vip"], "locale": "ja"}}, ["cy"]),
}


@pytest.mark.parametrize(("audience", "expected"), AUDIENCES.values(), ids=AUDIENCES)
def test_the_audience_is_who_is_meant(audience: dict[str, Any], expected: list[str]) -> None:
    ann = factories.recipient("ann", locale="zh-hans")
    bo = factories.recipient("bo", locale="zh_Hant_TW")
    cy = factories.recipient("cy", locale="ja", time_zone="Asia/Tokyo")
    factories.recipient("dee", {"email": "dee@example.com", "phone": "+8613800138000"}, locale="zha")
    in_group("staff", ann, bo)
    in_group("vip", bo, cy)
    batch = begin(audience)
    assert (batch.people, reached(expand(batch))) == (len(expected), expected)


def test_who_comes_later_does_not_get_it_and_who_goes_is_no_fault() -> None:
    first, *_ = a_crowd(4)
    batch = begin()
    factories.recipient("later")
    first.delete()
    expand(batch)
    assert reached(batch) == ["u-1", "u-2", "u-3"]
    assert batch.expanded_at is not None


def test_people_without_a_channel_are_counted_by_the_reason() -> None:
    a_crowd(2)
    factories.recipient("no-address", {})
    muted = factories.recipient("muted")
    muted.preferences.create(category=factories.category())
    factories.recipient("suppressed")
    Suppression.objects.create(kind="email", value="suppressed@example.com")
    batch = expand(begin())
    assert batch.left_out == {"no_address": 1, "opted_out": 1, "suppressed": 1}
    assert (batch.expanded, batch.accepted) == (5, 4)
    # Those who do not want it have a message that says why; for those without an address there is none.
    assert batches.progress(batch).deliveries == {"pending": 2, "skipped": 2}


@pytest.mark.parametrize(
    ("change", "request_", "audience", "code"),
    [
        ({"max_broadcast": 2}, REQUEST, EVERYBODY, "too_many_people"),
        ({"may_broadcast": False}, REQUEST, EVERYBODY, "broadcast_not_permitted"),
        ({}, REQUEST, {"groups": ["nope"]}, "unknown_group"),
        ({}, REQUEST, {"filter": {"groups": ["nope"]}}, "unknown_group"),
        ({}, REQUEST, {"filter": {"locale": "tlh"}}, "nobody"),
        ({}, intake.Request(template="order-paid"), EVERYBODY, "missing_variable"),
        ({}, intake.Request(template="order-payed"), EVERYBODY, "unknown_template"),
        ({"channels": ["sms"]}, intake.Request(template="order-paid", channels=["email"]), EVERYBODY,
         "channel_not_permitted"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(
    change: dict[str, Any], request_: intake.Request, audience: dict[str, Any], code: str
) -> None:
    a_crowd(3)
    for act in (broadcast.accept, forecast):
        with pytest.raises(Rejected) as refused:
            act(request_, audience, caller=factories.caller(**change))
        assert code in [fault.code for fault in refused.value.faults]
    assert (Batch.objects.count(), OrmQ.objects.count()) == (0, 0)


def test_a_key_makes_it_happen_once() -> None:
    a_crowd(1)
    call = Call(system_id=factories.system().pk, is_test=False, key="k", fingerprint=b"f")
    first = broadcast.accept(REQUEST, EVERYBODY, caller=factories.caller(), call=call)
    again = broadcast.accept(REQUEST, EVERYBODY, caller=factories.caller(), call=call)
    assert isinstance(first, broadcast.Begun)
    assert isinstance(again, intake.Replayed)
    assert again.answer.location.endswith(str(first.id))
    assert Batch.objects.count() == 1


def test_pausing_stops_the_expansion_and_resuming_goes_on() -> None:
    a_crowd()
    batch = begin()
    assert work._step(batch.pk)
    batches.pause(batch.pk, by="olga")
    expand(batch)
    assert (batch.expanded, batch.has_work) == (3, False)
    assert dispatch.run("normal") == 0
    batches.resume(batch.pk, by="olga")
    expand(batch)
    assert reached(batch) == [f"u-{index}" for index in range(7)]
    assert dispatch.run("normal") == 7


def test_cancelling_says_who_was_not_reached() -> None:
    a_crowd()
    batch = begin()
    work._step(batch.pk)
    dispatch.run("normal")
    done = batches.cancel(batch.pk, by="olga")
    assert (done.cancelled, done.too_late, done.not_expanded) == (0, {"delivered": 3}, 4)
    expand(batch)
    assert (batch.expanded, len(reached(batch)), batch.has_work) == (3, 3, False)


def test_one_worker_expands_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    a_crowd(1)
    batch = begin()
    with CaptureQueriesContext(connection) as queries:
        work._step(batch.pk)
    assert any("FOR UPDATE OF" in each["sql"] and "SKIP LOCKED" in each["sql"] for each in queries)


def test_it_counts_against_the_daily_quota_and_goes_on_the_next_day() -> None:
    a_crowd()
    system = factories.system()
    System.objects.update(daily_quota=5)
    batch = expand(begin(daily_quota=5))
    assert (batch.accepted, batch.pause_reason) == (5, broadcast.QUOTA_USED_UP)
    assert batches.progress(batch).status == "waiting"
    assert DailyUse.objects.get(system_id=system.pk).accepted == 5
    assert dispatch.run("normal") == 5  # what was made goes out
    assert batch.worked_at > timezone.now()
    assert OrmQ.objects.filter(key="pushcenter", lock=batch.worked_at).count() == 1
    DailyUse.objects.all().delete()  # midnight
    expand(batch)
    assert (len(reached(batch)), batch.pause_reason) == (7, "")
    kinds = batch.events.values_list("kind", flat=True)
    assert list(kinds) == ["batch_waits"]


def test_without_any_quota_left_it_is_refused() -> None:
    a_crowd(1)
    DailyUse.objects.create(system_id=factories.system().pk, day=timezone.now().date(), accepted=5)
    with pytest.raises(intake.QuotaExceeded):
        begin(daily_quota=5)


def test_what_is_not_made_in_time_is_left_out() -> None:
    a_crowd()
    batch = begin()
    work._step(batch.pk)
    terms = batch.terms | {"expires_at": timezone.now().isoformat()}
    Batch.objects.update(terms=terms)
    expand(batch)
    assert (batch.expanded, batch.left_out, batch.has_work) == (3, {"expired": 4}, False)


def test_it_keeps_to_the_version_that_was_published_when_it_was_accepted() -> None:
    a_crowd(1)
    batch = begin()
    template = batch.template
    assert template is not None
    version = template.versions.get()
    template.versions.update(state="archived")
    expand(batch)
    assert Message.objects.get().version == version


def test_the_sweep_finds_one_that_was_forgotten() -> None:
    a_crowd(1)
    batch = begin()
    OrmQ.objects.all().delete()
    Batch.objects.update(worked_at=timezone.now() - timedelta(minutes=2))
    sweep.run()
    assert OrmQ.objects.get().task["args"] == (str(batch.pk),)


def test_a_test_key_reaches_nobody() -> None:
    a_crowd(2)
    batch = expand(begin(is_test=True))
    assert dispatch.run("normal") == 2
    assert factories.figures() == {}
    assert {message.is_test for message in Message.objects.filter(batch=batch)} == {True}


def test_a_forecast_is_what_then_happens() -> None:
    factories.template("all", ["inbox", "email"], route_mode="first")
    factories.account("inbox", "inbox")
    a_crowd(4)
    factories.recipient("no-address", {})
    factories.recipient("muted").preferences.create(category=factories.category(), channel="email")
    factories.recipient("deaf").preferences.create(category=factories.category())
    request = intake.Request(template="all", params={"order_no": "1"})
    told = forecast(request, EVERYBODY, caller=factories.caller())
    assert not Batch.objects.exists()
    assert (told.people, told.reached, told.sampled, told.left_out) == (7, 6, None, {"opted_out": 1})
    assert told.channels == [
        {"channel": "inbox", "chosen": 6, "fallback": 0, "skipped": {"opted_out": 1}},
        {"channel": "email", "chosen": 0, "fallback": 4, "skipped": {"no_address": 1, "opted_out": 2}},
    ]
    batch = expand(begin(request=request))
    assert batch.left_out == told.left_out
    chosen = Delivery.objects.filter(batch=batch, state="pending")
    assert chosen.count() == told.reached


def test_a_forecast_of_many_is_a_sample_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushcenter.messaging.forecast.EXACT", 60)
    monkeypatch.setattr("pushcenter.messaging.forecast.CHUNK", 7)
    Recipient.objects.bulk_create(Recipient(external_id=f"u-{index}") for index in range(150))
    told = forecast(REQUEST, EVERYBODY, caller=factories.caller())
    assert told.sampled is not None
    assert 20 < told.sampled < 100
    assert (told.people, told.reached, told.left_out) == (150, 0, {"no_address": 150})


def test_the_time_it_takes_is_that_of_the_best_second_lately(settings: Any) -> None:
    a_crowd(4)
    told = forecast(REQUEST, EVERYBODY, caller=factories.caller())
    assert (told.seconds, told.per_second) == (None, None)
    assert "nothing has been sent" in told.estimate
    expand(begin())
    dispatch.run("normal")
    told = forecast(REQUEST, EVERYBODY, caller=factories.caller())
    assert told.per_second in {2, 3, 4}
    assert told.seconds == round(4 / told.per_second, 1)
    settings.BRAKE_ABOVE, settings.BRAKE_SLICE = 2, 1
    braked = forecast(REQUEST, EVERYBODY, caller=factories.caller())
    assert braked.seconds == round(4 / told.per_second + 60, 1)
    assert braked.estimate.endswith("and 60 s for the first slice to be watched")
