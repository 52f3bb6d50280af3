"""Messages by the million, made by the database itself: one is accepted as any other, the others are its copies.

The copies differ in what makes each its own, and go round all people with an address of the channel.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction

from pushcenter.messaging import intake, tally
from pushcenter.messaging.models import Attempt, Delivery, Message
from pushcenter.messaging.states import REACHED
from pushcenter.recipients.models import Address, Recipient

PEOPLE = """
SELECT a.recipient_id, a.value AS address, row_number() OVER (ORDER BY a.id) - 1 AS number
  FROM recipients_address AS a WHERE a.kind = (SELECT kind FROM messaging_delivery WHERE message_id = %(message)s)
"""
COPIES = """
WITH people AS MATERIALIZED ({people}), copied AS (
    INSERT INTO messaging_message ({message_columns})
    SELECT {message_values}
      FROM messaging_message AS one, generate_series(1, %(number)s) AS n
      JOIN people AS person ON person.number = n %% (SELECT count(*) FROM people)
     WHERE one.id = %(message)s
    RETURNING id, recipient_id
)
INSERT INTO messaging_delivery ({delivery_columns})
SELECT {delivery_values}
  FROM copied JOIN people AS person USING (recipient_id)
  JOIN messaging_delivery AS one ON one.message_id = %(message)s
"""
YESTERDAY = "one.accepted_at - interval '1 day'"
MESSAGE = {
    "id": "uuidv7()",
    "recipient_id": "person.recipient_id",
    "reference": "'SO-' || n",
    "params": "one.params || jsonb_build_object('order_no', 'SO-' || n)",
}
DELIVERY = {
    "id": "uuidv7()",
    "message_id": "copied.id",
    "recipient_id": "person.recipient_id",
    "address": "person.address",
}
#: What a message and its delivery look like a day after it was sent.
PAST = {"id": "uuidv7(interval '-1 day')", "accepted_at": YESTERDAY}
ENDED = {
    "id": "uuidv7(interval '-1 day')",
    "state": "'delivered'",
    "claims": "1",
    "attempts": "1",
    "account_id": "(SELECT id FROM channels_app_account WHERE channel = one.channel)",
    "provider_id": "'p-' || copied.id",
    "lease_until": "NULL",
    **dict.fromkeys(("accepted_at", "due_at", "sent_at", "delivered_at", "ended_at"), YESTERDAY),
}
ATTEMPTS = """
INSERT INTO messaging_attempt (id, delivery_id, number, adapter, account_id, outcome, code, detail, provider_id,
                               started_at, finished_at)
SELECT uuidv7(), id, 1, 'simulated', account_id, 'sent', '', '', provider_id, sent_at, sent_at
  FROM messaging_delivery WHERE state = 'delivered' AND accepted_at <= %(before)s
"""


def people(number: int) -> None:
    """Recipients u-0, u-1 and so on, each with an email address."""
    rows = [Recipient(external_id=f"u-{each}", name="Li Wei") for each in range(number)]
    Recipient.objects.bulk_create(rows)
    Address.objects.bulk_create(
        Address(recipient=each, kind="email", value=f"{each.external_id}@example.com") for each in rows
    )


def queue(number: int, template: str, *, caller: intake.Caller, **request: Any) -> None:
    """So many messages that are due, with the wake-up of the first; to be called in a transaction."""
    first = _accept(template, caller, request)
    _copy(first, number - 1, {}, {})
    _count(first, number - 1, ["accepted"], at=first.accepted_at)


def history(number: int, template: str, *, caller: intake.Caller) -> None:
    """So many messages of yesterday, all delivered at the first attempt, and one that is due."""
    with transaction.atomic():
        first = _accept(template, caller, {})
        yesterday = first.accepted_at - timedelta(days=1)
        _copy(first, number, PAST, ENDED)
        _count(first, number, ["accepted", *(state.value for state in REACHED)], at=yesterday)
        _unchecked(ATTEMPTS, {"before": yesterday})
    analyse()


def analyse() -> None:
    """What the database's own housekeeping would do a minute later."""
    with connection.cursor() as cursor:
        for model in (Message, Delivery, Attempt):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def _accept(template: str, caller: intake.Caller, fields: Mapping[str, Any]) -> Message:
    request = intake.Request(
        template=template,
        to={"recipient": "u-0"},
        params={"order_no": "SO-0", "amount": "249.00"},
        reference="SO-0",
        **fields,
    )
    accepted = intake.accept(request, caller=caller)
    assert isinstance(accepted, intake.Accepted)
    return Message.objects.get(pk=accepted.id)


def _copy(first: Message, number: int, message: Mapping[str, str], delivery: Mapping[str, str]) -> None:
    columns, values = _columns(Message, {**MESSAGE, **message})
    delivery_columns, delivery_values = _columns(Delivery, {**DELIVERY, **delivery})
    statement = COPIES.format(
        people=PEOPLE,
        message_columns=columns,
        message_values=values,
        delivery_columns=delivery_columns,
        delivery_values=delivery_values,
    )
    _unchecked(statement, {"message": first.pk, "number": number})


def _unchecked(statement: str, params: Mapping[str, Any]) -> None:
    """Run a statement without looking up each reference of each row: what it writes comes from rows that are there."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, params)
        cursor.execute("SET LOCAL session_replication_role = origin")


def _columns(model: type[models.Model], changed: Mapping[str, str]) -> tuple[str, str]:
    names = [str(field.column) for field in model._meta.concrete_fields]
    return (
        ", ".join(f'"{name}"' for name in names),
        ", ".join(changed.get(name, f'one."{name}"') for name in names),
    )


def _count(first: Message, number: int, measures: Sequence[str], *, at: datetime) -> None:
    hour = at.replace(minute=0, second=0, microsecond=0)
    [channel] = first.deliveries.values_list("channel", flat=True)
    tally.store(
        {(hour, first.system_id, first.template_id, channel, measure): number for measure in measures}
    )
