"""What providers said: their calls as they came, and the receipts in them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.messaging.models.message import Delivery
from pushcenter.retold import named


class CallVerdict(models.TextChoices):
    TAKEN = "taken", _("taken")
    FORGED = "forged", _("not verified")
    DENIED = "denied", _("from elsewhere")
    UNCLEAR = "unclear", _("not understood")


class ReceiptCall(models.Model):
    """A provider's call as it came, kept before anybody tries to understand it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        "channels_app.Account", on_delete=models.CASCADE, related_name="+", verbose_name=_("account")
    )
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    headers = models.JSONField(_("headers"), default=dict)
    query = models.JSONField(_("query"), default=dict)
    body = models.BinaryField(_("body"))
    verdict = models.CharField(
        _("verdict"), max_length=10, choices=CallVerdict.choices, default=CallVerdict.TAKEN
    )
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("receipt call")
        verbose_name_plural = _("receipt calls")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.id)


class Receipt(models.Model):
    """What a provider said of one delivery. ``delivery`` is empty while none is known by its provider's id.

    ``address`` is kept until then, where one id of the provider stands for several people.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("account"),
    )
    call = models.ForeignKey(
        ReceiptCall,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        verbose_name=_("call"),
    )
    delivery = models.ForeignKey(
        Delivery, null=True, on_delete=models.CASCADE, related_name="receipts", verbose_name=_("delivery")
    )
    provider_id = models.CharField(_("provider's id"), max_length=300)
    event_id = models.CharField(_("provider's event id"), max_length=300, blank=True)
    address = models.CharField(_("address"), max_length=2048, blank=True, editable=False)
    outcome = models.CharField(_("outcome"), max_length=20)
    code = models.CharField(_("code"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["provider_id"], name="receipt_unmatched", condition=Q(delivery=None)),
            # Few: the brake counts those of a batch.
            models.Index(
                fields=["received_at"], name="receipt_complained", condition=Q(outcome="complained")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "event_id"], condition=~Q(event_id=""), name="receipt_event_once"
            ),
        ]

    def __str__(self) -> str:
        return named(self.outcome)
