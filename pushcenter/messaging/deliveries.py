"""Every change of a delivery's state: each is one statement that filters on the state before.

That filter, and the number of the claim where an outcome comes from outside, is what makes two workers, a
late receipt and an operator's click safe against one another.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connections, models
from django.db.models import Count, F
from django.db.models.functions import Coalesce, Now

from pushcenter.messaging.aside import Aside
from pushcenter.messaging.states import State

if TYPE_CHECKING:
    from pushcenter.messaging.models import Delivery

LET_GO = """
UPDATE messaging_delivery SET held = false
 WHERE id = ANY(ARRAY(
         SELECT id FROM messaging_delivery
          WHERE batch_id = %(batch)s AND state = 'pending' AND held
          ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
RETURNING lane
"""
CANCEL_SOME = """
WITH ended AS (
    UPDATE messaging_delivery
       SET state = CASE WHEN maybe_sent THEN 'in_doubt' ELSE 'cancelled' END, held = false,
           ended_at = statement_timestamp(), code = 'cancelled',
           reason = 'its batch was cancelled' || CASE WHEN maybe_sent THEN %(doubt)s ELSE '' END
     WHERE id = ANY(ARRAY(
             SELECT id FROM messaging_delivery
              WHERE batch_id = %(batch)s AND state = 'pending'
              LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING id, channel, state
)
SELECT channel, state, array_agg(id) FROM ended GROUP BY channel, state
"""
#: What is added to the reason for which one ends that may have been sent.
DOUBT = ", and the provider may have it"

#: From which states a receipt may move a delivery forward. One that comes before our own record finds the
#: delivery still ``sending``; one after an ended doubt finds it ``in_doubt`` or waiting for its repetition.
CAN_ADVANCE_TO = {
    State.SENT: frozenset({State.SENDING, State.IN_DOUBT, State.PENDING}),
    State.DELIVERED: frozenset({State.SENDING, State.IN_DOUBT, State.PENDING, State.SENT, State.UNDELIVERED}),
}
CAN_BOUNCE = frozenset({State.SENT, State.IN_DOUBT})

REPEAT = """
UPDATE messaging_delivery AS d
   SET state = 'pending', due_at = v.due_at, lease_until = NULL, attempts = d.attempts + 1, code = 'lease_over',
       maybe_duplicate = d.maybe_duplicate OR %(maybe_duplicate)s, maybe_sent = true,
       step_until = COALESCE(d.step_until, statement_timestamp() + make_interval(secs => d.step_within))
  FROM unnest(%(id)s::uuid[], %(due_at)s::timestamptz[]) AS v(id, due_at)
 WHERE d.id = v.id AND d.state = 'sending'
"""


STEP = models.Func(
    F("step_within"), template="make_interval(secs => %(expressions)s)", output_field=models.DurationField()
)


class Before(NamedTuple):
    """How a delivery stood before a change; ``step_until`` is as it is since."""

    state: State
    was_sent: bool
    was_delivered: bool
    step_until: datetime | None = None


class DeliveryQuerySet(Aside, models.QuerySet["Delivery"]):
    def let_go(self, batch_id: UUID, *, limit: int) -> set[str]:
        """Make up to ``limit`` held deliveries of a batch due again; returns their lanes.

        To be called in a transaction that has locked the batch and seen that it is not stopped.
        """
        with connections[self.db].cursor() as cursor:
            cursor.execute(LET_GO, {"batch": batch_id, "limit": limit})
            return {lane for (lane,) in cursor.fetchall()}

    def cancel_some(self, batch_id: UUID, *, limit: int) -> dict[tuple[str, State], list[UUID]]:
        """End up to ``limit`` pending deliveries of a cancelled batch; returns which, by channel and new state.

        One that may have been sent ends in doubt.
        """
        with connections[self.db].cursor() as cursor:
            cursor.execute(CANCEL_SOME, {"batch": batch_id, "limit": limit, "doubt": DOUBT})
            return {(channel, State(state)): ids for channel, state, ids in cursor.fetchall()}

    def by_state(self, batch_id: UUID) -> dict[str, int]:
        """How many deliveries of a batch are in each state."""
        counted = self.filter(batch=batch_id).order_by("state").values_list("state")
        return dict(counted.annotate(number=Count("pk")))

    def expire(self, now: datetime, *, limit: int) -> list["Delivery"]:
        """End up to ``limit`` pending deliveries whose time is over; returns them as they were.

        One that may have been sent ends in doubt: that it did not arrive is not known.
        """
        late = self.filter(state=State.PENDING, expires_at__lte=now).select_related("message")
        rows: list[Delivery] = list(late.select_for_update(skip_locked=True, of=("self",))[:limit])
        self._end(rows, State.EXPIRED, now, code="expired", reason="not sent before its expiry")
        return rows

    def with_lease_over(self, now: datetime, *, limit: int) -> list["Delivery"]:
        """Lock up to ``limit`` deliveries whose worker has not answered within its lease."""
        over = self.filter(state=State.SENDING, lease_until__lte=now).select_related(
            "message__template", "account"
        )
        return list(over.select_for_update(skip_locked=True, of=("self",))[:limit])

    def repeat(self, rows: Sequence["Delivery"], *, maybe_duplicate: bool) -> int:
        """Make claimed deliveries whose lease is over due again, each at its ``due_at``.

        With ``maybe_duplicate`` they are marked: the person may get them twice.
        """
        ids, due = [row.pk for row in rows], [row.due_at for row in rows]
        return self._changed(REPEAT, {"id": ids, "due_at": due, "maybe_duplicate": maybe_duplicate})

    def hold(self, rows: Sequence["Delivery"], now: datetime, *, code: str, reason: str) -> int:
        """Leave claimed deliveries to an operator: the provider may have them."""
        return self._moved(rows, State.SENDING).update(
            state=State.IN_DOUBT,
            lease_until=None,
            step_until=Coalesce("step_until", Now() + STEP),
            attempts=F("attempts") + 1,
            ended_at=now,
            code=code,
            reason=reason,
        )

    def by_provider_id(
        self, account_id: UUID | None, provider_id: str, *, address: str = ""
    ) -> "Delivery | None":
        """The newest delivery that an account's provider knows by this id, to this address where one is given."""
        if not provider_id:
            return None
        found = self.filter(account_id=account_id, provider_id=provider_id)
        return (found.filter(address=address) if address else found).order_by("-id").first()

    def of_channel(self, channel: str, delivery_id: str) -> "Delivery | None":
        """The delivery with our own id, where it goes over this channel and to real people."""
        try:
            wanted = UUID(delivery_id)
        except ValueError:
            return None
        return self.filter(pk=wanted, channel=channel, message__is_test=False).first()

    def of_message(self, message_id: UUID) -> list["Delivery"]:
        """All deliveries of a message, locked until the end of the transaction; those too that came meanwhile."""
        rows: list[Delivery] = []
        while True:
            known = len(rows)
            rows = list(self.filter(message=message_id).order_by("pk").select_for_update())
            if len(rows) == known:
                return rows

    def locked(self, delivery_id: UUID) -> "Delivery":
        """One delivery, locked until the end of the transaction."""
        return self.select_related("message").select_for_update(of=("self",)).get(pk=delivery_id)

    def advance(self, delivery: "Delivery", state: State, at: datetime) -> Before | None:
        """Move a locked delivery to ``sent`` or ``delivered``; None where it is already as far, or has ended."""
        before = Before(
            state=State(delivery.state),
            was_sent=delivery.sent_at is not None,
            was_delivered=delivery.delivered_at is not None,
        )
        if before.state not in CAN_ADVANCE_TO[state]:
            return None
        changed: dict[str, Any] = {"state": state, "lease_until": None, "ended_at": at}
        changed["sent_at"] = delivery.sent_at or at
        if state is State.DELIVERED:
            changed["delivered_at"] = at
        self.filter(pk=delivery.pk, state=before.state).update(**changed)
        return before

    def bounce(self, delivery: "Delivery", at: datetime, *, code: str, reason: str) -> bool:
        """End a locked delivery as undelivered, unless it has been delivered or has ended otherwise."""
        return bool(
            self.filter(pk=delivery.pk, state__in=CAN_BOUNCE).update(
                state=State.UNDELIVERED,
                lease_until=None,
                step_until=None,
                ended_at=at,
                code=code,
                reason=reason,
            )
        )

    def first_time(self, delivery_id: UUID, moment: str, at: datetime) -> bool:
        """Set ``opened_at`` or its like, if nobody has."""
        return bool(self.filter(pk=delivery_id, **{moment: None}).update(**{moment: at}))

    def in_state(self, ids: Iterable[UUID], state: State) -> list["Delivery"]:
        """Those of these deliveries that are in a state, locked until the end of the transaction."""
        rows = self.filter(pk__in=list(ids), state=state).select_related("message").order_by("pk")
        return list(rows.select_for_update(of=("self",)))

    def reopen(self, rows: Sequence["Delivery"], now: datetime, *, maybe_duplicate: bool) -> int:
        """Make deliveries due again that ended in doubt or failed; the doubt stays with those that have one."""
        ended = self.filter(pk__in=[row.pk for row in rows], state__in=(State.IN_DOUBT, State.FAILED))
        marks: dict[str, Any] = {"maybe_duplicate": True, "maybe_sent": True} if maybe_duplicate else {}
        cleared: dict[str, Any] = {
            "ended_at": None,
            "code": "",
            "reason": "",
            "held": False,
            "step_until": None,
            "look_up_at": None,
        }
        return ended.update(state=State.PENDING, due_at=now, **cleared, **marks)

    def give_up(
        self,
        rows: Sequence["Delivery"],
        now: datetime,
        *,
        code: str = "closed",
        reason: str = "closed by an operator",
    ) -> int:
        """End as failed what was held in doubt."""
        return self._moved(rows, State.IN_DOUBT).update(
            state=State.FAILED, ended_at=now, code=code, reason=reason, look_up_at=None
        )

    def cancel(self, rows: Sequence["Delivery"], now: datetime) -> int:
        """End deliveries that have not been claimed, in doubt those that may have been sent before."""
        return self._end(rows, State.CANCELLED, now, code="cancelled", reason="cancelled by request")

    def pass_over(self, rows: Sequence["Delivery"], now: datetime) -> int:
        """End deliveries that waited for another try while the time of their step ran out."""
        reason = "the time of its step was up, and the next channel has started"
        return self._end(rows, State.FAILED, now, code="step_over", reason=reason)

    def not_needed(self, rows: Sequence["Delivery"], now: datetime, *, reason: str) -> int:
        """End deliveries that wait, because another channel has succeeded meanwhile."""
        return self._end(rows, State.CANCELLED, now, code="not_needed", reason=reason)

    def waiting_for(self, recipient_id: UUID, category: str, channel: str) -> list["Delivery"]:
        """What waits to be sent to a person in a category, locked; with an empty channel over all of them."""
        rows = self.filter(recipient=recipient_id, state=State.PENDING, message__category=category)
        rows = rows.filter(channel=channel) if channel else rows
        rows = rows.filter(message__is_test=False).select_related("message").order_by("pk")
        return list(rows.select_for_update(of=("self",), skip_locked=True))

    def unwanted(self, rows: Sequence["Delivery"], now: datetime, *, reason: str) -> int:
        """End deliveries that wait, because their person has left the category."""
        return self._end(rows, State.CANCELLED, now, code="opted_out", reason=reason)

    def start_step(self, delivery: "Delivery", at: datetime) -> datetime | None:
        """Start the clock of a locked delivery's step, unless it runs; returns when it is up."""
        if delivery.step_within is None or delivery.step_until is not None:
            return None
        until = at + timedelta(seconds=delivery.step_within)
        self.filter(pk=delivery.pk).update(step_until=until)
        return until

    def _changed(self, statement: str, params: Mapping[str, Any]) -> int:
        with connections[self.db].cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.rowcount

    def _moved(self, rows: Sequence["Delivery"], before: State) -> "DeliveryQuerySet":
        return self.filter(pk__in=[row.pk for row in rows], state=before)

    def _end(self, rows: Sequence["Delivery"], state: State, now: datetime, *, code: str, reason: str) -> int:
        """End those of these that wait; where nobody knows whether it was sent, it ends in doubt (:func:`end_of`)."""
        sure = [row for row in rows if not row.maybe_sent]
        ended = self._moved(sure, State.PENDING).update(state=state, ended_at=now, code=code, reason=reason)
        doubtful = [row for row in rows if row.maybe_sent]
        if doubtful:
            ended += self._moved(doubtful, State.PENDING).update(
                state=State.IN_DOUBT, step_until=None, ended_at=now, code=code, reason=reason + DOUBT
            )
        return ended


def end_of(row: "Delivery", wanted: State) -> State:
    """How one ends that waits and is not tried again: in doubt where the provider may have it."""
    return State.IN_DOUBT if row.maybe_sent else wanted
