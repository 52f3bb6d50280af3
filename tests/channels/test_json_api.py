"""One call of a JSON API: what an answer means, and a token that is fetched anew once."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from channels_app.codes import STALE_TOKEN, Meaning, StaleToken, error_for, with_token
from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Refused,
    Scope,
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.http import Reply
from channels_app.json_api import Answer, JsonApi, text_at, to_json, token_in
from channels_app.tokens import MemoryTokens, Token

CODES: Mapping[str, Meaning] = {
    "40003": Unreachable,
    "43004": partial(Unreachable, opted_out=True),
    "45009": partial(Throttled, retry_after=3600, scope=Scope.ADDRESS),
    "40001": STALE_TOKEN,
    "40037": partial(Misconfigured, scope=Scope.TEMPLATE),
}


def verdict(data: Mapping[str, Any]) -> tuple[str, str]:
    code = text_at(data, "errcode")
    return ("" if code == "0" else code), text_at(data, "errmsg")


API = JsonApi(
    verdict=verdict, codes=CODES, statuses={418: STALE_TOKEN}, not_json=partial(Throttled, retry_after=300)
)


def error(status: int, body: Any, retry_after: float | None = None) -> ChannelError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ChannelError) as caught:
        API.judge(Reply(status=status, headers={}, body=raw, retry_after=retry_after))
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, {"errcode": 40003}, Unreachable, "40003"),
        (200, {"errcode": "40003"}, Unreachable, "40003"),
        (400, {"errcode": 40003}, Unreachable, "40003"),
        (500, {"errcode": 40003}, Unreachable, "40003"),
        (200, {"errcode": 40001}, StaleToken, "40001"),
        (418, {"errcode": 0}, StaleToken, "418"),
        (200, {"errcode": 99999}, Refused, "99999"),
        (500, {"errcode": 99999}, Temporary, "99999"),
        (401, {}, Misconfigured, "401"),
        (503, b"<html>down</html>", Temporary, "503"),
        (200, b"<html>slow down</html>", Throttled, ""),
        (200, b"[]", Throttled, ""),
        (200, b"[" * 100_000, Throttled, ""),
        (200, b"\xff", Throttled, ""),
        (200, b"", Throttled, ""),
    ],
)
def test_an_answer_means_its_code_then_its_status(
    status: int, body: Any, kind: type[ChannelError], code: str
) -> None:
    found = error(status, body)
    assert type(found) is kind
    assert found.code == code


def test_a_success_is_the_object() -> None:
    reply = Reply(status=200, headers={}, body=b'{"errcode": 0, "msgid": 7}')
    assert API.judge(reply).data == {"errcode": 0, "msgid": 7}


def test_an_object_that_is_no_answer_leaves_the_end_in_doubt() -> None:
    api = replace(API, speaks=lambda data: "errcode" in data)
    for body, status, kind in ((b"{}", 200, Temporary), (b"{}", 429, Throttled), (b"{}", 401, Misconfigured)):
        with pytest.raises(kind) as caught:
            api.judge(Reply(status=status, headers={}, body=body, retry_after=None))
        assert getattr(caught.value, "maybe_sent", status == 200) is (status == 200)


def test_a_fault_while_a_token_is_fetched_means_that_nothing_was_sent() -> None:
    async def fetch() -> Token:
        raise Temporary("no answer in time", code="timeout", maybe_sent=True)

    with pytest.raises(Temporary) as caught:
        asyncio.run(with_token(MemoryTokens(), "access", fetch, Provider().use))
    assert not caught.value.maybe_sent


@pytest.mark.parametrize(
    ("answer", "value", "seconds"),
    [
        ({"t": "x", "s": 7200}, "x", 7200.0),
        ({"t": "x", "s": "7200"}, "x", 7200.0),
        ({"t": "x"}, "x", 0.0),
        ({"t": "x", "s": "soon"}, "x", 0.0),
    ],
)
def test_a_token_is_read_from_an_answer(answer: dict[str, Any], value: str, seconds: float) -> None:
    reply = Reply(status=200, headers={}, body=b"")
    assert token_in(Answer(data=answer, reply=reply), "t", "s") == Token(value=value, seconds=seconds)
    with pytest.raises(Temporary):
        token_in(Answer(data=answer, reply=reply), "other", "s")


def test_a_pause_is_the_providers_before_the_tables() -> None:
    for asked, expected in ((None, 3600.0), (7.0, 7.0)):
        found = error_for(45009, CODES, retry_after=asked)
        assert isinstance(found, Throttled)
        assert (found.retry_after, found.scope) == (expected, Scope.ADDRESS)


def test_the_detail_is_the_providers_sentence_and_not_endless() -> None:
    assert error(200, {"errcode": 40003, "errmsg": "x" * 999}).detail == "x" * 300


@pytest.mark.parametrize("value", [float("nan"), "\ud800", {1, 2}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(Refused):
        to_json(value)


@pytest.mark.parametrize(
    ("path", "found"),
    [(("a", "b"), "7"), (("a",), ""), (("x",), ""), (("a", "b", "c"), ""), (("t",), "s"), (("yes",), "")],
)
def test_a_text_is_found_at_its_path_or_is_empty(path: tuple[str, ...], found: str) -> None:
    assert text_at({"a": {"b": 7}, "t": "s", "yes": True}, *path) == found


class Provider:
    """Gives numbered tokens, and takes those that are not below ``oldest``."""

    def __init__(self, oldest: int = 0) -> None:
        self.oldest = oldest
        self.given = 0

    async def fetch(self) -> Token:
        self.given += 1
        number = self.given
        await asyncio.sleep(0)
        return Token(value=f"t-{number}", seconds=7200)

    async def use(self, token: str) -> str:
        if int(token.removeprefix("t-")) < self.oldest:
            raise StaleToken("stale", code="40001")
        return token


def test_those_who_want_a_token_at_once_share_one_call() -> None:
    provider, tokens = Provider(), MemoryTokens()

    async def play() -> list[str]:
        return await asyncio.gather(
            *(with_token(tokens, "access", provider.fetch, provider.use) for _ in range(20))
        )

    assert set(asyncio.run(play())) == {"t-1"}
    assert provider.given == 1


def test_a_stale_token_is_fetched_anew_once_for_all() -> None:
    provider, tokens = Provider(), MemoryTokens()

    async def play() -> set[str]:
        await with_token(tokens, "access", provider.fetch, provider.use)
        provider.oldest = 2
        work = (with_token(tokens, "access", provider.fetch, provider.use) for _ in range(20))
        return set(await asyncio.gather(*work))

    assert asyncio.run(play()) == {"t-2"}
    assert provider.given == 2


def test_a_fresh_token_that_is_refused_speaks_of_the_account() -> None:
    provider = Provider(oldest=99)
    with pytest.raises(Misconfigured):
        asyncio.run(with_token(MemoryTokens(), "access", provider.fetch, provider.use))
    assert provider.given == 2


def test_a_token_is_renewed_before_its_end() -> None:
    now = 0.0
    provider, tokens = Provider(), MemoryTokens(clock=lambda: now)

    async def at(moment: float) -> str:
        nonlocal now
        now = moment
        return await tokens.get("access", provider.fetch)

    async def play() -> list[str]:
        return [await at(0), await at(6899), await at(6900)]

    assert asyncio.run(play()) == ["t-1", "t-1", "t-2"]


@pytest.mark.parametrize(("seconds", "after"), [(7200.0, 6900.0), (60.0, 48.0), (0.0, 0.0)])
def test_a_token_is_renewed_five_minutes_early_or_at_four_fifths(seconds: float, after: float) -> None:
    assert Token(value="t", seconds=seconds).renew_after == after


def test_a_token_that_is_not_fetched_leaves_no_message_in_doubt() -> None:
    async def fetch() -> Token:
        raise Temporary("no answer in time", code="timeout", maybe_sent=True)

    with pytest.raises(Temporary) as caught:
        asyncio.run(with_token(MemoryTokens(), "access", fetch, Provider().use))
    assert not caught.value.maybe_sent
