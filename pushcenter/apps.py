from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """The Django admin, served by our own site."""

    default_site = "pushcenter.admin.ConsoleSite"


class PushCenterConfig(AppConfig):
    name = "pushcenter"
    verbose_name = "Push Center"

    def ready(self) -> None:
        from pushcenter import checks  # noqa: F401  (registers the system checks)
