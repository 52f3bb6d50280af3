"""Which channels have an account, held in memory."""

from channels_app.models import Account
from pushcenter.held import Held, Topic

_held = Held[str, frozenset[str]](Topic.ACCOUNTS, lambda _: frozenset(Account.objects.served_channels()))


def served_channels() -> frozenset[str]:
    """Channels with an account; a paused one counts, because its deliveries wait for it."""
    return _held.get("") or frozenset()


_paused = Held[str, frozenset[str]](Topic.ACCOUNTS, lambda _: frozenset(Account.objects.paused_channels()))


def paused_channels() -> frozenset[str]:
    """Channels all of whose accounts are paused."""
    return _paused.get("") or frozenset()
