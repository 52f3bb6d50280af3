"""The breaker of an account that opens is an alert until it closes."""

from typing import Any

from channels_app.models import Account
from pushcenter.messaging import alerts
from pushcenter.messaging.alerts import Severity


def tell(*, account: Account, is_open: bool, detail: str, **_others: Any) -> None:
    """Receives :data:`channels_app.health.breaker_changed`, in the transaction that notes that it was told."""
    key = f"breaker:{account.pk}"
    if not is_open:
        alerts.resolve(key)
        return
    is_last = not Account.objects.usable().filter(channel=account.channel).exclude(pk=account.pk).exists()
    follows = "and no other account can take over." if is_last else "so other accounts take over."
    alerts.raise_alert(
        key,
        Severity.CRITICAL if is_last else Severity.WARNING,
        f"Nothing goes out through the account {account.name}: its provider fails, {follows}",
        {"account": str(account.pk), "channel": account.channel, "error": detail},
    )
