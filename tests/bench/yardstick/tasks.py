"""The task for each message."""

from django.template import Context, Engine
from django.utils import timezone

from tests.bench.yardstick.models import Notification

engine = Engine()


def send(notification_id: str) -> None:
    """Render and send one notification; the provider answers at once, as the simulated one does."""
    row = Notification.objects.select_related("template", "person").get(pk=notification_id)
    context = Context({**row.params, "recipient": row.person})
    engine.from_string(row.template.subject).render(context)
    engine.from_string(row.template.body).render(context)
    row.status, row.sent_at = "sent", timezone.now()
    row.save(update_fields=["status", "sent_at"])
