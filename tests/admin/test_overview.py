"""The first page: health at a glance, and what to do first."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from channels_app.models import Account, AccountHealth
from pushcenter.dashboard import Dashboard
from pushcenter.messaging import alerts, audit, lookout
from pushcenter.messaging.models import Delivery, Pulse
from pushcenter.messaging.states import State
from tests import factories
from tests.admin.conftest import AsRole, Sent


def overview(client: Client) -> Dashboard:
    found: Dashboard = client.get(reverse("admin:index")).context["dashboard"]
    return found


def test_without_a_message_it_says_what_to_do_first(admin_client: Client) -> None:
    factories.system()
    page = admin_client.get(reverse("admin:index"))
    assert "No message yet" in page.content.decode()
    assert "curl" in page.content.decode()
    assert [step.is_done for step in page.context["dashboard"].start] == [True, False, False, False, False]


def test_a_due_delivery_that_nobody_fetches_is_an_alarm(sent: Sent, admin_client: Client) -> None:
    Delivery.objects.filter(pk=sent.delivery.pk).update(
        state=State.PENDING, due_at=timezone.now() - timedelta(minutes=5)
    )
    health = overview(admin_client).health
    assert health is not None
    assert health.is_stuck
    lane = health.lanes[2]
    assert (lane.waiting, lane.late_shown.split()[:2]) == (2, ["5", "min"])


def test_what_is_due_later_is_no_alarm(sent: Sent, admin_client: Client) -> None:
    Delivery.objects.update(state=State.PENDING, due_at=timezone.now() + timedelta(hours=1))
    health = overview(admin_client).health
    assert health is not None
    assert not health.is_stuck
    assert (health.lanes[2].waiting, health.lanes[2].scheduled) == (0, 2)


def test_deliveries_in_doubt_and_paused_accounts_are_counted(sent: Sent, admin_client: Client) -> None:
    Delivery.objects.filter(pk=sent.delivery.pk).update(state=State.IN_DOUBT)
    Account.objects.all().pause(reason="too many errors")
    found = overview(admin_client)
    assert found.health is not None
    assert found.health.lanes[2].in_doubt == 1
    assert len(found.paused or []) == 2


def test_accounts_with_an_open_breaker_stand_beside_those_that_are_paused(admin_client: Client) -> None:
    factories.account("email", name="Well")
    AccountHealth.objects.create(account=factories.account("sms", name="Was ill"), switch="closed")
    AccountHealth.objects.create(account=factories.account("push", name="Ill"), switch="open", code="503")
    later = timezone.now() + timedelta(minutes=1)
    AccountHealth.objects.create(
        account=factories.account("slack", name="Slow"), slowed_until=later, code="429"
    )
    found = [(each.name, each.why_without_work) for each in overview(admin_client).paused or []]
    assert found == [("Ill", "breaker open: 503"), ("Slow", "slowed: 429")]


def test_what_asks_for_a_look_is_shown_with_a_link(sent: Sent, admin_client: Client) -> None:
    assert overview(admin_client).troubles == []
    lookout.run()
    Pulse.objects.update(at=timezone.now() - timedelta(minutes=9))
    Delivery.objects.filter(pk=sent.delivery.pk).update(state=State.FAILED, ended_at=timezone.now())
    audit.recount(audit.days()[0], full=False)
    overview(admin_client)  # notices that no worker runs
    alerts.fold()
    page = admin_client.get(reverse("admin:index"))
    assert [(each.number, each.url) for each in page.context["dashboard"].troubles] == [
        ("9 min 0 s", reverse("admin:messaging_alert_changelist")),
        ("2", reverse("admin:messaging_alert_changelist")),
        ("1", reverse("admin:ledger")),
        ("1", reverse("admin:dead_letters")),
    ]
    assert "Dead letters of the last 24 hours" in page.content.decode()


def test_the_latest_messages_are_shown_with_their_state(sent: Sent, admin_client: Client) -> None:
    [latest] = overview(admin_client).latest or []
    assert (latest.message.pk, latest.state) == (sent.message.pk, State.DELIVERED)


def test_each_part_needs_its_right(sent: Sent, as_role: AsRole) -> None:
    analyst, editor = overview(as_role("Analysts")), overview(as_role("Template editors"))
    assert (analyst.health, analyst.paused, analyst.latest) == (None, None, None)
    assert analyst.today is not None
    assert editor.is_blank
