"""What a dispatcher has to know of accounts and templates: asked for now and then, and not for each delivery."""

import time
from collections.abc import Mapping, Sequence

from channels_app.models import Account
from pushcenter import prepared
from pushcenter.messaging.control import control

# Any change of a row gives it another xmin: the accounts themselves are read only where these rows differ.
USABLE = "SELECT id, xmin FROM channels_app_account WHERE is_active AND NOT is_paused"
UNUSUAL = """
SELECT id, doubt_policy = 'hold', NOT is_tracked FROM templates_app_template
 WHERE doubt_policy = 'hold' OR NOT is_tracked
"""
#: Seconds for which the answer of the database holds.
ASK_EVERY = 0.5


class Knowledge:
    """Accounts that may be given work, by channel and in failover order, and what templates want.

    ``holding`` are those that hold what is in doubt, ``untracked`` those whose opens and clicks nobody is to count.
    """

    def __init__(self) -> None:
        self.accounts: Mapping[str, Sequence[Account]] = {}
        self.holding: frozenset[str] = frozenset()
        self.untracked: frozenset[str] = frozenset()
        self._usable: frozenset[prepared.Row] | None = None
        self._asked = float("-inf")

    def refresh(self) -> None:
        """Ask again, if the last answer is no longer new."""
        control.refresh()
        now = time.monotonic()
        if now - self._asked < ASK_EVERY:
            return
        usable = frozenset(prepared.rows(USABLE))
        if usable != self._usable:
            self._usable, self.accounts = usable, _by_channel()
        unusual = prepared.rows(UNUSUAL)
        self.holding = frozenset(str(pk) for pk, holds, _ in unusual if holds == "t")
        self.untracked = frozenset(str(pk) for pk, _, is_untracked in unusual if is_untracked == "t")
        self._asked = now

    def forget(self) -> None:
        """The next look asks, whatever the time."""
        self._asked = float("-inf")


def _by_channel() -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = {}
    for account in Account.objects.usable():
        found.setdefault(account.channel, []).append(account)
    return found
