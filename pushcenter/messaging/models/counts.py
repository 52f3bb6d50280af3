"""What is counted and remembered beside the record: answers to repeated calls, quotas, figures."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class IdempotentCall(models.Model):
    """The answer to a call with an ``Idempotency-Key``, committed together with what the call did."""

    id = models.BigAutoField(primary_key=True)
    system_id = models.UUIDField()
    is_test = models.BooleanField()
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=300, blank=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("idempotent call")
        verbose_name_plural = _("idempotent calls")
        constraints = [
            models.UniqueConstraint(fields=["system_id", "is_test", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return self.key


class DailyUse(models.Model):
    """How many messages of a system with a daily quota were accepted on a day (UTC)."""

    id = models.BigAutoField(primary_key=True)
    system_id = models.UUIDField()
    day = models.DateField()
    accepted = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("daily use")
        verbose_name_plural = _("daily uses")
        constraints = [models.UniqueConstraint(fields=["system_id", "day"], name="daily_use_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.accepted}"


class Tally(models.Model):
    """A change of a figure, written in the transaction that made it true; the rollup folds it away.

    ``hour`` is the hour in which the message was accepted, so that a rate compares the same messages.
    """

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField()
    system_id = models.UUIDField()
    template_id = models.UUIDField()
    channel = models.CharField(max_length=40)
    measure = models.CharField(max_length=12)
    amount = models.IntegerField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return f"{self.measure} {self.amount:+}"
