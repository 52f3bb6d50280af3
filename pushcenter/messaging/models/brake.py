"""The brake of a large batch or broadcast: a first slice is watched before the rest goes out."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pushcenter.messaging.models.batch import Batch


class BrakeState(models.TextChoices):
    SLICE = "slice", _("first slice")
    OPEN = "open", pgettext_lazy("brake", "open")
    PULLED = "pulled", _("pulled")
    OVER = "over", _("over")


class Brake(models.Model):
    """How it stands with the brake of one batch.

    ``slice`` are the messages, or the people of a broadcast, that go first; ``let_out`` the deliveries of them that a
    batch began with. ``ended``, ``failed`` and ``complaints`` are the figures of the last look, of all deliveries that
    went out. The ``base_`` figures are those from which on the rest is watched; they are taken at the first look after
    the brake was opened. While the brake is pulled, ``reason`` says why.
    """

    batch = models.OneToOneField(
        Batch, primary_key=True, on_delete=models.CASCADE, related_name="brake", verbose_name=_("batch")
    )
    state = models.CharField(_("state"), max_length=10, choices=BrakeState.choices, default=BrakeState.SLICE)
    slice = models.PositiveIntegerField(_("first slice"))
    let_out = models.PositiveIntegerField(default=0)
    wait_until = models.DateTimeField(_("waits until"))
    looked_at = models.DateTimeField(_("looked at"), null=True)
    ended = models.PositiveIntegerField(_("ended"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    complaints = models.PositiveIntegerField(_("complaints"), default=0)
    base_ended = models.PositiveIntegerField(null=True)
    base_failed = models.PositiveIntegerField(default=0)
    base_complaints = models.PositiveIntegerField(default=0)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("brake")
        verbose_name_plural = _("brakes")
        indexes = [
            models.Index(fields=["batch"], name="brake_watched", condition=~Q(state="over")),
        ]

    def __str__(self) -> str:
        return str(self.get_state_display())
