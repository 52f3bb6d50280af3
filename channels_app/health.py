"""The shared health of accounts: what workers report and ask, each in a short transaction on one account's row.

When a breaker opens or closes, a line is written into the account's history and :data:`breaker_changed` is sent, in
one transaction with the mark that it was: whoever listens hears of it even when a worker dies in between.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.dispatch import Signal

from channels_app import breaker
from channels_app.breaker import Circuit, Report, Switch
from channels_app.models import Account, AccountEvent, AccountHealth
from channels_app.pace import QUICKLY

log = logging.getLogger(__name__)
#: Sent with ``account``, ``is_open``, and ``detail``: the last error where it opened. Receivers work in the transaction
#: of the sender, and may be asked again after a rollback.
breaker_changed = Signal()

# Healthy accounts have no row, or one that says nothing: a look at all accounts brings few rows.
LOOK = """
SELECT account_id, switch, greatest(0, extract(epoch FROM until - statement_timestamp()))::float, prober,
       greatest(0, extract(epoch FROM slowed_until - statement_timestamp()))::float,
       trouble_since IS NOT NULL
  FROM channels_app_accounthealth
 WHERE switch <> 'closed' OR slowed_until > statement_timestamp() OR trouble_since IS NOT NULL
"""
SAW = """
INSERT INTO channels_app_accountload AS l (account_id, process, calls, places, wants, until)
SELECT v.account_id, %(process)s, v.calls, 0, 0, statement_timestamp() + %(keep)s
  FROM unnest(%(account)s::uuid[], %(calls)s::int[]) AS v(account_id, calls)
 ORDER BY v.account_id
ON CONFLICT (account_id, process) DO UPDATE SET calls = excluded.calls, until = greatest(l.until, excluded.until)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An account's health as the shared row has it; times are seconds from now."""

    switch: Switch = Switch.CLOSED
    ends_in: float = 0.0
    prober: str = ""
    slowed_for: float = 0.0
    is_troubled: bool = False


HEALTHY = Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one worker reports of an account, and asks: the probe for ``probe`` seconds, where that is not 0."""

    report: Report
    code: str = ""
    detail: str = ""
    slow: float = 0.0
    probe: float = 0.0


def look() -> dict[UUID, Seen]:
    """The health of all accounts that are not well."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK)
        return {
            account_id: Seen(
                switch=Switch(switch),
                ends_in=ends_in or 0.0,
                prober=prober,
                slowed_for=slowed_for or 0.0,
                is_troubled=is_troubled,
            )
            for account_id, switch, ends_in, prober, slowed_for, is_troubled in cursor.fetchall()
        }


def exchange(account_id: UUID, said: Said) -> Seen:
    """Report and ask, in a transaction of its own."""
    with transaction.atomic():
        now = _begin()
        row = _locked(account_id)
        circuit = breaker.heard(row.circuit, said.report, now=now)
        if said.probe:
            circuit = breaker.claimed(circuit, who=said.report.who, now=now, seconds=said.probe)
        if said.slow:
            until = now + timedelta(seconds=said.slow)
            row.slowed_until = max(row.slowed_until, until) if row.slowed_until else until
        if said.code or said.detail:
            row.code, row.detail, row.failed_at = said.code[:80], said.detail[:300], now
        _turn(row, circuit)
        row.save()
    return _seen(row, now)


def close(accounts: Sequence[Account], *, by: str) -> int:
    """Let calls through again at once, because somebody says so; returns how many accounts had been held up."""
    count = 0
    for account in accounts:
        with transaction.atomic():
            now = _begin()
            row = AccountHealth.objects.select_for_update().filter(pk=account.pk).first()
            is_slowed = row is not None and row.slowed_until is not None and row.slowed_until > now
            if row is None or not (row.is_open or is_slowed):
                continue
            row.adopt(Circuit(changed_at=now))
            row.slowed_until = None
            row.save()
            AccountEvent.objects.create(
                account=account, kind=AccountEvent.Kind.CLOSED_BY_HAND, detail=f"by {by}"
            )
            count += 1
    tell()
    return count


def tell() -> int:
    """Send the signal for breakers that have opened or closed since the last one; returns how many."""
    with transaction.atomic():
        rows = AccountHealth.objects.filter(is_told=False).select_related("account")
        untold = list(rows.select_for_update(skip_locked=True, of=("self",)))
        for row in untold:
            detail = " ".join(filter(None, (row.code, row.detail)))
            breaker_changed.send(sender=Account, account=row.account, is_open=row.is_open, detail=detail)
            row.is_told = True
            row.save(update_fields=["is_told"])
    return len(untold)


def saw(process: str, calls: Sequence[tuple[UUID, int]], *, keep: timedelta) -> None:
    """Note how many calls this worker has under way, for those who look at the console."""
    values: dict[str, Any] = {
        "process": process,
        "keep": keep,
        "account": [account_id for account_id, _ in calls],
        "calls": [each for _, each in calls],
    }
    with connection.cursor() as cursor:
        cursor.execute(SAW, values)


def _begin() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(QUICKLY)}, statement_timestamp()")
        now: datetime = cursor.fetchone()[-1]
    return now


def _locked(account_id: UUID) -> AccountHealth:
    rows = AccountHealth.objects.select_for_update().filter(pk=account_id)
    found = rows.first()
    if found is None:
        AccountHealth.objects.bulk_create([AccountHealth(account_id=account_id)], ignore_conflicts=True)
        found = rows.get()
    return found


def _turn(row: AccountHealth, circuit: Circuit) -> None:
    """Adopt a circuit, and write down when it opened or closed."""
    was_open = row.is_open
    row.adopt(circuit)
    if row.is_open == was_open:
        return
    kind = AccountEvent.Kind.OPENED if row.is_open else AccountEvent.Kind.CLOSED
    detail = " ".join(filter(None, (row.code, row.detail))) if row.is_open else ""
    AccountEvent.objects.create(account_id=row.pk, kind=kind, detail=detail[:400])
    log.warning("the breaker of account %s is %s: %s", row.pk, "open" if row.is_open else "closed", row.code)


def _seen(row: AccountHealth, now: datetime) -> Seen:
    def left(moment: datetime | None) -> float:
        return max(0.0, (moment - now).total_seconds()) if moment else 0.0

    return Seen(
        switch=Switch(row.switch),
        ends_in=left(row.until),
        prober=row.prober,
        slowed_for=left(row.slowed_until),
        is_troubled=row.trouble_since is not None,
    )
