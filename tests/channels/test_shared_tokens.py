"""Tokens that all processes share: one fetches, the others wait or go on with the old one."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Lock, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from channels_app import connections
from channels_app.contract import Temporary
from channels_app.models import Account, AccountToken
from channels_app.shared_tokens import SharedTokens
from channels_app.tokens import Token
from tests import factories, pristine
from tests.channels.provider import Answer, play
from tests.faults.cluster import ROOT, environment


class Provider:
    """Counts how often it is asked for a token, and may fail."""

    def __init__(self, seconds: float = 7200) -> None:
        self.seconds = seconds
        self.given = 0
        self.fault: Exception | None = None
        self._lock = Lock()

    async def fetch(self) -> Token:
        with self._lock:
            self.given += 1
            number = self.given
        await asyncio.sleep(0.05)
        if self.fault:
            raise self.fault
        return Token(value=f"t-{number}", seconds=self.seconds)


@pytest.fixture
def account(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Account]:
    """Committed, because threads and processes look at it; and removed with all that they left behind."""
    with django_db_blocker.unblock():
        row = factories.account("sms")
        yield row
        pristine.restore()
        connection.close()


def get(account: Account, provider: Provider, *, refused: str = "") -> str:
    """What a process that has just been started gets."""
    return asyncio.run(SharedTokens(account).get("access", provider.fetch, refused=refused))


def at_once(*works: Callable[[], Any]) -> None:
    threads = [Thread(target=work) for work in works]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def age(**changes: timedelta) -> None:
    AccountToken.objects.update(**{name: timezone.now() + delta for name, delta in changes.items()})


def test_a_token_is_fetched_once_and_found_by_the_next_process(account: Account) -> None:
    provider = Provider()
    assert [get(account, provider) for _ in range(3)] == ["t-1"] * 3
    assert provider.given == 1


def test_a_process_asks_the_database_once(account: Account) -> None:
    provider, tokens = Provider(), SharedTokens(account)

    async def twice() -> tuple[str, str]:
        first = await tokens.get("access", provider.fetch)
        await asyncio.to_thread(_forget)
        return first, await tokens.get("access", provider.fetch)

    assert asyncio.run(twice()) == ("t-1", "t-1")


def _forget() -> None:
    try:
        AccountToken.objects.all().delete()
    finally:
        connection.close()


def test_it_is_encrypted_at_rest(account: Account) -> None:
    get(account, Provider())
    row = AccountToken.objects.get()
    assert "t-1" not in row.encrypted
    assert row.marked_until is None
    assert row.renew_at is not None
    assert row.expires_at == row.renew_at + timedelta(seconds=300)


def test_those_who_start_at_once_share_one_fetch(account: Account) -> None:
    provider, got = Provider(), list[str]()
    at_once(*(lambda: got.append(get(account, provider)) for _ in range(6)))
    assert (got, provider.given) == (["t-1"] * 6, 1)


def test_two_processes_share_one_fetch(account: Account) -> None:
    script = f"""
import asyncio, django
django.setup()
from channels_app import http
from channels_app.json_api import json_object
from channels_app.models import Account
from channels_app.shared_tokens import SharedTokens
from channels_app.tokens import Token

async def fetch(url):
    reply = await http.call("GET", url)
    await asyncio.sleep(0.2)
    return Token(value=json_object(reply.body)["token"], seconds=7200)

async def main(url):
    account = await Account.objects.aget(pk="{account.pk}")
    print(await SharedTokens(account).get("access", lambda: fetch(url)))
    await http.close()

import sys
asyncio.run(main(sys.argv[1]))
"""

    async def both(base_url: str) -> list[bytes]:
        command = [sys.executable, "-c", script, f"{base_url}/token"]
        processes = [
            await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
        return [(await each.communicate())[0].strip() for each in processes]

    printed, requests = play({"/token": Answer(body={"token": "secret-1"})}, both)
    assert printed == [b"secret-1", b"secret-1"]
    assert len(requests) == 1


def test_one_renews_ahead_of_the_end_and_the_others_go_on_with_the_old(account: Account) -> None:
    provider, got = Provider(), list[str]()
    get(account, provider)
    age(renew_at=timedelta(seconds=-1))
    at_once(*(lambda: got.append(get(account, provider)) for _ in range(4)))
    assert sorted(got) == ["t-1", "t-1", "t-1", "t-2"]
    assert (get(account, provider), provider.given) == ("t-2", 2)


def test_a_renewal_that_fails_ahead_of_the_end_does_no_harm(account: Account) -> None:
    provider = Provider()
    get(account, provider)
    age(renew_at=timedelta(seconds=-1))
    provider.fault = Temporary("down")
    assert get(account, provider) == "t-1"
    provider.fault = None
    assert get(account, provider) == "t-3"


def test_a_token_past_its_end_is_not_used(account: Account) -> None:
    provider = Provider()
    get(account, provider)
    age(renew_at=timedelta(seconds=-9), expires_at=timedelta(seconds=-1))
    assert get(account, provider) == "t-2"


def test_a_stale_token_is_fetched_anew_once_for_all(account: Account) -> None:
    provider, got = Provider(), list[str]()
    stale = get(account, provider)
    at_once(*(lambda: got.append(get(account, provider, refused=stale)) for _ in range(4)))
    assert (got, provider.given) == (["t-2"] * 4, 2)


def test_a_fetch_that_fails_is_said_to_the_one_who_asked_and_tried_again_by_the_next(
    account: Account,
) -> None:
    provider = Provider()
    provider.fault = Temporary("down")
    with pytest.raises(Temporary, match="down"):
        get(account, provider)
    provider.fault = None
    assert get(account, provider) == "t-2"


def test_the_mark_of_a_dead_process_ends_by_itself(account: Account) -> None:
    provider = Provider()
    AccountToken.objects.create(
        account=account, name="access", marked_until=timezone.now() + timedelta(seconds=0.3)
    )
    assert (get(account, provider), provider.given) == ("t-1", 1)


def test_whoever_waits_for_too_long_says_so(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels_app.shared_tokens.MARK_S", 0.2)
    AccountToken.objects.create(
        account=account, name="access", marked_until=timezone.now() + timedelta(seconds=60)
    )
    with pytest.raises(Temporary, match="another process"):
        get(account, Provider())


def test_other_settings_need_another_token(account: Account) -> None:
    provider = Provider()
    get(account, provider)
    account.set_config({**account.config, "latency_ms": 1})
    assert get(account, provider) == "t-2"


def test_no_connection_is_held_while_a_token_is_fetched(account: Account) -> None:
    idle = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(idle)
            return cursor.fetchone()[0]

    before, seen = others(), list[int]()

    async def fetch() -> Token:
        seen.append(await asyncio.to_thread(_count, others))
        return Token(value="t", seconds=60)

    asyncio.run(SharedTokens(account).get("access", fetch))
    assert seen == [before + 1]  # the test's own connection, seen from the thread


def _count(others: Callable[[], int]) -> int:
    try:
        return others()
    finally:
        connection.close()


def test_a_connected_adapter_shares_its_tokens(account: Account) -> None:
    assert isinstance(connections.connect(account).tokens, SharedTokens)
