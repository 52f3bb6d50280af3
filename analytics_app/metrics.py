"""What monitoring reads: the state of the whole installation, in the form of Prometheus, from a few short statements.

Every web process gives the same answer, because all of it comes from the database. So each installation is scraped
once, at any of its processes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from django.apps import apps
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from analytics_app import rollup
from analytics_app.models import MEASURES, HourlyStat
from channels_app.models import Account
from pushcenter.lanes import Lane
from pushcenter.messaging import claims, lookout, queue, stops
from pushcenter.messaging.models import Alert, Batch, Delivery, LedgerDay, Severity, Stop, StopKind
from pushcenter.messaging.states import State

#: Counting a long queue exactly would cost more than the figure is worth.
COUNTED = 10_000


def exposition(accepted: str) -> tuple[bytes, str]:
    """All metrics in the format that the caller's ``Accept`` prefers, and its content type."""
    registry = CollectorRegistry()
    registry.register(_Installation())
    encode, content_type = choose_encoder(accepted)
    return encode(registry), content_type


class _Installation(Collector):
    def describe(self) -> list[Metric]:
        """Nothing: to register must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield from _figures(now)
        yield from _lanes(now)
        yield from _workers(now)
        yield from _accounts()
        yield from _stopped()
        yield _alerts()
        yield from _ledger()
        yield _refusals(now)


def _figures(now: datetime) -> Iterator[Metric]:
    rollup.fold()
    text = "Deliveries of messages accepted on this day (UTC), by measure; begins anew at midnight."
    found = CounterMetricFamily("pushcenter_deliveries", text, labels=("system", "channel", "measure"))
    rows = HourlyStat.objects.filter(hour__gte=_midnight(now)).values_list("system__code", "channel")
    summed: Any = rows.annotate(*(Sum(name) for name in MEASURES)).order_by("system__code", "channel")
    for system, channel, *numbers in summed:
        for name, number in zip(MEASURES, numbers, strict=True):
            # What an operator reopens is no failure any more; a counter is not to go below nothing.
            found.add_metric((system, channel, name), max(0, number))
    yield found


def _lanes(now: datetime) -> Iterator[Metric]:
    due = GaugeMetricFamily(
        "pushcenter_lane_due", f"Deliveries that are due, to {COUNTED}.", labels=("lane",)
    )
    oldest = GaugeMetricFamily(
        "pushcenter_lane_oldest_due_seconds",
        "For how long the oldest due delivery has waited; 0 where none waits.",
        labels=("lane",),
    )
    limit = GaugeMetricFamily(
        "pushcenter_lane_late_after_seconds", "When that is an alert.", labels=("lane",)
    )
    for lane in Lane.values:
        waiting = Delivery.objects.filter(
            state=State.PENDING, held=False, lane=lane, due_at__lte=now
        ).order_by()
        due.add_metric((lane,), waiting[:COUNTED].count())
        at = claims.oldest(lane)
        oldest.add_metric((lane,), max(0.0, (now - at).total_seconds()) if at else 0.0)
        limit.add_metric((lane,), lookout.late_after(lane).total_seconds())
    yield from (due, oldest, limit)
    for state, text in ((State.SENDING, "being sent"), (State.IN_DOUBT, "in doubt")):
        found = GaugeMetricFamily(
            f"pushcenter_deliveries_{state.value}", f"Deliveries that are {text}.", labels=("lane",)
        )
        rows = Delivery.objects.filter(state=state).order_by().values_list("lane").annotate(Count("pk"))
        counts = dict(rows)
        for lane in Lane.values:
            found.add_metric((lane,), counts.get(lane, 0))
        yield found


def _workers(now: datetime) -> Iterator[Metric]:
    silence = lookout.notice_silence(now)
    text = "Seconds since the last sign of life of any worker, which come every minute."
    found = GaugeMetricFamily("pushcenter_worker_silent_seconds", text)
    if silence is not None:
        found.add_metric((), silence.total_seconds())
    yield found
    yield GaugeMetricFamily(
        "pushcenter_queue_tasks", "Wake-ups and tasks that wait or run.", value=queue.waiting()
    )


def _accounts() -> Iterator[Metric]:
    labels = ("account", "channel", "adapter")
    up = GaugeMetricFamily("pushcenter_account_up", "1 where the account is given work.", labels=labels)
    calls = GaugeMetricFamily(
        "pushcenter_account_calls", "Calls under way, a few seconds ago.", labels=labels
    )
    quota = GaugeMetricFamily(
        "pushcenter_account_quota_used", "The part of today's quota that was used.", labels=labels
    )
    without_work = set(Account.objects.without_work().values_list("pk", flat=True))
    for account in Account.objects.filter(is_active=True).with_use().order_by("name"):
        names = (account.name, account.channel, account.adapter)
        up.add_metric(names, 0 if account.pk in without_work else 1)
        calls.add_metric(names, getattr(account, "calls", None) or 0)
        if account.daily_quota:
            quota.add_metric(names, (getattr(account, "used", None) or 0) / account.daily_quota)
    yield from (up, calls, quota)


def _stopped() -> Iterator[Metric]:
    lanes = GaugeMetricFamily("pushcenter_lane_stopped", "1 where somebody has stopped it.", labels=("lane",))
    for lane in Lane.values:
        lanes.add_metric((lane,), 1 if lane in stops.current().lanes else 0)
    yield lanes
    found = GaugeMetricFamily("pushcenter_stopped", "What is stopped at this moment.", labels=("kind",))
    holding = Stop.objects.filter(ended_at=None).order_by().values_list("kind").annotate(Count("pk"))
    counts = {**dict(holding), "batch": Batch.objects.filter(is_stopped=True, cancelled_at=None).count()}
    for kind in (*StopKind.values, "batch"):
        found.add_metric((kind,), counts.get(kind, 0))
    yield found


def _alerts() -> Metric:
    found = GaugeMetricFamily("pushcenter_alerts_open", "Alerts that are open.", labels=("severity",))
    counts = dict(
        Alert.objects.filter(resolved_at=None).order_by().values_list("severity").annotate(Count("pk"))
    )
    for severity in Severity.values:
        found.add_metric((severity,), counts.get(severity, 0))
    return found


def _ledger() -> Iterator[Metric]:
    seen = LedgerDay.objects.aggregate(
        sum=Sum("difference"), days=Count("pk", filter=Q(difference__gt=0)), at=Max("counted_at")
    )
    yield GaugeMetricFamily(
        "pushcenter_ledger_difference",
        "How much of the ledger does not fit; anything but 0 is wrong.",
        value=seen["sum"] or 0,
    )
    yield GaugeMetricFamily(
        "pushcenter_ledger_days_off", "Days of the ledger that do not balance.", value=seen["days"]
    )
    counted = GaugeMetricFamily(
        "pushcenter_ledger_counted_timestamp_seconds", "When the ledger was counted last."
    )
    if seen["at"]:
        counted.add_metric((), seen["at"].timestamp())
    yield counted


def _refusals(now: datetime) -> Metric:
    text = "Requests that were refused on this day (UTC), by reason; begins anew at midnight."
    found = CounterMetricFamily("pushcenter_refused_requests", text, labels=("code",))
    # The tier above owns refusals; this only points to them.
    rows = apps.get_model("access.Refusal").objects.filter(minute__gte=_midnight(now)).order_by("code")
    for code, number in rows.values_list("code").annotate(Sum("count")):
        found.add_metric((code,), number)
    return found


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
