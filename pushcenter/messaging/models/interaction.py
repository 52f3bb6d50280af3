"""What people did with a delivery."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.messaging.models.message import Delivery


class InteractionKind(models.TextChoices):
    OPENED = "opened", _("opened")
    CLICKED = "clicked", _("clicked")
    CONVERTED = "converted", _("converted")
    REPLIED = "replied", _("replied")
    ARCHIVED = "archived", _("archived")


class Interaction(models.Model):
    """What a person did with a delivery. Append-only; the first of each kind also stands on the delivery.

    ``event_id`` is the reporter's own id of it, made unique by the reporter's: one that is told twice counts once.
    ``data`` says more, such as the value of a conversion.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="interactions", verbose_name=_("delivery")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=InteractionKind.choices)
    source = models.CharField(_("source"), max_length=40, blank=True)
    event_id = models.CharField(_("reporter's event id"), max_length=300, blank=True)
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event_id"], condition=~Q(event_id=""), name="interaction_event_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())
