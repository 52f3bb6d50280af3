"""What happened: each attempt, and each line of a history that no other row tells."""

from django.contrib.admin import display
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.messaging.models.message import Delivery, Message
from pushcenter.retold import named


class AttemptOutcome(models.TextChoices):
    SENT = "sent", _("sent")
    TEMPORARY = "temporary", _("temporary fault")
    THROTTLED = "throttled", _("throttled")
    UNREACHABLE = "unreachable", _("unreachable")
    REFUSED = "refused", _("refused")
    MISCONFIGURED = "misconfigured", _("account misconfigured")
    LOST = "lost", _("no answer known")


class Attempt(models.Model):
    """One call of an adapter. Append-only; written when its end is known, or when its lease ran out."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.CASCADE,
        related_name="log",
        db_index=False,
        db_constraint=False,
        verbose_name=_("delivery"),
    )
    number = models.PositiveIntegerField(_("number"))
    adapter = models.CharField(_("adapter"), max_length=60, blank=True)
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("account"),
    )
    outcome = models.CharField(_("outcome"), max_length=14, choices=AttemptOutcome.choices)
    code = models.CharField(_("code"), max_length=80, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    provider_id = models.CharField(_("provider's id"), max_length=300, blank=True)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.get_outcome_display()}"

    @property
    @display(description=_("milliseconds"))
    def milliseconds(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class Event(models.Model):
    """A line of a message's history that no other row tells. Append-only: a database trigger holds that."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="events", verbose_name=_("message")
    )
    delivery = models.ForeignKey(
        Delivery,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("delivery"),
    )
    kind = models.CharField(_("kind"), max_length=40)
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]

    def __str__(self) -> str:
        return named(self.kind)
