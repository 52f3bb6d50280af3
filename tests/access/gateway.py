"""A caller of the API: one key, and what comes back."""

import json
from typing import Any

from django.test import Client

from pushcenter.access.problems import CONTENT_TYPE
from pushcenter.messaging import queue
from pushcenter.messaging.models import Delivery, Event, Message, Tally

MESSAGES = "/api/v1/messages"


def order(**changes: Any) -> dict[str, Any]:
    """The body of a good request, with changes; None takes a name out."""
    body = {"template": "order-paid", "to": {"recipient": "u-1001"}, "params": {"order_no": "SO-1"}}
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


class Gateway:
    """Calls with one key; a fault on our side comes back as its answer, as it would over HTTP."""

    def __init__(self, secret: str = "") -> None:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.client = Client(raise_request_exception=False, headers=headers)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.raw(path, json.dumps(body).encode(), **headers)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call with any method; None is no body."""
        text = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, path, text, content_type="application/json")

    def raw(self, path: str, body: bytes, content_type: str = "application/json", **headers: str) -> Any:
        return self.client.post(path, body, content_type=content_type, headers=headers)

    def send(self, **changes: Any) -> Any:
        return self.post(MESSAGES, order(**changes))


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, which has to be of this kind."""
    assert response.status_code == status, response.content[:1000]
    assert response["Content-Type"] == CONTENT_TYPE
    document: dict[str, Any] = json.loads(response.content)
    assert set(document) == {"type", "title", "status", "code", "detail", "errors"}
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"].endswith(f":{code}")
    assert document["title"]
    assert document["detail"]
    return document


def faults(response: Any, status: int = 422, code: str = "invalid_request") -> list[tuple[str, str]]:
    """Where and what, for each fault of a refused request."""
    return [(each["pointer"], each["code"]) for each in problem(response, status, code)["errors"]]


def stored() -> dict[str, int]:
    """How many rows of each kind acceptance has left."""
    kinds: dict[str, type[Any]] = {
        "messages": Message,
        "deliveries": Delivery,
        "events": Event,
        "tallies": Tally,
    }
    return {name: model.objects.count() for name, model in kinds.items()} | {"wake-ups": queue.waiting()}


NOTHING = {"messages": 0, "deliveries": 0, "events": 0, "tallies": 0, "wake-ups": 0}
