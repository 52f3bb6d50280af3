"""Tokens of an account, shared by all processes through the database and encrypted there.

Of those who find a token missing or near its end, one leaves a mark in the row and fetches; nothing is locked and
no connection is held meanwhile. The others use the old token while it holds, else they wait for the new one. A
mark whose process has died ends by itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from channels_app import secrets
from channels_app.contract import Temporary
from channels_app.models import Account, AccountToken
from channels_app.secrets import UnreadableSecret
from channels_app.tokens import Fetch, Token

T = TypeVar("T")
#: A mark holds this long, in seconds: longer than any fetch takes.
MARK_S = 30
#: Those who wait look again after this many seconds.
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A token as its row has it; an empty value where there is none that holds."""

    value: str = ""
    renew_at: datetime | None = None
    expires_at: datetime | None = None
    #: We have left our mark, and are to fetch the next one.
    ours_to_fetch: bool = False

    def holds(self, now: datetime, refused: str) -> bool:
        return (
            bool(self.value)
            and self.value != refused
            and self.expires_at is not None
            and now < self.expires_at
        )

    def is_fresh(self, now: datetime, refused: str) -> bool:
        return self.holds(now, refused) and self.renew_at is not None and now < self.renew_at


class SharedTokens:
    """The tokens of one account, as one process sees them."""

    def __init__(self, account: Account) -> None:
        self._rows = _Rows(account.pk, _fingerprint(account))
        self._held: dict[str, Known] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def get(self, name: str, fetch: Fetch, *, refused: str = "") -> str:
        """See :meth:`channels_app.tokens.Tokens.get`."""
        turn = self._turns.setdefault(name, asyncio.Lock())
        held = self._held.get(name, Known())
        now = timezone.now()
        if held.is_fresh(now, refused) or (turn.locked() and held.holds(now, refused)):
            return held.value
        async with turn:
            held = self._held.get(name, Known())
            if not held.is_fresh(timezone.now(), refused):
                held = self._held[name] = await self._look(name, fetch, refused)
            return held.value

    async def _look(self, name: str, fetch: Fetch, refused: str) -> Known:
        until = timezone.now() + timedelta(seconds=MARK_S)
        while timezone.now() < until:
            known = await _in_thread(partial(self._rows.look, name, refused))
            if known.ours_to_fetch:
                return await self._fetch(name, fetch, known, refused)
            if known.value:
                return known
            await asyncio.sleep(LOOK_AGAIN_S)
        raise Temporary("another process is still fetching the token", code="token_wait")

    async def _fetch(self, name: str, fetch: Fetch, known: Known, refused: str) -> Known:
        try:
            token = await fetch()
        except BaseException:
            await _in_thread(partial(self._rows.give_up, name))
            if known.holds(timezone.now(), refused):  # it was early: the next one asks again
                return known
            raise
        return await _in_thread(partial(self._rows.store, name, token))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one account, each step in a transaction of its own."""

    account_id: UUID
    #: A token that was fetched with other settings is none.
    fingerprint: str

    def look(self, name: str, refused: str) -> Known:
        """The token where one holds; where it has to be fetched and nobody is at it, our mark is left."""
        AccountToken.objects.get_or_create(account_id=self.account_id, name=name)
        with transaction.atomic():
            row = self._row(name)
            now = timezone.now()
            known = self._known(row)
            if known.is_fresh(now, refused):
                return known
            if row.marked_until and row.marked_until > now:
                return known if known.holds(now, refused) else Known()
            row.marked_until = now + timedelta(seconds=MARK_S)
            if not known.holds(now, refused):
                row.encrypted = ""  # nobody is to go on with it
            row.save(update_fields=["marked_until", "encrypted"])
            return Known(
                value=known.value,
                renew_at=known.renew_at,
                expires_at=known.expires_at,
                ours_to_fetch=True,
            )

    def store(self, name: str, token: Token) -> Known:
        now = timezone.now()
        known = Known(
            value=token.value,
            renew_at=now + timedelta(seconds=token.renew_after),
            expires_at=now + timedelta(seconds=token.seconds),
        )
        self._all(name).update(
            encrypted=secrets.encrypt(token.value),
            fingerprint=self.fingerprint,
            fetched_at=now,
            renew_at=known.renew_at,
            expires_at=known.expires_at,
            marked_until=None,
        )
        return known

    def give_up(self, name: str) -> None:
        self._all(name).update(marked_until=None)

    def _all(self, name: str) -> QuerySet[AccountToken]:
        return AccountToken.objects.filter(account_id=self.account_id, name=name)

    def _row(self, name: str) -> AccountToken:
        return AccountToken.objects.select_for_update().get(account_id=self.account_id, name=name)

    def _known(self, row: AccountToken) -> Known:
        if row.fingerprint != self.fingerprint or not row.encrypted:
            return Known()
        try:
            value = secrets.decrypt(row.encrypted)
        except UnreadableSecret:
            return Known()
        return Known(value=value, renew_at=row.renew_at, expires_at=row.expires_at)


def _fingerprint(account: Account) -> str:
    """Changes whenever the settings are stored, so that new credentials never meet an old token."""
    parts = (account.adapter, repr(sorted(account.config.items())), account.secrets)
    return sha256("\0".join(parts).encode()).hexdigest()


async def _in_thread(work: Callable[[], T]) -> T:
    """Database work beside the event loop; its connection is given back at once."""

    def step() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(step)
