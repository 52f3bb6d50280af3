"""From decisions to rows: messages and deliveries as the lines that COPY takes, and the figures with them.

One writer for one message and for a million. The columns stand here once more, beside the models; a test holds the
two against each other.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from pushcenter import prepared
from pushcenter.ids import uuid7_hex, written
from pushcenter.messaging import queue, tally
from pushcenter.messaging.request import Item
from pushcenter.messaging.routing import Choice, Decision, Link
from pushcenter.messaging.states import State
from pushcenter.messaging.validate import Terms
from pushcenter.prepared import text
from pushcenter.recipients.person import Person
from templates_app.locales import normalise

NULL = "\\N"
MESSAGE = (
    "id", "recipient_id", '"to"', "params", "reference", "plan",
    "system_id", "key_id", "is_test", "batch_id", "version_id", "template_id", "category", "metadata", "lane",
    "request_id", "send_at", "expires_at", "accepted_at",
)  # fmt: skip
DELIVERY = (
    "id", "message_id", "recipient_id", "channel", "kind", "address", "locale", "step_within",
    "state", "code", "reason", "ended_at", "held", "is_test", "batch_id", "lane", "due_at", "expires_at",
    "accepted_at",
    "claims", "attempts", "throttled", "maybe_duplicate", "provider_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that is stored, as its sender hears of it."""

    hex: str
    has_work: bool
    is_test: bool
    accepted_at: datetime
    expires_at: datetime
    reference: str

    @property
    def id(self) -> str:
        return written(self.hex)

    @property
    def status(self) -> State:
        return State.PENDING if self.has_work else State.SKIPPED

    def as_json(self) -> dict[str, Any]:
        """The answer to the call that brought it."""
        return {
            "id": self.id,
            "status": self.status.value,
            "test": self.is_test,
            "accepted_at": self.accepted_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "reference": self.reference,
        }


@dataclass(slots=True)
class Rows:
    """What is to be written in one transaction."""

    #: So many messages go out at once, and those behind them are held; None: all go.
    slice: int | None = None
    messages: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    figures: "Counter[tally.Figure]" = field(default_factory=Counter)
    wakes: set[tuple[str, datetime | None]] = field(default_factory=set)
    _with_work: int = 0
    _shared: "dict[int, tuple[Terms, _Shared]]" = field(default_factory=dict)

    def add(self, item: Item, terms: Terms, person: Person, decisions: Sequence[Decision]) -> Accepted:
        """One message with its deliveries."""
        shared = self._shared_of(terms)
        message_id = uuid7_hex()
        recipient = person.recipient_id.hex if person.recipient_id else NULL
        to = {**item.to, "name": person.name, "locale": person.locale}
        params = terms.published.check.with_defaults(item.params)
        self.messages.append(
            f"{message_id}\t{recipient}\t{_json(to)}\t{_json(params)}\t{text(item.reference)}\t{_json(decisions)}"
            f"\t{shared.message}"
        )
        has_work = False
        start, locale = f"{message_id}\t{recipient}", text(normalise(person.locale))
        for decision in decisions:
            if decision.choice is not Choice.FALLBACK:
                chosen = decision.choice is Choice.CHOSEN
                has_work = has_work or chosen
                self._delivery(start, locale, decision, shared, chosen=chosen)
        if has_work:
            self._with_work += 1
            self.wakes.add((terms.lane.value, terms.send_at))
        return Accepted(
            hex=message_id,
            has_work=has_work,
            is_test=terms.caller.is_test,
            accepted_at=terms.accepted_at,
            expires_at=terms.expires_at,
            reference=item.reference,
        )

    def _delivery(
        self, start: str, locale: str, decision: Decision, shared: "_Shared", *, chosen: bool
    ) -> None:
        if chosen:
            waits = self.slice is not None and self._with_work >= self.slice
            end = shared.held if waits else shared.pending
        else:
            end = f"{State.SKIPPED.value}\t{decision.reason.value}\t{text(decision.detail)}\t{shared.now}\tf"
        within = decision.within if isinstance(decision, Link) else None
        self.deliveries.append(
            f"{uuid7_hex()}\t{start}\t{decision.channel}\t{decision.kind}\t{text(decision.address)}\t{locale}"
            f"\t{within or NULL}\t{end}\t{shared.delivery}"
        )
        if shared.counts:
            self.figures[(*shared.figure, decision.channel, "accepted")] += 1
            if not chosen:
                self.figures[(*shared.figure, decision.channel, "skipped")] += 1

    def write(self) -> None:
        """Store everything; to be called in a transaction, which has it all or nothing."""
        if not self.messages:
            return
        prepared.copy("messaging_message", MESSAGE, self.messages)
        if self.deliveries:
            prepared.copy("messaging_delivery", DELIVERY, self.deliveries)
        tally.store(self.figures)
        for lane, at in sorted(self.wakes, key=str):
            queue.wake(lane, at)

    def _shared_of(self, terms: Terms) -> "_Shared":
        known = self._shared.get(id(terms))
        if known is None:
            # The terms are kept beside what was made of them, so that no others get their id.
            known = self._shared[id(terms)] = (terms, _Shared.of(terms))
        return known[1]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the rows of all messages on the same terms have in common, already as text."""

    message: str
    delivery: str
    pending: str
    held: str
    now: str
    figure: tuple[datetime, UUID, UUID]
    counts: bool

    @classmethod
    def of(cls, terms: Terms) -> "_Shared":
        caller, published = terms.caller, terms.published
        now, expires = terms.accepted_at.isoformat(), terms.expires_at.isoformat()
        batch = _id(terms.batch_id)
        message = (
            caller.system_id.hex, _id(caller.key_id), _bool(caller.is_test), batch, published.version_id.hex,
            published.template_id.hex, text(terms.category), _json(terms.metadata), terms.lane.value,
            text(terms.request_id), _moment(terms.send_at), expires, now,
        )  # fmt: skip
        due = _moment(terms.send_at) if terms.send_at else now
        delivery = (_bool(caller.is_test), batch, terms.lane.value, due, expires, now, "0", "0", "0", "f", "")
        hour = terms.accepted_at.replace(minute=0, second=0, microsecond=0)
        return cls(
            message="\t".join(message) + "\n",
            delivery="\t".join(delivery) + "\n",
            pending=f"{State.PENDING.value}\t\t\t{NULL}\tf",
            held=f"{State.PENDING.value}\t\t\t{NULL}\tt",
            now=now,
            figure=(hour, caller.system_id, published.template_id),
            counts=not caller.is_test,
        )


def answer(accepted: Accepted) -> bytes:
    """The body of the answer to one accepted message."""
    return msgspec.json.encode(accepted.as_json())


def _json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    encoded = msgspec.json.encode(value).decode()
    return encoded.replace("\\", "\\\\") if "\\" in encoded else encoded


def _id(value: UUID | None) -> str:
    return value.hex if value else NULL


def _moment(value: datetime | None) -> str:
    return value.isoformat() if value else NULL


def _bool(value: bool) -> str:  # noqa: FBT001  (it is what is converted)
    return "t" if value else "f"
