"""A live inbox: what its reader is told, on any server and over the real one."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from pushcenter.access import feed as feeds
from pushcenter.access.feed import Feed, moment_of
from pushcenter.access.line import Line
from pushcenter.access.streams import Streams
from pushcenter.ids import uuid7
from pushcenter.messaging import dispatch, news
from pushcenter.messaging.inbox import Inbox
from pushcenter.messaging.models import Delivery
from pushcenter.recipients.models import Recipient
from tests import factories
from tests.access.gateway import Gateway, problem

INBOX = "/api/v1/recipients/u-1001/inbox"
EVENTS = f"{INBOX}/events"
PATIENCE_S = 20.0


def events(text: str) -> list[tuple[str, Any]]:
    """Name and data of each event."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def told(text: str) -> list[str]:
    """The events in short: the titles of entries, and the numbers of unread ones."""
    return [
        data["title"].removeprefix("Paid: ") if name == "entry" else str(data["unread"])
        for name, data in events(text)
    ]


def last_id(text: str) -> str:
    return [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")][-1]


def sent(shop: Gateway, *numbers: str) -> None:
    for number in numbers:
        assert shop.send(channels=["inbox"], params={"order_no": number}).status_code == 202
    dispatch.run("normal")


def look(shop: Gateway, last_event_id: str = "") -> str:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    response: Any = shop.client.get(EVENTS, headers=headers)
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


# --- A single look, on a server that gives no connection away ---------------------------------------------


@pytest.mark.django_db
def test_a_look_tells_what_has_just_come_and_when_to_look_again(shop: Gateway) -> None:
    sent(shop, "A", "B")
    response: Any = shop.client.get(EVENTS)
    text = b"".join(response.streaming_content).decode()
    assert response["Content-Type"] == "text/event-stream; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    assert response["X-Accel-Buffering"] == "no"
    assert response["X-Request-Id"]
    assert text.startswith("retry: 5000\n\n")
    assert told(text) == ["A", "B", "2"]


@pytest.mark.django_db
def test_an_entry_has_the_shape_of_the_list(shop: Gateway) -> None:
    sent(shop, "A")
    [(name, entry), _unread] = events(look(shop))
    assert name == "entry"
    assert entry == shop.get(INBOX).json()["entries"][0]


@pytest.mark.django_db
def test_who_comes_back_is_told_what_came_meanwhile(shop: Gateway) -> None:
    sent(shop, "A")
    seen = last_id(look(shop))
    Delivery.objects.update(delivered_at=timezone.now() - timedelta(minutes=1))
    sent(shop, "B")
    assert told(look(shop, seen)) == ["B", "2"]
    assert told(look(shop, last_id(look(shop, seen)))) == ["B", "2"]  # just come: it may be told twice


@pytest.mark.django_db
def test_an_entry_that_waited_is_told_when_it_comes(shop: Gateway) -> None:
    shop.send(channels=["inbox"], params={"order_no": "early"})
    sent(shop, "late")
    early = Delivery.objects.order_by("id").first()
    assert early is not None
    Delivery.objects.exclude(pk=early.pk).update(delivered_at=timezone.now() - timedelta(minutes=1))
    assert told(look(shop)) == ["early", "2"]


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ["soon", "nan", "1e999", "-1e20", "٣", "x" * 5000])
def test_an_odd_event_id_is_none(shop: Gateway, odd: str) -> None:
    assert moment_of(odd) is None or moment_of(odd) == moment_of("3")
    sent(shop, "A")
    assert told(look(shop, odd))[-1] == "1"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("away", "expected"), [(timedelta(days=2), ["new", "2"]), (timedelta(hours=2), ["old", "new", "2"])]
)
def test_who_was_away_for_long_is_told_of_the_last_day(
    shop: Gateway, away: timedelta, expected: list[str]
) -> None:
    sent(shop, "old")
    Delivery.objects.update(delivered_at=timezone.now() - away + timedelta(minutes=1))
    sent(shop, "new")
    assert told(look(shop, str((timezone.now() - away).timestamp()))) == expected


@pytest.mark.django_db
def test_a_feed_tells_each_change_once_and_page_by_page(
    shop: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    feed = Feed(Inbox(recipient_id=Recipient.objects.get().pk))
    sent(shop, *"ABCDE")
    looks = []
    while True:
        looks.append(told(feed.news().decode()))
        if not feed.is_behind:
            break
    assert looks == [["A", "B"], ["C", "D"], ["E", "5"]]
    assert feed.news() == b""
    shop.post(f"{INBOX}/read", {})
    assert told(feed.news().decode()) == ["0"]


@pytest.mark.django_db
def test_a_test_key_follows_an_inbox_of_its_own(shop: Gateway) -> None:
    sent(shop, "A")
    tester = Gateway(factories.key(is_test=True)[1])
    assert told(look(tester)) == ["0"]


@pytest.mark.django_db
def test_nobody_follows_the_inbox_of_a_stranger(shop: Gateway) -> None:
    problem(shop.get("/api/v1/recipients/nobody/inbox/events"), 404, "not_found")


# --- Word of a change -------------------------------------------------------------------------------------


def test_a_notice_holds_what_postgresql_can_carry() -> None:
    ids = [uuid7() for _ in range(450)]
    notices = list(news._notices([*ids, *ids, None]))
    assert len(notices) == 3
    assert max(map(len, notices)) < 8000
    assert set().union(*map(news.named_in, notices)) == set(ids)
    assert list(news._notices([None])) == []


# --- The thread of the streams ----------------------------------------------------------------------------


class Reader:
    """The other end of a stream."""

    def __init__(self, recipient: Recipient, *, is_chunked: bool = False) -> None:
        self.theirs, self.socket = socket.socketpair()
        self.theirs.settimeout(0)
        self.socket.settimeout(PATIENCE_S)
        self.line = Line(socket=self.theirs, is_chunked=is_chunked)
        self.feed = Feed(Inbox(recipient_id=recipient.pk))
        self.text = ""

    def stuff(self) -> None:
        """Leave no room on the line, so that nothing arrives before the reader reads."""
        with suppress(BlockingIOError):
            while True:
                self.theirs.send(b"\n" * 65536)

    def until(self, is_there: Callable[[str], bool]) -> str:
        """What has been told by the time at which it is as it should be, or the stream has ended."""
        while not is_there(self.text):
            more = self.socket.recv(65536)
            if not more:
                break
            self.text += more.decode()
        assert is_there(self.text), self.text
        return self.text

    def rest(self) -> str:
        """All until the stream ends."""
        while more := self.socket.recv(65536):
            self.text += more.decode()
        return self.text


def unread(number: int, times: int = 1) -> Callable[[str], bool]:
    return lambda text: text.count(f'"unread":{number}') >= times


@contextmanager
def followed(*readers: Reader, **options: Any) -> Iterator[Streams]:
    """The readers' streams; when all have left, nothing of them is left."""
    streams = Streams(**{"limit": 10, "seconds": 60, **options})
    for reader in readers:
        streams.open(reader.line, reader.feed)
    try:
        yield streams
    finally:
        for reader in readers:
            reader.socket.close()
    for thread in threading.enumerate():
        if thread.name == "inbox-streams":
            thread.join(PATIENCE_S)
    assert (streams._writer, streams._number) == (None, 0)
    assert [reader.theirs.fileno() for reader in readers] == [-1] * len(readers)


@pytest.fixture
def person(transactional_db: None) -> Recipient:
    factories.template()
    factories.accounts("inbox", "email")
    return factories.recipient()


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = %s",
            ["client backend"],
        )
        return int(cursor.fetchone()[0])


def cut_other_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = %s AND pid <> pg_backend_pid()",
            ["client backend"],
        )


def test_readers_are_told_what_comes_and_what_is_read_over_one_connection(person: Recipient) -> None:
    shop = Gateway(factories.key()[1])
    stranger = Reader(factories.recipient("u-1002"))
    slow, *readers = [Reader(person) for _ in range(8)]
    slow.stuff()
    before = connections()
    with followed(slow, *readers, stranger):
        for reader in [*readers, stranger]:
            reader.until(unread(0))
        assert connections() == before + 1
        sent(shop, "A")
        assert [told(reader.until(unread(1))) for reader in readers] == [["0", "A", "1"]] * 7
        assert told(slow.until(unread(1))) == ["0", "A", "1"]
        shop.post(f"{INBOX}/read", {})
        assert told(readers[0].until(unread(0, times=2))) == ["0", "A", "1", "0"]

        # What happens while the database is away is told when it is back.
        cut_other_connections()
        sent(shop, "B")
        assert told(readers[0].until(unread(1, times=2))) == ["0", "A", "1", "0", "B", "1"]
    assert told(stranger.text) == ["0"]
    assert connections() == before


def test_a_stream_shows_that_it_is_there_and_ends_after_its_time(person: Recipient) -> None:
    first, second, third = Reader(person), Reader(person, is_chunked=True), Reader(person)
    with followed(first, second, limit=2, seconds=0.6, beat=0.1) as streams:
        assert not streams.has_room
        text = first.rest()
        assert told(text) == ["0"]
        assert text.count(": still here") >= 2
        assert second.rest().endswith("\r\n0\r\n\r\n")
        assert streams.has_room
    # The thread has ended with the last stream; another one finds all as before.
    with followed(third, seconds=0.1):
        assert told(third.rest()) == ["0"]
