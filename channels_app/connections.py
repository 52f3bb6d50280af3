"""Adapters ready for use: one instance for each account in each process, renewed when the account changes."""

import random
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from channels_app import registry
from channels_app.contract import Adapter, Address
from channels_app.models import Account
from channels_app.secrets import UnreadableSecret
from channels_app.shared_tokens import SharedTokens

_open: dict[UUID, tuple[datetime, Adapter]] = {}


class NoAccount(LookupError):
    """No account of this channel can be used at present."""


def choose(accounts: Sequence[Account], address: Address) -> tuple[Account, Adapter]:
    """Of accounts in failover order, one that takes the address: of the first rank, by weight.

    Raises :class:`NoAccount`. An account that cannot be connected is passed over.
    """
    taking, reason = _taking(accounts, address)
    if not taking:
        raise NoAccount(reason)
    first = [each for each in taking if each[0].priority == taking[0][0].priority]
    weights = [account.weight for account, _ in first]
    return random.choices(first, weights=weights)[0]  # noqa: S311 (no secret)


def _taking(accounts: Sequence[Account], address: Address) -> tuple[list[tuple[Account, Adapter]], str]:
    """The accounts that take an address, each with its adapter; and why there are none, where there are none."""
    found = []
    reason = "" if accounts else "every account of this channel is paused or switched off"
    for account in accounts:
        try:
            adapter = connect(account)
        except NoAccount as error:
            reason = str(error)
            continue
        if adapter.takes(address):
            found.append((account, adapter))
    return found, reason or "no account of this channel that is at work takes such an address"


def connect(account: Account) -> Adapter:
    """The adapter of an account; raises :class:`NoAccount` where it cannot be made."""
    held = _open.get(account.pk)
    if held and held[0] == account.updated_at:
        return held[1]
    # One that the account's change has made stale keeps its connections until the calls under way are over,
    # and gives them back when the last of them lets go of it.
    try:
        adapter = account.connect()
    except (registry.UnknownAdapter, UnreadableSecret) as error:
        raise NoAccount(f"account {account.name}: {error}") from None
    except Exception as error:  # settings that an older version of the adapter stored, for one
        detail = f"its settings do not suit its adapter ({type(error).__name__})"
        raise NoAccount(f"account {account.name}: {detail}") from None
    adapter.tokens = SharedTokens(account)
    _open[account.pk] = (account.updated_at, adapter)
    return adapter


async def close() -> None:
    """Let go of every adapter of this process."""
    held = [adapter for _, adapter in _open.values()]
    _open.clear()
    for adapter in held:
        await adapter.close()
