"""Adapters ready for use: one instance for each account in each process, renewed when the account changes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from channels_app import choosing, registry
from channels_app.choosing import Candidate
from channels_app.contract import Adapter, Address
from channels_app.models import Account
from channels_app.secrets import UnreadableSecret
from channels_app.shared_tokens import SharedTokens
from channels_app.traffic import Traffic

_open: dict[UUID, tuple[datetime, Adapter]] = {}


class NoAccount(LookupError):
    """No account of this channel can be used at present."""


class NoRoom(NoAccount):
    """There are accounts, and none of them may take a message now: it waits, see :meth:`Traffic.next_turn`."""


def choose(
    accounts: Sequence[Account],
    address: Address,
    *,
    failed: UUID | None = None,
    traffic: Traffic | None = None,
) -> tuple[Account, Adapter]:
    """Of accounts in failover order, the one to take a message to this address: see :mod:`channels_app.choosing`.

    Raises :class:`NoAccount`, or :class:`NoRoom` of it. An account that cannot be connected is passed over. ``failed``
    is the account through which the last attempt failed. Without ``traffic`` all are well and have room.
    """
    if failed is None and (found := _obvious(accounts, address, traffic)):
        return found
    taking, reason = _taking(accounts, address)
    if not taking:
        raise NoAccount(reason)
    candidates = [_candidate(account, adapter, traffic) for account, adapter in taking]
    chosen = choosing.choose(candidates, failed=failed)
    if chosen is None:
        raise NoRoom("every account that takes such an address is busy, or out of order for the moment")
    return taking[candidates.index(chosen)]


def _obvious(
    accounts: Sequence[Account], address: Address, traffic: Traffic | None
) -> tuple[Account, Adapter] | None:
    """The first account, where it has no equal, is well and has room: nearly always, and then nothing else is asked."""
    if not accounts or (len(accounts) > 1 and accounts[1].priority == accounts[0].priority):
        return None
    account = accounts[0]
    held = _open.get(account.id)
    if held is None or held[0] != account.updated_at or not held[1].takes(address):
        return None
    if traffic is not None and not (traffic.room(account, held[1]) > 0 and traffic.is_healthy(account.id)):
        return None
    return account, held[1]


def _candidate(account: Account, adapter: Adapter, traffic: Traffic | None) -> Candidate:
    return Candidate(
        id=account.id,
        priority=account.priority,
        weight=account.weight,
        room=traffic.room(account, adapter) if traffic else 1,
        is_healthy=traffic.is_healthy(account.id) if traffic else True,
    )


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
    held = _open.get(account.id)
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
    _open[account.id] = (account.updated_at, adapter)
    return adapter


async def close() -> None:
    """Let go of every adapter of this process."""
    held = [adapter for _, adapter in _open.values()]
    _open.clear()
    for adapter in held:
        await adapter.close()
