"""The ledger as it was last counted: what became of all that was accepted on a day, and what does not fit."""

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.messaging.states import IN_FLIGHT, State


class LedgerDay(models.Model):
    """When and how a day (UTC) was counted. ``mark`` stands for the figures of the day as they were then."""

    day = models.DateField(_("day"), primary_key=True)
    counted_at = models.DateTimeField(_("counted"), default=timezone.now)
    milliseconds = models.PositiveIntegerField(_("time it took"), default=0)
    is_full = models.BooleanField(_("every row was looked at"), default=False)
    mark = models.CharField(max_length=40, blank=True)
    difference = models.PositiveIntegerField(_("difference"), default=0)

    class Meta:
        verbose_name = _("day of the ledger")
        verbose_name_plural = _("days of the ledger")

    def __str__(self) -> str:
        return str(self.day)

    @property
    def took(self) -> timedelta:
        return timedelta(milliseconds=self.milliseconds)


class LedgerLine(models.Model):
    """The deliveries of the messages that one system had accepted on one day (UTC), by what became of them.

    ``accepted`` is what the figures say, and ``states`` what the rows say. ``differences`` holds ``number`` and
    ``samples`` by the name of the check that found something.
    """

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    system = models.ForeignKey(
        "access.System",
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("system"),
    )
    is_test = models.BooleanField(_("test"), default=False)
    messages = models.PositiveIntegerField(_("messages"), default=0)
    accepted = models.IntegerField(_("accepted"), default=0)
    states = models.JSONField(_("by state"), default=dict)
    differences = models.JSONField(_("differences"), default=dict)

    class Meta:
        verbose_name = _("line of the ledger")
        verbose_name_plural = _("lines of the ledger")
        constraints = [
            models.UniqueConstraint(fields=["day", "system", "is_test"], name="one_line_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.system_id}"

    @property
    def in_flight(self) -> int:
        return sum(self.states.get(state, 0) for state in IN_FLIGHT)

    @property
    def in_doubt(self) -> int:
        return self.states.get(State.IN_DOUBT, 0)

    @property
    def difference(self) -> int:
        """How much does not fit, all checks together."""
        return sum(each["number"] for each in self.differences.values())
