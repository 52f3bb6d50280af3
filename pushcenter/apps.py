from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class ConsoleConfig(AdminConfig):
    """The Django admin, served by our own site."""

    default_site = "pushcenter.site.ConsoleSite"


class PushCenterConfig(AppConfig):
    name = "pushcenter"
    verbose_name = "Push Center"

    def ready(self) -> None:
        from pushcenter import checks, roles  # noqa: F401  (registers the system checks)

        post_migrate.connect(roles.grant, dispatch_uid="pushcenter.roles")
