from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    name = "analytics_app"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from analytics_app.senders import senders
        from templates_app import usage

        usage.register(senders)
        post_migrate.connect(schedule_rollup, sender=self)


def schedule_rollup(**kwargs: Any) -> None:
    from pushcenter.messaging import queue

    queue.every_minute("rollup", "analytics_app.rollup.run")
