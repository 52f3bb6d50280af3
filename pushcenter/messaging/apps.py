from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "pushcenter.messaging"
    verbose_name = _("Messages")

    def ready(self) -> None:
        from channels_app.health import breaker_changed
        from pushcenter.messaging import breakers, examples, queue
        from templates_app import examples as of_versions

        of_versions.sources.append(examples.of_recent_messages)
        breaker_changed.connect(breakers.tell)
        queue.note_who_is_busy()
        queue.spare_the_collector()
        post_migrate.connect(schedule_housekeeping, sender=self)


def schedule_housekeeping(**kwargs: Any) -> None:
    from pushcenter.messaging import queue

    queue.every_minute("sweep", "pushcenter.messaging.sweep.run")
    queue.every_minute("forget answers", "pushcenter.messaging.idempotency.forget")
    queue.every_minute("lookout", "pushcenter.messaging.lookout.run")
    queue.every_minute("audit", "pushcenter.messaging.audit.run")
    queue.every_minute("accounts", "channels_app.traffic.tidy")
    queue.every_minute("alerts", "pushcenter.messaging.alerts.run")
