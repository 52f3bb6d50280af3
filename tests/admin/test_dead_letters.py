"""Dead letters: failed deliveries by their cause, and sent again one by one, as a selection, or as a whole group."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from channels_app.models import Account
from pushcenter.messaging import audit, dead_letters, dispatch, operate
from pushcenter.messaging.admin import operations
from pushcenter.messaging.models import Attempt, Delivery, Event, Resend
from pushcenter.messaging.states import State
from tests import factories
from tests.admin.conftest import AsRole

pytestmark = pytest.mark.django_db
URL = "admin:dead_letters"


@pytest.fixture
def failed(db: None) -> list[Delivery]:
    """Three that were refused, by one account, and one of another template."""
    factories.template("order-paid", ["email"])
    factories.template("order-sent", ["email"])
    factories.account("email")
    for template in ("order-paid", "order-paid", "order-paid", "order-sent"):
        factories.message(template, to={"email": "refused@simulator.example"})
    factories.message(to={"email": "li@example.com"})
    dispatch.run("normal")
    return list(Delivery.objects.filter(state=State.FAILED).order_by("id"))


def group(number: int = 0) -> dead_letters.Group:
    return dead_letters.groups(timezone.now() - timedelta(days=1))[number]


def again(of: dead_letters.Group) -> Resend:
    return dead_letters.send_again(
        code=of.code,
        channel=of.channel,
        account_id=of.account_id,
        template_id=of.template_id,
        since=timezone.now() - timedelta(days=1),
        by="anna",
    )


def seen(client: Client, query: str = "") -> str:
    return unescape(client.get(reverse(URL) + query).content.decode())


def post(client: Client, of: dead_letters.Group, **fields: Any) -> str:
    data = {
        "code": of.code,
        "channel": of.channel,
        "account": of.account_id or "",
        "template": of.template_id,
        "since": (timezone.now() - timedelta(days=1)).isoformat(),
        **fields,
    }
    return unescape(client.post(reverse(URL), data, follow=True).content.decode())


def test_they_are_grouped_by_cause_channel_account_and_template(failed: list[Delivery]) -> None:
    first, second = dead_letters.groups(timezone.now() - timedelta(days=1))
    assert (first.number, first.can_be_sent, second.number) == (3, 3, 1)
    assert (first.channel, first.account_id) == ("email", Account.objects.get().pk)
    assert first.code
    assert set(first.samples) == {row.message_id for row in failed[:3]}


def test_what_failed_earlier_or_of_a_test_is_not_among_them(failed: list[Delivery]) -> None:
    Delivery.objects.filter(pk=failed[0].pk).update(ended_at=timezone.now() - timedelta(days=2))
    factories.message(to={"email": "refused@simulator.example"}, caller=factories.caller(is_test=True))
    dispatch.run("normal")
    assert group().number == 2


def test_a_group_is_sent_again_as_a_new_attempt_that_the_trace_shows(failed: list[Delivery]) -> None:
    job = again(group())
    assert (job.expected, job.sent, job.left) == (3, 3, 0)
    assert job.ended_at is not None
    assert dispatch.run("normal") == 3
    assert set(Attempt.objects.filter(delivery=failed[0]).values_list("number", flat=True)) == {1, 2}
    [event] = Event.objects.filter(delivery=failed[0])
    assert (event.kind, event.data) == ("sent_again", {"by": "anna"})
    assert not Attempt.objects.filter(delivery=failed[3], number=2).exists()


def test_the_ledger_balances_afterwards(failed: list[Delivery]) -> None:
    again(group())
    dispatch.run("normal")
    lines = audit.recount(audit.days()[0], full=True)
    assert lines is not None
    assert [line.differences for line in lines] == [{}]


def test_what_has_expired_or_was_cancelled_is_left_out(failed: list[Delivery]) -> None:
    Delivery.objects.filter(pk=failed[0].pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    operate.cancel_message(failed[1].message, by="anna")
    assert group().can_be_sent == 2
    job = again(group())
    assert (job.sent, job.left) == (1, 2)


def test_whoever_was_reached_over_another_channel_gets_nothing_more() -> None:
    factories.template("order-paid", ["email", "sms"], route_mode="first")
    factories.accounts("email", "sms")
    factories.message(to={"email": "refused@simulator.example", "phone": "+8613800138000"})
    dispatch.run("normal")
    assert dict(Delivery.objects.values_list("channel", "state"))["sms"] == State.DELIVERED
    assert (group().number, group().can_be_sent) == (1, 0)
    assert again(group()).sent == 0


def test_a_large_group_is_left_to_a_worker(failed: list[Delivery], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "PIECE", 2)
    before = OrmQ.objects.filter(key="pushcenter").count()
    job = again(group())
    assert (job.sent, job.ended_at, job.share) == (2, None, 66.7)
    assert OrmQ.objects.filter(key="pushcenter").count() == before + 1
    dead_letters.run(str(job.pk))
    job.refresh_from_db()
    assert (job.sent, job.share) == (3, 100.0)


def test_what_fails_again_is_not_sent_a_third_time(
    failed: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "PIECE", 2)
    job = again(group())
    dispatch.run("normal")
    dead_letters.run(str(job.pk))
    dispatch.run("normal")
    job.refresh_from_db()
    assert (job.sent, job.left, Attempt.objects.filter(delivery=failed[0]).count()) == (3, 0, 2)


def test_a_group_that_nobody_works_on_is_taken_up_again(
    failed: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "PIECE", 2)
    again(group())
    now = timezone.now()
    assert dead_letters.wake_forgotten(now) == 0
    assert dead_letters.wake_forgotten(now + timedelta(minutes=2)) == 1


def test_the_page_shows_groups_and_sends_one_again(failed: list[Delivery], as_role: AsRole) -> None:
    client = as_role("Operators")
    page = seen(client)
    assert all(
        text in page for text in ("4 deliveries failed", "order-paid", "Send 3 again", "email simulated")
    )
    page = post(client, group())
    assert "3 of 3 are sent again." in page
    assert "Send 3 again" not in page
    assert "done" in page


def test_a_number_leads_to_its_deliveries(failed: list[Delivery], as_role: AsRole) -> None:
    client = as_role("Operators")
    [first, _second] = client.get(reverse(URL)).context["rows"]
    assert client.get(first.url).context["cl"].result_count == 3
    Delivery.objects.filter(pk=failed[3].pk).update(account=None)
    [_first, second] = client.get(reverse(URL)).context["rows"]
    assert client.get(second.url).context["cl"].result_count == 1


def test_an_operator_stops_it(
    failed: list[Delivery], as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "PIECE", 2)
    client = as_role("Operators")
    assert "2 of 3 are sent again; a worker goes on" in post(client, group())
    job = Resend.objects.get()
    page = client.post(reverse(URL), {"stop": job.pk}, follow=True).content.decode()
    assert "No more of this group is sent again." in page
    dead_letters.run(str(job.pk))
    assert Resend.objects.get().sent == 2


@pytest.mark.parametrize("fields", [{"template": "x"}, {"since": "x"}, {"account": "x"}, {"stop": "x"}])
def test_nonsense_is_refused(failed: list[Delivery], as_role: AsRole, fields: dict[str, str]) -> None:
    assert "cannot be understood" in post(as_role("Operators"), group(), **fields)
    assert not Resend.objects.exists()


def test_who_may_not_operate_sends_nothing_again(failed: list[Delivery], as_role: AsRole) -> None:
    assert as_role("Analysts").get(reverse(URL)).status_code == 403
    assert as_role("Analysts").post(reverse(URL), {"stop": "x"}).status_code == 403


def test_a_selection_is_bounded(
    failed: list[Delivery], as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE", 3)
    client = as_role("Operators")

    def act(rows: list[Delivery]) -> str:
        data = {"action": "send_again_selected", "_selected_action": [str(row.pk) for row in rows]}
        url = reverse("admin:messaging_delivery_changelist")
        return client.post(url, data, follow=True).content.decode()

    assert "Select up to 3 at once" in act(failed)
    assert "1 of 1 are sent again" in act(failed[:1])
