"""HTTP as a business system would speak it, over the loopback and past any proxy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

TIMEOUT_S = 15


class NoAnswer(Exception):
    """Nobody answered, or not in HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    #: The JSON value, or None where the body is none.
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    host: str
    port: int
    key: str = ""

    def get(self, path: str) -> Answer:
        """Raises :class:`NoAnswer`."""
        return self._call("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Raises :class:`NoAnswer`."""
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        headers = {"Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return Answer(status=reply.status, value=json_or_none(reply.read()))
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{method} {path}: {type(error).__name__}") from None
        finally:
            connection.close()


def json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
