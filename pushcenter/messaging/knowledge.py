"""What a dispatcher has to know of accounts and templates: asked for now and then, and not for each delivery."""

import time
from collections.abc import Mapping, Sequence

from django.db.models import Q

from channels_app.models import Account
from pushcenter.messaging.control import control
from templates_app.models import DoubtPolicy, Template

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
        self._asked = float("-inf")

    def refresh(self) -> None:
        """Ask again, if the last answer is no longer new."""
        control.refresh()
        now = time.monotonic()
        if now - self._asked < ASK_EVERY:
            return
        by_channel: dict[str, list[Account]] = {}
        for account in Account.objects.usable():
            by_channel.setdefault(account.channel, []).append(account)
        self.accounts = by_channel
        unusual = Template.objects.filter(Q(doubt_policy=DoubtPolicy.HOLD) | Q(is_tracked=False))
        wants = list(unusual.values_list("pk", "doubt_policy", "is_tracked"))
        self.holding = frozenset(str(pk) for pk, policy, _tracked in wants if policy == DoubtPolicy.HOLD)
        self.untracked = frozenset(str(pk) for pk, _policy, is_tracked in wants if not is_tracked)
        self._asked = now

    def forget(self) -> None:
        """The next look asks, whatever the time."""
        self._asked = float("-inf")
