"""Layouts and snippets as a table of their own in the console: rows of the same table as templates."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from templates_app.models.template import Template, TemplateKind


class PartManager(models.Manager["Part"]):
    def get_queryset(self) -> models.QuerySet["Part"]:
        return super().get_queryset().exclude(kind=TemplateKind.MESSAGE)


class Part(Template):
    """What several templates share. Who may do something with templates may do it with these."""

    objects = PartManager()  # type: ignore[assignment,misc]

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = _("layout or snippet")
        verbose_name_plural = _("layouts and snippets")
