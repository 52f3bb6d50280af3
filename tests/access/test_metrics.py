"""``/metrics``: what Prometheus reads, and who may read it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from channels_app.models import Account, AccountDay, AccountHealth, AccountLoad
from pushcenter.lanes import Lane
from pushcenter.messaging import alerts, audit, dispatch, lookout, stops
from pushcenter.messaging.models import Delivery, Pulse, Severity, StopKind
from pushcenter.messaging.states import State
from tests import factories

pytestmark = pytest.mark.django_db
Sample = tuple[str, tuple[tuple[str, str], ...]]


@pytest.fixture
def flow(db: None) -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    factories.message()
    dispatch.run("normal")
    factories.message(channels=["email"], priority=Lane.HIGH)
    Delivery.objects.filter(lane="high").update(due_at=timezone.now() - timedelta(minutes=5))
    lookout.run()
    audit.run()
    alerts.run()


def metrics() -> dict[Sample, float]:
    """The values by name and labels."""
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_they_tell_how_the_installation_is(flow: None) -> None:
    Account.objects.filter(channel="email").pause(reason="wrong password")
    stops.stop(StopKind.LANE, "low", by="olga")
    stops.stop(StopKind.SYSTEM, str(factories.system().pk), by="olga")
    found = metrics()

    def value(name: str, **labels: str) -> float:
        return found[name, tuple(sorted(labels.items()))]

    assert value("pushcenter_deliveries_total", system="shop", channel="inbox", measure="delivered") == 1
    assert value("pushcenter_deliveries_total", system="shop", channel="email", measure="accepted") == 2
    assert value("pushcenter_lane_due", lane="high") == 1
    assert 299 < value("pushcenter_lane_oldest_due_seconds", lane="high") < 400
    assert value("pushcenter_lane_oldest_due_seconds", lane="low") == 0
    assert value("pushcenter_lane_late_after_seconds", lane="critical") == 60
    assert value("pushcenter_deliveries_in_doubt", lane="normal") == 0
    assert (
        value("pushcenter_account_up", account="email simulated", channel="email", adapter="simulated") == 0
    )
    assert (value("pushcenter_lane_stopped", lane="low"), value("pushcenter_lane_stopped", lane="high")) == (
        1,
        0,
    )
    assert (value("pushcenter_stopped", kind="system"), value("pushcenter_stopped", kind="batch")) == (1, 0)
    assert value("pushcenter_alerts_open", severity="critical") == 1
    assert value("pushcenter_ledger_difference") == 0
    assert 0 <= value("pushcenter_worker_silent_seconds") < 60
    assert value("pushcenter_ledger_counted_timestamp_seconds") > 0


def test_they_tell_of_accounts_what_is_used_and_what_is_out_of_order(db: None) -> None:
    account = factories.account("sms", name="A", daily_quota=200)
    AccountHealth.objects.create(account=account, switch="open")
    today = timezone.localdate()
    AccountDay.objects.create(account=account, day=today, quota=200, asked=0, back=0, used=50, granted=0)
    later = timezone.now() + timedelta(minutes=1)
    for process in ("a", "b"):
        AccountLoad.objects.create(account=account, process=process, calls=3, until=later)
    labels = (("account", "A"), ("adapter", "simulated"), ("channel", "sms"))
    found = metrics()
    names = ("up", "calls", "quota_used")
    assert [found[f"pushcenter_account_{name}", labels] for name in names] == [0, 6, 0.25]


def test_a_ledger_that_does_not_balance_is_seen(flow: None) -> None:
    Delivery.objects.filter(channel="inbox").update(state=State.FAILED)
    audit.recount(audit.days()[0], full=False)
    assert metrics()["pushcenter_ledger_difference", ()] >= 1


def test_whoever_looks_notices_that_no_worker_runs(flow: None) -> None:
    Pulse.objects.update(at=timezone.now() - timedelta(minutes=9))
    assert metrics()["pushcenter_worker_silent_seconds", ()] > 500
    alerts.fold()
    assert metrics()["pushcenter_alerts_open", (("severity", str(Severity.CRITICAL.value)),)] == 2


def test_without_anything_they_are_there() -> None:
    assert metrics()["pushcenter_ledger_difference", ()] == 0


def test_openmetrics_is_spoken_where_it_is_asked_for() -> None:
    answer = Client().get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


@pytest.mark.parametrize(
    ("token", "networks", "sent", "status"),
    [
        ("", ["127.0.0.0/8"], "", 200),
        ("", [], "", 404),
        ("", [], "Bearer ", 404),
        ("", ["10.0.0.0/8"], "", 404),
        ("s3cret", [], "Bearer s3cret", 200),
        ("s3cret", [], "Bearer other", 404),
        ("s3cret", [], "Bearer ä", 404),
        ("s3cret", [], "s3cret", 404),
        ("s3cret", ["10.0.0.0/8"], "Bearer s3cret", 200),
    ],
)
def test_only_who_may_sees_them(
    settings: Any, token: str, networks: list[str], sent: str, status: int
) -> None:
    settings.METRICS_TOKEN, settings.METRICS_NETWORKS = token, networks
    assert Client().get("/metrics", headers={"Authorization": sent}).status_code == status


def test_they_are_only_read() -> None:
    assert Client().post("/metrics").status_code == 405
