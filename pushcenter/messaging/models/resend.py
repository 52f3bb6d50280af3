"""What an operator has sent again as a whole: one group of failed deliveries."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7


class Resend(models.Model):
    """Failed deliveries of one cause, channel, account and template, which a worker sends again little by little.

    They ended from ``since`` to ``until``, so that what fails a second time is not sent a third time. Up to the
    ``cursor`` all have been looked at: ``sent`` of them were sent again, and ``left`` were not, because they had
    expired, had been cancelled, or had reached their person over another channel.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("cause"), max_length=80, blank=True)
    channel = models.CharField(_("channel"), max_length=40)
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        verbose_name=_("account"),
    )
    template = models.ForeignKey(
        "templates_app.Template",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("template"),
    )
    by = models.CharField(_("by"), max_length=150)
    since = models.DateTimeField(_("failed from"))
    until = models.DateTimeField(_("failed to"))
    expected = models.PositiveIntegerField(_("deliveries"), default=0)
    sent = models.PositiveIntegerField(_("sent again"), default=0)
    left = models.PositiveIntegerField(_("left out"), default=0)
    cursor_at = models.DateTimeField(null=True)
    cursor = models.UUIDField(null=True)
    begun_at = models.DateTimeField(_("begun"), default=timezone.now)
    worked_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    was_stopped = models.BooleanField(_("stopped"), default=False)

    class Meta:
        verbose_name = _("group that is sent again")
        verbose_name_plural = _("groups that are sent again")
        ordering = ["-id"]
        indexes = [models.Index(fields=["worked_at"], name="resend_with_work", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.code} {self.channel}"

    @property
    def share(self) -> float:
        """How far it is, in per cent."""
        if self.ended_at is not None and not self.was_stopped:
            return 100.0
        return round(min(100.0, 100 * (self.sent + self.left) / self.expected), 1) if self.expected else 0.0
