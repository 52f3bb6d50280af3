from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "pushcenter.access"
    verbose_name = _("Systems")

    def ready(self) -> None:
        from pushcenter.access import openapi  # noqa: F401  (drf-spectacular finds what has been imported)

        post_migrate.connect(schedule_forgetting, sender=self)


def schedule_forgetting(**kwargs: Any) -> None:
    from pushcenter.messaging import queue

    queue.every_minute("refusals", "pushcenter.access.refusals.forget")
