"""What nobody reports, because it is silence: lanes that are not served, workers that are gone, doubts that pile up.

A worker looks every minute. That no worker runs, none can notice: whoever looks at the console or at the metrics does,
and the first worker that runs again says for how long nobody did.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from channels_app.models import Account
from pushcenter.lanes import Lane
from pushcenter.messaging import alerts, claims, dead_letters, stops
from pushcenter.messaging.models import Alert, Delivery, Pulse, Severity
from pushcenter.messaging.states import State
from pushcenter.spans import words

WORKERS = "worker"
SILENCE, DOUBTS = "workers", "doubts"
#: Begins the reason of a pause by hand, of which nobody has to be told.
BY_HAND = "by "
#: Further doubts are not counted.
COUNTED = 10_000


def run() -> None:
    """Look at everything once; the task that a worker runs every minute."""
    now = timezone.now()
    beat(now)
    for lane in Lane:
        _look_at_lane(lane, now)
    _look_at_doubts()
    _look_at_accounts()
    dead_letters.wake_forgotten(now)


def late_after(lane: str) -> timedelta:
    """For how long a due delivery of a lane may wait."""
    return timedelta(seconds=settings.LATE_SECONDS[lane])


def silent_for(now: datetime) -> timedelta | None:
    """For how long no worker has given a sign of life; None where none ever has."""
    last = Pulse.objects.filter(pk=WORKERS).values_list("at", flat=True).first()
    return None if last is None else now - last


def beat(now: datetime) -> None:
    """A worker is at work. After a silence that was too long it is told of."""
    with transaction.atomic():
        silence = silent_for(now)
        if silence is not None and is_too_long(silence):
            since = timezone.localtime(now - silence)
            text = f"No worker was at work from {since:%Y-%m-%d %H:%M:%S} to {timezone.localtime(now):%H:%M:%S %Z}."
            alerts.raise_alert(SILENCE, Severity.CRITICAL, text, {"silent for": words(silence)})
        else:
            alerts.resolve(SILENCE)
        Pulse.objects.update_or_create(pk=WORKERS, defaults={"at": now})


def is_too_long(silence: timedelta) -> bool:
    return silence > timedelta(seconds=settings.WORKER_SILENT_SECONDS)


def notice_silence(now: datetime) -> timedelta | None:
    """Raise the alert of workers that are silent, from a process that is none; returns the silence."""
    silence = silent_for(now)
    if silence is not None and is_too_long(silence) and not _is_open(SILENCE):
        with translation.override(
            settings.LANGUAGE_CODE
        ):  # what is stored is not in the language of who looks
            late = words(silence)
        text = f"No worker has been at work for {late}: nothing is sent."
        alerts.raise_alert(SILENCE, Severity.CRITICAL, text, {"silent for": late})
    return silence


def _is_open(key: str) -> bool:
    return Alert.objects.filter(key=key, resolved_at=None).exists()


def _look_at_lane(lane: Lane, now: datetime) -> None:
    key = f"lane:{lane.value}"
    oldest = None if lane in stops.current().lanes else claims.oldest(lane)
    if oldest is None or now - oldest <= late_after(lane):
        alerts.resolve(key)
        return
    late = words(now - oldest)
    alerts.raise_alert(
        key,
        Severity.CRITICAL if lane.is_above(Lane.NORMAL) else Severity.WARNING,
        f"The lane {lane.value} is behind: its oldest due delivery has waited for {late}.",
        {"lane": lane.value, "late": late, "limit": words(late_after(lane))},
    )


def _look_at_doubts() -> None:
    number = Delivery.objects.filter(state=State.IN_DOUBT)[:COUNTED].count()
    if number <= settings.IN_DOUBT_LIMIT:
        alerts.resolve(DOUBTS)
        return
    alerts.raise_alert(
        DOUBTS,
        Severity.WARNING,
        f"{number}{'+' if number == COUNTED else ''} deliveries are in doubt: nobody knows whether they were sent.",
        {"deliveries": number, "limit": settings.IN_DOUBT_LIMIT},
    )


def _look_at_accounts() -> None:
    """Accounts that were paused because of what their provider said, and those that are well again."""
    paused = Account.objects.filter(is_active=True, is_paused=True).exclude(pause_reason__startswith=BY_HAND)
    wrong = {account_key(account.pk): account for account in paused}
    for key, account in wrong.items():
        if not _is_open(key):
            account_paused(account.pk, account.pause_reason, name=account.name)
    for key in Alert.objects.filter(key__startswith="account:", resolved_at=None).values_list(
        "key", flat=True
    ):
        if key not in wrong:
            alerts.resolve(key)


def account_key(account_id: UUID) -> str:
    return f"account:{account_id}"


def account_paused(account_id: UUID, reason: str, *, name: str = "") -> None:
    """An account is paused, because its provider does not take the credentials; in the transaction that pauses it."""
    name = name or Account.objects.values_list("name", flat=True).get(pk=account_id)
    alerts.raise_alert(
        account_key(account_id),
        Severity.CRITICAL,
        f"The account {name} is paused: {reason}",
        {"account": name, "reason": reason},
    )
