"""A live inbox over the real server, whose threads it leaves alone."""

import json
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

import pytest

from pushcenter.messaging import dispatch
from tests import factories
from tests.access.gateway import MESSAGES, order
from tests.access.server import PATIENCE_S, serving

INBOX = "/api/v1/recipients/u-1001/inbox"
STREAMS, THREADS = 6, 2


class Caller:
    """Somebody with a key, each of whose calls has a connection of its own."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.lines: list[HTTPConnection] = []

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
        line = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        self.lines.append(line)
        content = None if body is None else json.dumps(body)
        line.request(method, path, content, {**self._headers, **headers})
        return line.getresponse()

    def follow(self, **headers: str) -> "Reader":
        return Reader(self.call("GET", f"{INBOX}/events", **headers))

    def follow_when_there_is_room(self, last_id: str) -> "Reader":
        while True:
            found = self.follow(**{"Last-Event-ID": last_id})
            if found.response.status == 200:
                return found

    def send(self, number: str) -> None:
        body = order(channels=["inbox"], params={"order_no": number})
        assert self.call("POST", MESSAGES, body).status == 202
        dispatch.run("normal")


class Reader:
    def __init__(self, response: HTTPResponse) -> None:
        self.response = response
        self.last_id = ""

    def next(self) -> Any:
        """The data of the next event."""
        while line := self.response.readline().decode().rstrip():
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            if name == "data":
                self.response.readline()
                return json.loads(value)
        return self.next()

    def await_end(self) -> None:
        """Raises ``TimeoutError`` where the stream goes on."""
        with suppress(HTTPException, ConnectionError):  # cut off in the middle of the body
            self.response.read()


def test_live_inboxes_occupy_no_thread_of_the_server(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.recipient()
    factories.template()
    factories.accounts("inbox", "email")
    key = factories.key()[1]
    monkeypatch.setenv("INBOX_STREAMS", str(STREAMS))
    with serving("--threads", str(THREADS)) as port:
        caller = Caller(port, key)
        readers = [caller.follow() for _ in range(STREAMS)]
        assert [each.response.headers["Content-Type"] for each in readers] == [
            "text/event-stream; charset=utf-8"
        ] * STREAMS
        assert [each.next() for each in readers] == [{"unread": 0}] * STREAMS

        # One more than there may be is sent away; all other calls have the threads for themselves.
        refused = caller.call("GET", f"{INBOX}/events")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        assert json.loads(refused.read())["code"] == "too_many_streams"
        assert caller.call("GET", INBOX).status == 200

        caller.send("A")
        assert [each.next()["title"] for each in readers] == ["Paid: A"] * STREAMS
        assert [each.next() for each in readers] == [{"unread": 1}] * STREAMS

        # The place of a reader who leaves is free as soon as the server has seen it; who comes back goes on.
        readers[0].response.close()
        caller.lines[0].close()
        returned = caller.follow_when_there_is_room(readers[0].last_id)
        assert returned.next()["title"] == "Paid: A"
        assert returned.next() == {"unread": 1}
        assert caller.call("POST", f"{INBOX}/read", {}).status == 200
        assert returned.next() == {"unread": 0}
    # An operator who stops the server does not wait for readers.
    for reader in readers[1:]:
        reader.await_end()
    for line in caller.lines:
        line.close()
