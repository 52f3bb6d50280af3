"""Figures by the hour in which the messages were accepted: what every report is read from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from channels_app import registry

MEASURES = (
    "accepted",
    "sent",
    "delivered",
    "opened",
    "clicked",
    "converted",
    "undelivered",
    "failed",
    "skipped",
    "expired",
    "cancelled",
    "in_doubt",
)


class HourlyStat(models.Model):
    """Deliveries of one system, template and channel, of the messages accepted in one hour (UTC).

    ``sent``, ``delivered``, ``opened``, ``clicked`` and ``converted`` count deliveries that ever got there;
    the others count how deliveries ended.
    """

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField(_("hour"))
    system = models.ForeignKey(
        "access.System", on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("system")
    )
    template = models.ForeignKey(
        "templates_app.Template",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("template"),
    )
    channel = models.CharField(_("channel"), max_length=40)
    accepted = models.IntegerField(_("accepted"), default=0)
    sent = models.IntegerField(_("sent"), default=0)
    delivered = models.IntegerField(_("delivered"), default=0)
    opened = models.IntegerField(_("opened"), default=0)
    clicked = models.IntegerField(_("clicked"), default=0)
    converted = models.IntegerField(_("converted"), default=0)
    undelivered = models.IntegerField(_("undelivered"), default=0)
    failed = models.IntegerField(_("failed"), default=0)
    skipped = models.IntegerField(_("skipped"), default=0)
    expired = models.IntegerField(_("expired"), default=0)
    cancelled = models.IntegerField(_("cancelled"), default=0)
    in_doubt = models.IntegerField(_("in doubt"), default=0)

    class Meta:
        verbose_name = _("hourly figure")
        verbose_name_plural = _("hourly figures")
        # One template of a span, however many years there are of it.
        indexes = [models.Index(fields=["template", "hour"], name="hourly_of_template")]
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "system", "template", "channel"], name="one_row_per_hour"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {registry.label(self.channel)}"
