"""Alerts: what operators have to know of, each trouble once, from its beginning to its end.

Whoever meets with trouble leaves a note in the same transaction; that is one insert, which waits for nobody and
refuses nothing. A worker folds the notes into alerts right afterwards, and tells people by ordinary messages
(:mod:`pushcenter.messaging.operators`). So telling may fail, and nothing else does.
"""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from pushcenter.messaging import operators, queue
from pushcenter.messaging.models import Alert, AlertNote, Severity
from pushcenter.messaging.verdicts import storable

__all__ = ["Severity", "raise_alert", "resolve", "run"]

log = logging.getLogger(__name__)
TASK = "pushcenter.messaging.alerts.run"
#: One that comes back so soon after its end is the same trouble still; so nobody is told of an end before that.
SETTLED_AFTER = timedelta(minutes=5)
REMIND_AFTER = timedelta(hours=24)
GROUP = 1_000
#: More lines on who was told than anybody reads.
TOLD_AT_MOST = 200
#: Second half of the advisory lock's key: notes are folded by one worker at a time.
FOLDING = 0xA1E7


def raise_alert(key: str, severity: str, text: str, data: Mapping[str, Any] | None = None) -> None:
    """Say that something is wrong; as often as it is seen. To be called in the transaction that gives reason for it.

    ``key`` names the trouble, such as ``account:018f…``: what is open under it is one alert, whose ``text`` (a
    sentence), ``severity`` and ``data`` are those of the newest note.
    """
    _note(key, Severity(severity), text, data or {})


def resolve(key: str) -> None:
    """Say that nothing is wrong any more under this key; costs two small look-ups where nothing was."""
    key = storable(key, 200)
    if Alert.objects.filter(key=key, resolved_at=None).exists() or AlertNote.objects.filter(key=key).exists():
        _note(key, "", "", {})


def _note(key: str, severity: str, text: str, data: Mapping[str, Any]) -> None:
    # Notes that wait have a task already; one that ends at this very moment leaves ours to the next minute's.
    somebody_comes = AlertNote.objects.exists()
    plain = json.loads(json.dumps(data, default=str).replace("\\u0000", ""))
    AlertNote.objects.create(key=storable(key, 200), severity=severity, text=storable(text, 500), data=plain)
    if not somebody_comes:
        queue.later(TASK, at=timezone.now())


def run() -> int:
    """Fold what was noted, and tell people; the task in a worker. Returns how many alerts people were told of."""
    now = timezone.now()
    while fold():
        pass
    return tell(now)


def fold() -> int:
    """Bring notes into their alerts; returns how many, so that a caller goes on until there are none."""
    with transaction.atomic():
        if not _is_only_one():
            return 0
        notes = list(AlertNote.objects.order_by("id").select_for_update(skip_locked=True)[:GROUP])
        for note in notes:
            if note.severity:
                _seen(note)
            else:
                Alert.objects.filter(key=note.key, resolved_at=None).update(resolved_at=note.at)
        AlertNote.objects.filter(pk__in=[note.pk for note in notes]).delete()
    return len(notes)


def _is_only_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [queue.LOCK_CLASS, FOLDING])
        return bool(cursor.fetchone()[0])


def _seen(note: AlertNote) -> None:
    same = Alert.objects.filter(key=note.key).filter(
        Q(resolved_at=None) | Q(resolved_at__gt=note.at - SETTLED_AFTER, end_told=False)
    )
    alert = same.order_by(F("resolved_at").desc(nulls_first=True)).first()
    if alert is None:
        log.warning("alert %s (%s): %s", note.key, note.severity, note.text)
        Alert.objects.create(
            key=note.key,
            severity=note.severity,
            text=note.text,
            data=note.data,
            since=note.at,
            seen_at=note.at,
        )
        return
    Alert.objects.filter(pk=alert.pk).update(
        severity=note.severity,
        text=note.text,
        data=note.data,
        seen_at=note.at,
        count=F("count") + 1,
        resolved_at=None,
    )


def tell(now: datetime) -> int:
    """Tell people of what they do not know yet; returns of how many alerts."""
    untold = Q(resolved_at=None) & (
        Q(told_severity="")
        | Q(told_severity=Severity.INFO, severity__in=(Severity.WARNING, Severity.CRITICAL))
        | Q(told_severity=Severity.WARNING, severity=Severity.CRITICAL)
        | Q(told_at__lte=now - REMIND_AFTER)
    )
    over = Q(resolved_at__lte=now - SETTLED_AFTER, end_told=False) & ~Q(told_severity="")
    ids = list(Alert.objects.filter(untold | over).order_by("id").values_list("pk", flat=True))
    return sum(_tell_safely(pk, now) for pk in ids)


def _tell_safely(pk: UUID, now: datetime) -> bool:
    try:
        with transaction.atomic():
            alert = Alert.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
            return alert is not None and _tell(alert, now)
    except Exception:  # one that cannot be told keeps nobody from hearing of the others
        log.exception("nobody could be told of the alert %s", pk)
        return False


def _tell(alert: Alert, now: datetime) -> bool:
    what = _what(alert, now)
    if what is None:
        return False
    told = operators.tell(alert, what)
    alert.told = [*alert.told, *({"at": now.isoformat(), "what": what, **each} for each in told)][
        -TOLD_AT_MOST:
    ]
    alert.told_at = now
    alert.told_severity, alert.end_told = alert.severity, what == "resolved"
    alert.save(update_fields=["told", "told_at", "told_severity", "end_told"])
    return True


def _what(alert: Alert, now: datetime) -> str | None:
    """What is to be told of an alert; None where somebody has told it meanwhile."""
    if alert.resolved_at is not None:
        is_due = alert.told_severity and not alert.end_told and alert.resolved_at <= now - SETTLED_AFTER
        return "resolved" if is_due else None
    if Severity(alert.severity).is_above(alert.told_severity):
        return "raised"
    return "reminder" if alert.told_at and alert.told_at <= now - REMIND_AFTER else None
