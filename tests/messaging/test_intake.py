"""Acceptance is all or nothing, and every default comes from where it should."""

from datetime import timedelta
from typing import Any, NoReturn

import pytest
from django.conf import settings
from django.utils import timezone

from channels_app.models import Account
from pushcenter.faults import Rejected
from pushcenter.lanes import Lane
from pushcenter.messaging import intake, queue, tally
from pushcenter.messaging.models import Delivery, Message, Tally
from pushcenter.recipients.models import Category, Recipient
from templates_app.models import Template
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _props(db: None) -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")


def break_down(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError("broken")


@pytest.mark.parametrize(("module", "name"), [(queue, "wake"), (queue, "later"), (tally, "store")])
def test_an_error_on_the_way_leaves_nothing(module: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, name, break_down)
    with pytest.raises(RuntimeError, match="broken"):
        factories.message()
    assert (Message.objects.count(), Delivery.objects.count(), Tally.objects.count()) == (0, 0, 0)
    assert queue.waiting() == 0


def test_a_message_and_its_deliveries_carry_the_same_times() -> None:
    send_at = timezone.now() + timedelta(hours=1)
    message = factories.message(send_at=send_at)
    assert message.send_at == send_at
    for delivery in message.deliveries.all():
        assert delivery.due_at == send_at
        assert delivery.expires_at == message.expires_at
        assert delivery.accepted_at == message.accepted_at
        assert delivery.claims == delivery.attempts == 0


@pytest.mark.parametrize(("time_to_live", "seconds"), [(None, settings.DEFAULT_TIME_TO_LIVE), (90, 90)])
def test_the_life_of_a_message_is_the_templates_and_begins_when_it_is_due(
    time_to_live: int | None, seconds: int
) -> None:
    Template.objects.update(time_to_live=time_to_live)
    at_once = factories.message()
    assert at_once.expires_at - at_once.accepted_at == timedelta(seconds=seconds)
    send_at = timezone.now() + timedelta(days=2)
    assert factories.message(send_at=send_at).expires_at == send_at + timedelta(seconds=seconds)


def test_a_callers_clock_may_be_a_little_behind() -> None:
    send_at = timezone.now() - timedelta(seconds=50)
    assert factories.message(send_at=send_at).send_at == send_at
    with pytest.raises(Rejected, match="has passed"):
        factories.message(send_at=timezone.now() - timedelta(seconds=70))


def test_a_variable_that_is_left_out_has_its_default_and_a_given_one_stays() -> None:
    assert factories.message().params == {"order_no": "SO-1", "amount": "0"}
    given = {"order_no": "SO-1", "amount": "9"}
    assert factories.message(params=given).params == given


@pytest.mark.parametrize(
    ("template_is_mandatory", "asked", "kept"),
    [(False, "", "orders"), (False, "news", "news"), (False, "orders", "orders"), (True, "news", "news")],
)
def test_the_category_is_the_templates_unless_another_is_asked_for(
    template_is_mandatory: bool, asked: str, kept: str
) -> None:
    factories.category("news")
    Category.objects.filter(code="orders").update(is_mandatory=template_is_mandatory)
    assert factories.message(category=asked).category == kept


def test_muting_holds_for_the_category_that_is_asked_for() -> None:
    person = Recipient.objects.get()
    person.preferences.create(category=factories.category("news"))
    assert {each.state for each in factories.message().deliveries.all()} == {"pending"}
    skipped = factories.message(category="news")
    assert {(each.state, each.code) for each in skipped.deliveries.all()} == {("skipped", "opted_out")}


def test_nobody_escapes_muting_by_claiming_a_mandatory_category() -> None:
    factories.category("law", is_mandatory=True)
    with pytest.raises(Rejected, match="the template's to choose"):
        factories.message(category="law")


def test_only_the_channels_asked_for_are_taken_and_in_that_order() -> None:
    message = factories.message(channels=["email", "inbox", "email"])
    assert [each["channel"] for each in message.plan] == ["email", "inbox"]
    assert factories.message(channels=["email"]).deliveries.count() == 1


def test_a_channel_kept_as_fallback_has_no_row_yet() -> None:
    Template.objects.update(route_mode="first")
    message = factories.message()
    assert [each["choice"] for each in message.plan] == ["chosen", "fallback"]
    assert [each.channel for each in message.deliveries.all()] == ["inbox"]


def test_a_paused_account_still_serves_its_channel_and_an_inactive_one_does_not() -> None:
    Account.objects.filter(channel="email").update(is_paused=True)
    assert factories.message(channels=["email"]).deliveries.get().state == "pending"
    Account.objects.filter(channel="email").update(is_active=False)
    with pytest.raises(Rejected, match="no_account"):
        factories.message(channels=["email"])


def test_a_system_reaches_only_the_channels_that_it_may() -> None:
    caller = intake.Caller(system_id=factories.system().pk, channels=["email"])
    message = factories.message(caller=caller)
    assert [(each["channel"], each["reason"]) for each in message.plan] == [
        ("inbox", "not_permitted"),
        ("email", "in_route"),
    ]


def test_a_system_gets_no_lane_above_its_own() -> None:
    Template.objects.update(priority=Lane.CRITICAL)
    caller = intake.Caller(system_id=factories.system().pk, highest_priority=Lane.LOW)
    assert factories.message(caller=caller).lane == Lane.LOW


def test_a_locale_of_the_directory_that_grows_when_written_small_is_cut() -> None:
    Recipient.objects.update(locale="İ" * 35)
    assert len(factories.message().deliveries.all()[0].locale) == 35


def test_the_version_that_is_published_now_is_the_one_that_is_sent() -> None:
    template = Template.objects.get()
    first = template.versions.get()
    message = factories.message()
    template.versions.update(state="archived")
    with pytest.raises(Rejected, match="no published version"):
        factories.message()
    assert message.version == first


def test_a_message_without_anything_to_do_wakes_nobody() -> None:
    Recipient.objects.get().preferences.create(category=factories.category())
    factories.message()
    assert queue.waiting() == 0
