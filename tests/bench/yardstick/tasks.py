"""The task for each message."""

import requests  # comes with twilio
from django.conf import settings
from django.template import Context, Engine
from django.utils import timezone

from tests.bench.yardstick.models import Notification

engine = Engine()
session = requests.Session()


def send(notification_id: str) -> None:
    """Render one notification and send it to the provider over HTTP; the connection to it is kept, too."""
    row = Notification.objects.select_related("template", "person").get(pk=notification_id)
    context = Context({**row.params, "recipient": row.person})
    content = {
        "subject": engine.from_string(row.template.subject).render(context),
        "body": engine.from_string(row.template.body).render(context),
    }
    session.post(settings.PROVIDER, json={"to": row.person.email, **content}, timeout=15).raise_for_status()
    row.status, row.sent_at = "sent", timezone.now()
    row.save(update_fields=["status", "sent_at"])
