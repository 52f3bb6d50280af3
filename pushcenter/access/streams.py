"""The live inboxes of this process: any number of connections, one thread that writes to all of them.

That thread lives while there are streams, with one connection to the database, on which PostgreSQL tells of changed
inboxes (:mod:`pushcenter.messaging.news`). No request waits for it, and an inbox is read when it has changed.
"""

import logging
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from pushcenter.access.feed import Feed
from pushcenter.access.line import Line
from pushcenter.messaging import news

#: A line that says nothing is taken for dead by proxies after a minute or so; in seconds.
BEAT_S = 15.0
#: A reader that takes nothing for so long is let go.
PATIENCE_S = 30.0
#: The longest that the thread sleeps.
TICK_S = 1.0
HEARTBEAT = b": still here\n\n"
log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False, kw_only=True)
class Stream:
    """One reader. Times are those of ``time.monotonic()``."""

    line: Line
    feed: Feed
    ends_at: float
    spoke_at: float
    #: There may be news for it.
    is_stale: bool = True
    waiting: bytearray = field(default_factory=bytearray)

    def say(self, text: bytes, now: float) -> None:
        """Send it, or as much as the line takes; raises ``OSError`` where the reader is gone."""
        self.waiting += self.line.framed(text)
        self.spoke_at = now
        self.flush()

    def flush(self) -> None:
        try:
            while self.waiting:
                del self.waiting[: self.line.socket.send(self.waiting)]
        except BlockingIOError:
            return

    def finish(self) -> None:
        """Say goodbye, where the line takes it."""
        if not self.waiting:
            self.waiting += self.line.end
            self.flush()


class Streams:
    """The open streams; any thread may hand one over."""

    def __init__(self, *, limit: int, seconds: float, beat: float = BEAT_S) -> None:
        self._limit = limit
        self._seconds = seconds
        self.beat = beat
        self._lock = threading.Lock()
        self._arrived: deque[Stream] = deque()
        self._writer: Writer | None = None
        self._number = 0

    @property
    def has_room(self) -> bool:
        return self._number < self._limit

    def open(self, line: Line, feed: Feed) -> None:
        """From now on the stream is ours; it ends after some minutes, and its reader comes back."""
        now = time.monotonic()
        stream = Stream(line=line, feed=feed, ends_at=now + self._seconds, spoke_at=now)
        with self._lock:
            self._arrived.append(stream)
            self._number += 1
            if self._writer is None:
                self._writer = Writer(self)
                threading.Thread(target=self._writer.run, name="inbox-streams", daemon=True).start()
            self._writer.wake()

    def arrivals(self) -> list[Stream]:
        """Streams that were handed over since the last time."""
        with self._lock:
            return self._take_arrivals()

    def _take_arrivals(self) -> list[Stream]:
        found = list(self._arrived)
        self._arrived.clear()
        return found

    def closed(self) -> None:
        with self._lock:
            self._number -= 1

    def may_stop(self) -> bool:
        """Asked by the writer when it has no stream left; the next stream starts another."""
        with self._lock:
            if not self._arrived:
                self._writer = None
            return self._writer is None

    def give_up(self) -> list[Stream]:
        """Said by a writer that cannot go on; what was handed over and not taken yet is its own to close."""
        with self._lock:
            self._writer = None
            return self._take_arrivals()


class Ear:
    """The connection on which PostgreSQL tells whose inbox has changed."""

    def __init__(self) -> None:
        self._heard: set[UUID] = set()
        self.fileno = -1

    def open(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {news.CHANNEL}")
        connection.connection.add_notify_handler(self._note)
        self.fileno = connection.connection.fileno()

    def _note(self, notice: psycopg.Notify) -> None:
        self._heard |= news.named_in(notice.payload)

    def heard(self) -> set[UUID]:
        """Recipients that were named since the last time."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # an answer brings the notices along that have come before it
        found, self._heard = self._heard, set()
        return found

    def close(self) -> None:
        self.fileno = -1
        connection.close()


class Writer:
    """The thread. What it owns, no other thread touches, but for :meth:`wake`."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._open: set[Stream] = set()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ringer = socket.socketpair()
        self._bell.settimeout(0)
        self._ringer.settimeout(0)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._ear = Ear()
        self._listens_at = 0.0

    def wake(self) -> None:
        try:
            self._ringer.send(b"\0")
        except BlockingIOError:
            return  # it has been rung often enough

    def run(self) -> None:
        try:
            while self._open or not self._streams.may_stop():
                self._step()
        except Exception:
            log.exception("the live inboxes of this process have ended; their readers will come back")
            self._open.update(self._streams.give_up())
        finally:
            self._end()

    def _end(self) -> None:
        for stream in list(self._open):
            self._close(stream)
        self._ear.close()
        self._selector.close()
        self._bell.close()
        self._ringer.close()

    def _step(self) -> None:
        self._admit()
        self._use_database()
        self._keep_time(time.monotonic())
        wait = 0 if self._has_more_to_tell() else min(TICK_S, self._streams.beat)
        for key, events in self._selector.select(wait):
            self._handle(key, events)

    def _has_more_to_tell(self) -> bool:
        return self._ear.fileno >= 0 and any(each.is_stale and not each.waiting for each in self._open)

    def _admit(self) -> None:
        for stream in self._streams.arrivals():
            self._open.add(stream)
            self._selector.register(stream.line.socket, selectors.EVENT_READ, stream)

    def _handle(self, key: selectors.SelectorKey, events: int) -> None:
        if isinstance(key.data, Stream):
            self._attend(key.data, events)
        elif key.fileobj is self._bell:
            self._bell.recv(4096)
        else:
            self._listens_at = 0.0

    def _attend(self, stream: Stream, events: int) -> None:
        """A reader has room for more, or has gone; it has nothing to say."""
        try:
            if events & selectors.EVENT_READ and not stream.line.socket.recv(4096):
                self._close(stream)
                return
            stream.flush()
        except BlockingIOError:
            return
        except OSError:
            self._close(stream)
            return
        self._await_room(stream)

    def _await_room(self, stream: Stream) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.waiting else 0)
        self._selector.modify(stream.line.socket, wanted, stream)

    def _use_database(self) -> None:
        """Hear and tell; without a database the readers wait, and are told when it is back."""
        try:
            self._listen()
            for stream in [each for each in self._open if each.is_stale and not each.waiting]:
                stream.is_stale = False
                told = stream.feed.news()
                stream.is_stale = stream.feed.is_behind
                if told:
                    self._say(stream, told)
        except (DatabaseError, InterfaceError):
            log.warning("the live inboxes wait for the database")
            self._stop_listening()

    def _listen(self) -> None:
        if self._ear.fileno < 0:
            self._ear.open()
            self._selector.register(self._ear.fileno, selectors.EVENT_READ)
        if time.monotonic() < self._listens_at:
            return
        self._listens_at = time.monotonic() + TICK_S
        heard = self._ear.heard()
        for stream in self._open:
            stream.is_stale = stream.is_stale or stream.feed.inbox.recipient_id in heard

    def _stop_listening(self) -> None:
        if self._ear.fileno >= 0:
            self._selector.unregister(self._ear.fileno)
        self._ear.close()
        for stream in self._open:  # what was said meanwhile was not heard
            stream.is_stale = True

    def _keep_time(self, now: float) -> None:
        for stream in list(self._open):
            if now >= stream.ends_at or (stream.waiting and now - stream.spoke_at >= PATIENCE_S):
                self._close(stream, kindly=True)
            elif now - stream.spoke_at >= self._streams.beat and not stream.waiting:
                self._say(stream, HEARTBEAT)

    def _say(self, stream: Stream, text: bytes) -> None:
        try:
            stream.say(text, time.monotonic())
        except OSError:
            self._close(stream)
            return
        self._await_room(stream)

    def _close(self, stream: Stream, *, kindly: bool = False) -> None:
        self._open.discard(stream)
        try:
            if kindly:
                stream.finish()
            self._selector.unregister(stream.line.socket)
        except (OSError, KeyError):
            log.debug("a reader was gone already")
        stream.line.socket.close()
        self._streams.closed()


#: Those of this process.
streams = Streams(limit=settings.INBOX_STREAMS, seconds=settings.INBOX_STREAM_SECONDS)
