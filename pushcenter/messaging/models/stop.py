"""What operators have stopped beside batches and accounts: templates, systems, lanes, all that is not critical."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7


class StopKind(models.TextChoices):
    TEMPLATE = "template", _("template")
    SYSTEM = "system", _("system")
    LANE = "lane", _("lane")
    NON_CRITICAL = "non_critical", _("all that is not critical")


class Stop(models.Model):
    """One stop, from its beginning to its end; it holds as long as it has no end, and stays as history.

    ``target`` is the id of the template or system, or the name of the lane. ``has_work`` asks for a worker that makes
    due again what this stop has held: it walks over what is held, up to ``cursor_due`` and ``cursor``.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=StopKind.choices)
    target = models.CharField(_("target"), max_length=36, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    by = models.CharField(_("by"), max_length=150)
    at = models.DateTimeField(_("at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_by = models.CharField(_("ended by"), max_length=150, blank=True)
    end_reason = models.CharField(_("reason of the end"), max_length=300, blank=True)
    has_work = models.BooleanField(_("waits for a worker"), default=False)
    worked_at = models.DateTimeField(_("worked on"), default=timezone.now)
    cursor_due = models.DateTimeField(null=True)
    cursor = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["worked_at"], name="stop_with_work", condition=Q(has_work=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "target"], name="stop_holds_once", condition=Q(ended_at=None)
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether it held at some moment between the two."""
        return self.at <= end and (self.ended_at is None or self.ended_at >= start)
