"""What operators have to know of: alerts, and the notes that they are made of."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pushcenter.ids import uuid7
from pushcenter.retold import retold


class Severity(models.TextChoices):
    """Least urgent first."""

    INFO = "info", _("information")
    WARNING = "warning", _("warning")
    CRITICAL = "critical", pgettext_lazy("severity", "critical")

    def is_above(self, other: str) -> bool:
        """Whether this is more urgent than the other, or the other is none."""
        order = ["", *Severity.values]
        return order.index(self.value) > order.index(other)


class Alert(models.Model):
    """One trouble from its beginning to its end, however often it is reported meanwhile.

    ``told`` lists who was told of it, one object for each message: ``at``, ``what`` (``raised``, ``reminder`` or
    ``resolved``), ``recipient``, ``channels`` and ``message``, or ``why`` there was none. ``told_severity`` is the
    severity that people know of; empty before they were told.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(_("key"), max_length=200)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    text = models.CharField(_("what is wrong"), max_length=500)
    data = models.JSONField(_("data"), default=dict)
    since = models.DateTimeField(_("since"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    count = models.PositiveIntegerField(_("times seen"), default=1)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    told = models.JSONField(_("who was told"), default=list)
    told_at = models.DateTimeField(_("told"), null=True)
    told_severity = models.CharField(max_length=10, blank=True)
    end_told = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        indexes = [models.Index(fields=["key", "-resolved_at"], name="alert_of_key")]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(resolved_at=None), name="one_open_alert"),
        ]

    def __str__(self) -> str:
        return retold(self.text)

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


class AlertNote(models.Model):
    """A word on an alert, as it was left in the transaction that gave reason for it; soon folded into the alert.

    Without a severity it says that the trouble is over.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=200, db_index=True)
    severity = models.CharField(max_length=10, blank=True)
    text = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("note on an alert")
        verbose_name_plural = _("notes on alerts")

    def __str__(self) -> str:
        return self.key
