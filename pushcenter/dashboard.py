"""The first page of the console: does everything flow? Each part only for those who may see it."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from analytics_app import rollup
from analytics_app.query import Query
from analytics_app.report import Figures, totals
from channels_app.models import Account
from pushcenter.access.models import ApiKey, System
from pushcenter.lanes import Lane
from pushcenter.messaging import claims, dead_letters, lookout, stops
from pushcenter.messaging.admin.labels import STATE_COLOURS
from pushcenter.messaging.admin.stopped import Stopped, stopped
from pushcenter.messaging.models import Alert, Delivery, LedgerDay, Message
from pushcenter.messaging.states import State, summary
from pushcenter.spans import words
from templates_app.models import Template, TemplateVersion, VersionState

#: Counting a long queue exactly would cost more than the figure is worth.
COUNTED_ROWS = 10_000
#: A due delivery that nobody fetched for so long: the workers are not running, or do not keep up.
LATE = timedelta(minutes=1)
LATEST = 8
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHealth:
    """One lane. ``waiting`` stops at ``COUNTED_ROWS``; ``late`` is how long the oldest due delivery waits."""

    label: Any
    waiting: int
    scheduled: int
    sending: int
    in_doubt: int
    late: timedelta | None
    is_stopped: bool

    @property
    def is_stuck(self) -> bool:
        return self.late is not None and self.late > LATE and not self.is_stopped

    @property
    def late_shown(self) -> str:
        return words(self.late or timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    database_ms: float
    lanes: list[LaneHealth]

    @property
    def is_stuck(self) -> bool:
        return any(lane.is_stuck for lane in self.lanes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A message in the list of the newest."""

    message: Message
    state: State
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that asks for a look, and where to look."""

    label: Any
    number: str
    url: str
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A first step, and whether it is done."""

    label: str
    url_name: str
    is_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """None stands for what the user may not see."""

    health: Health | None
    troubles: list[Trouble]
    stopped: list[Stopped]
    paused: list[Account] | None
    today: Figures | None
    latest: list[Latest] | None
    start: list[Start]
    base_url: str

    @property
    def is_blank(self) -> bool:
        return self.health is None and self.paused is None and self.today is None and self.latest is None


def dashboard(user: Any) -> Dashboard:
    latest = newest() if user.has_perm("messaging.view_message") else None
    return Dashboard(
        health=health() if user.has_perm("messaging.view_delivery") else None,
        troubles=troubles() if user.has_perm("messaging.view_delivery") else [],
        stopped=stopped() if user.has_perm("messaging.view_stop") else [],
        paused=paused() if user.has_perm("channels_app.view_account") else None,
        today=today() if user.has_perm("analytics_app.view_hourlystat") else None,
        latest=latest,
        start=first_steps() if latest == [] else [],
        base_url=settings.BASE_URL,
    )


def troubles() -> list[Trouble]:
    """What asks for a look, worst first; empty where nothing does."""
    now = timezone.now()
    silence = lookout.notice_silence(now)
    alerts = Alert.objects.filter(resolved_at=None)
    differences = LedgerDay.objects.filter(difference__gt=0)
    failed = dead_letters.number(now - DAY)
    found = [
        (_("No worker runs: nothing is sent"), _silent(silence), "admin:messaging_alert_changelist", True),
        (_("Open alerts"), str(alerts.count() or ""), "admin:messaging_alert_changelist", True),
        (
            _("Days on which the ledger does not balance"),
            str(differences.count() or ""),
            "admin:ledger",
            True,
        ),
        (_("Dead letters of the last 24 hours"), _capped(failed), "admin:dead_letters", False),
    ]
    return [
        Trouble(label=label, number=number, url=reverse(url), is_bad=is_bad)
        for label, number, url, is_bad in found
        if number
    ]


def _silent(silence: timedelta | None) -> str:
    return words(silence) if silence is not None and lookout.is_too_long(silence) else ""


def _capped(number: int) -> str:
    return f"{number}+" if number >= dead_letters.COUNTED else str(number or "")


def paused() -> list[Account]:
    return list(Account.objects.without_work())


def health() -> Health:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    database_ms = (time.perf_counter() - began) * 1000
    now = timezone.now()
    sending = counts(State.SENDING)
    in_doubt = counts(State.IN_DOUBT)
    return Health(database_ms=database_ms, lanes=[_lane(Lane(each), now, sending, in_doubt) for each in Lane])


def counts(state: State) -> dict[str, int]:
    """By lane; for states that few rows are in, each with an index of its own."""
    rows = Delivery.objects.filter(state=state).order_by().values("lane").annotate(number=Count("pk"))
    return {row["lane"]: row["number"] for row in rows}


def _lane(lane: Lane, now: datetime, sending: dict[str, int], in_doubt: dict[str, int]) -> LaneHealth:
    oldest = claims.oldest(lane)
    pending = Delivery.objects.filter(state=State.PENDING, lane=lane).order_by()
    return LaneHealth(
        label=lane.label,
        waiting=pending.filter(due_at__lte=now)[:COUNTED_ROWS].count(),
        scheduled=pending.filter(due_at__gt=now)[:COUNTED_ROWS].count(),
        sending=sending.get(lane, 0),
        in_doubt=in_doubt.get(lane, 0),
        late=now - oldest if oldest and oldest <= now else None,
        is_stopped=lane.value in stops.current().lanes,
    )


def today() -> Figures:
    rollup.fold()
    day = timezone.localdate()
    return totals(Query(first=day, last=day, group="day"))


def newest() -> list[Latest]:
    rows = Message.objects.select_related("template", "system", "recipient").prefetch_related("deliveries")
    return [_latest(message) for message in rows.order_by("-id")[:LATEST]]


def _latest(message: Message) -> Latest:
    state = State(summary([State(each.state) for each in message.deliveries.all()]))
    return Latest(message=message, state=state, colour=STATE_COLOURS[state])


def first_steps() -> list[Start]:
    """What has to be there before a message can be."""
    published = TemplateVersion.objects.filter(state=VersionState.PUBLISHED)
    steps = [
        (_("Add a system that may send"), "admin:access_system_add", System.objects.exists()),
        (_("Give it an API key, a test key first"), "admin:access_apikey_add", ApiKey.objects.exists()),
        (_("Add an account for a channel"), "admin:channels_app_account_add", Account.objects.exists()),
        (_("Write a template"), "admin:templates_app_template_add", Template.objects.exists()),
        (_("Publish its version"), "admin:templates_app_templateversion_changelist", published.exists()),
    ]
    return [Start(label=label, url_name=url_name, is_done=is_done) for label, url_name, is_done in steps]
