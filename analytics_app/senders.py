"""Which systems sent a template lately, read from the hourly figures: how many messages it were makes no difference."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.utils import timezone

from analytics_app import rollup
from pushcenter.messaging import trials
from pushcenter.messaging.models import Message
from templates_app.models import Template
from templates_app.usage import Sender

LATELY = timedelta(days=30)
#: So many of the newest messages are asked for their exact time; of systems beyond them the hour is told.
LOOKED_AT = 2_000

# Figures count deliveries. A message has one on the first channel of its route, whatever becomes of it, so that the
# busiest channel of an hour has as many as there were messages.
STATEMENT = """
SELECT system_id, sum(messages), max(hour) FROM (
    SELECT system_id, hour, max(accepted) AS messages FROM analytics_app_hourlystat
     WHERE template_id = %(template)s AND hour >= %(since)s AND accepted > 0
     GROUP BY system_id, hour) AS by_hour
 GROUP BY system_id
"""


def senders(template: Template) -> list[Sender]:
    """Messages of test keys are counted nowhere, and tests from the console not here."""
    rollup.fold()
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"template": template.pk, "since": timezone.now() - LATELY})
        rows = cursor.fetchall()
    if not rows:
        return []
    # The tier above owns systems; figures only point to them.
    systems = apps.get_model("access.System").objects.in_bulk([system for system, _messages, _hour in rows])
    last = _last(template)
    systems.pop(trials.system_id(), None)
    return [
        Sender(
            system_code=systems[system].code,
            system_name=systems[system].name,
            messages=messages,
            last_at=last.get(system, hour),
        )
        for system, messages, hour in rows
        if system in systems
    ]


def _last(template: Template) -> dict[Any, Any]:
    """The newest message of each system that is among the newest of the template."""
    newest = Message.objects.filter(template=template).order_by("-id")
    found: dict[Any, Any] = {}
    for system, is_test, at in newest.values_list("system", "is_test", "accepted_at")[:LOOKED_AT]:
        if not is_test:
            found[system] = max(at, found.get(system, at))
    return found
