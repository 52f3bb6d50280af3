"""One call of a JSON API: write, read, look the code up. What an adapter of such a provider has in common.

The order in which an answer is judged: a code in the adapter's table, then the HTTP status, then, for a 200
that says no with an unknown code, the table's default. An answer that is no JSON object is judged by its status;
a good status with such a body is what ``not_json`` makes of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from channels_app import http
from channels_app.codes import Meaning, error_for
from channels_app.contract import Refused, Temporary
from channels_app.tokens import Token

NOTHING: Mapping[str, Any] = MappingProxyType({})
#: The code and the sentence of an answer; an empty code where it is a success.
Verdict = tuple[str, str]
unreadable = partial(Temporary, code="not_json", maybe_sent=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A success: the JSON object, and the HTTP reply that it came in."""

    data: Mapping[str, Any]
    reply: http.Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonApi:
    """How one provider says yes and no.

    ``verdict`` reads code and sentence from an answer (an empty code is a success); ``codes`` is the adapter's
    table, ``statuses`` overrides single HTTP statuses. ``default`` is for a 2xx with a code that nobody knows,
    and ``speaks`` says whether an object is an answer at all: a 2xx with any other leaves the end in doubt.
    ``guard`` is the SSRF guard of :func:`channels_app.http.call`: ``Adapter.guard`` where the URL begins with
    ``Adapter.base_url``, and True for every other URL that comes from the settings or from a caller.
    """

    verdict: Callable[[Mapping[str, Any]], Verdict]
    codes: Mapping[str, Meaning]
    statuses: Mapping[int, Meaning] = field(default_factory=dict)
    default: Meaning = Refused
    speaks: Callable[[Mapping[str, Any]], bool] = lambda _data: True
    not_json: Meaning = unreadable
    timeout: float = 15.0

    async def get(
        self,
        url: str,
        *,
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        guard: bool,
    ) -> Answer:
        """GET with a query string; raises a ``ChannelError``."""
        reply = await http.call(
            "GET", _with_query(url, query), headers=headers, timeout=self.timeout, guard=guard
        )
        return self.judge(reply)

    async def post(
        self,
        url: str,
        value: Any,
        *,
        query: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
        guard: bool,
    ) -> Answer:
        """POST a JSON value; raises a ``ChannelError``."""
        return await self.send(
            "POST",
            _with_query(url, query),
            body=to_json(value),
            headers={"content-type": "application/json; charset=utf-8", **headers},
            guard=guard,
        )

    async def post_form(
        self, url: str, values: Mapping[str, str], *, headers: Mapping[str, str] = NOTHING, guard: bool
    ) -> Answer:
        """POST a form; raises a ``ChannelError``."""
        return await self.send(
            "POST",
            url,
            body=urlencode(values).encode(),
            headers={"content-type": "application/x-www-form-urlencoded", **headers},
            guard=guard,
        )

    async def send(
        self, method: str, url: str, *, body: bytes, headers: Mapping[str, str], guard: bool
    ) -> Answer:
        """Send exact bytes, as they were signed; raises a ``ChannelError``."""
        reply = await http.call(method, url, headers=headers, body=body, timeout=self.timeout, guard=guard)
        return self.judge(reply)

    def judge(self, reply: http.Reply) -> Answer:
        """The answer in a reply; raises a ``ChannelError`` for everything that is no success."""
        data = json_object(reply.body)
        if data is None:
            http.raise_for_status(reply, self.statuses)
            raise self.not_json("the provider's answer is not JSON")
        code, detail = self.verdict(data)
        if code in self.codes:
            raise error_for(code, self.codes, detail=detail, retry_after=reply.retry_after)
        http.raise_for_status(reply, self.statuses, code=code, detail=detail)
        if code:
            raise error_for(code, {}, default=self.default, detail=detail, retry_after=reply.retry_after)
        if not self.speaks(data):
            raise unreadable("the provider's answer says neither yes nor no", code="no_verdict")
        return Answer(data=data, reply=reply)


def json_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body; None where there is none, such as in an error page in HTML."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8; raises :class:`Refused` for what JSON cannot hold."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError, RecursionError):  # NaN, infinity, half a surrogate pair
        raise Refused("the content has a value that JSON cannot hold", code="content") from None


def text_at(data: Mapping[str, Any], *path: str) -> str:
    """The text at a path of keys; empty where there is none. A number is taken as it is written."""
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def token_in(answer: Answer, name: str, seconds: str) -> Token:
    """The token that an answer brings, by the names of the token and of its life; raises :class:`Temporary`."""
    value = text_at(answer.data, name)
    try:
        life = float(text_at(answer.data, seconds))
    except ValueError:
        life = 0.0
    if not value:
        raise Temporary("the provider's answer has no token in it", code="no_token")
    return Token(value=value, seconds=life)


def _with_query(url: str, query: Mapping[str, str]) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
