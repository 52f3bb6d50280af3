"""A person who is to be forgotten: everything personal goes, and what was counted stays counted."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import connection, transaction

from pushcenter.messaging import operate
from pushcenter.messaging.models import Delivery
from pushcenter.messaging.states import State
from pushcenter.recipients.models import Recipient

# What was decided on each channel stays readable; where to has gone, and no channel is left to fall back to.
MESSAGES = """
UPDATE messaging_message m
   SET "to" = '{}', params = '{}', metadata = '{}',
       plan = COALESCE((
         SELECT jsonb_agg(
                  each.value || '{"address": ""}'
                  || CASE WHEN each.value ->> 'choice' = 'fallback' THEN '{"choice": "skipped"}' ELSE '{}' END::jsonb
                  ORDER BY each.ordinality)
           FROM jsonb_array_elements(m.plan) WITH ORDINALITY AS each), '[]')
 WHERE m.recipient_id = ANY(%(people)s)
"""
# Providers repeat the address in what they answer.
RECEIPT_CALLS = """
UPDATE messaging_receiptcall SET headers = '{}', query = '{}', body = ''
 WHERE id IN (SELECT call_id FROM messaging_receipt WHERE delivery_id = ANY(%(deliveries)s))
"""
RECEIPTS = "UPDATE messaging_receipt SET reason = '' WHERE delivery_id = ANY(%(deliveries)s)"
# Of one that came before our own record, the address is kept until its delivery is known.
EARLY_RECEIPTS = """
UPDATE messaging_receipt SET address = ''
 WHERE delivery_id IS NULL
   AND address IN (SELECT address FROM messaging_delivery WHERE id = ANY(%(deliveries)s) AND address <> '')
"""
ATTEMPTS = "UPDATE messaging_attempt SET detail = '' WHERE delivery_id = ANY(%(deliveries)s)"
DELIVERIES = """
UPDATE messaging_delivery SET address = '', reason = '', recipient_id = NULL WHERE id = ANY(%(deliveries)s)
"""


def erase(people: Iterable[UUID], *, by: str) -> int:
    """Forget these recipients; returns how many there were.

    What waits to be sent to them is cancelled. Addresses, preferences and memberships go, and from their messages
    the addresses, parameters and metadata, and what providers answered. Suppressed addresses stay suppressed.
    """
    with transaction.atomic():
        known = Recipient.objects.filter(pk__in=list(people)).order_by("external_id").select_for_update()
        ids = [row.pk for row in known]
        waiting = Delivery.objects.filter(recipient__in=ids, state=State.PENDING)
        operate.cancel(waiting.values_list("pk", flat=True), by=by)
        with connection.cursor() as cursor:
            cursor.execute(MESSAGES, {"people": ids})
            # By way of the messages: no index knows all deliveries by their people.
            theirs = [*Delivery.objects.filter(message__recipient__in=ids).values_list("pk", flat=True)]
            for statement in (RECEIPT_CALLS, RECEIPTS, EARLY_RECEIPTS, ATTEMPTS, DELIVERIES):
                cursor.execute(statement, {"deliveries": theirs})
        _leave_no_name_in_the_log(ids)
        Recipient.objects.filter(pk__in=ids).delete()
    return len(ids)


def _leave_no_name_in_the_log(people: Iterable[UUID]) -> None:
    """The console writes down whom somebody changed, by name."""
    changes = LogEntry.objects.filter(content_type__app_label="recipients", content_type__model="recipient")
    changes.filter(object_id__in=[str(each) for each in people]).update(object_repr="-")
