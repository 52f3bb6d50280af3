from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "pushcenter.access"
    verbose_name = _("Systems")

    def ready(self) -> None:
        from pushcenter.access import openapi  # noqa: F401  (drf-spectacular finds what has been imported)
