"""Lanes: classes of urgency, each with a capacity of its own."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Lane(models.TextChoices):
    """Most urgent first."""

    CRITICAL = "critical", _("critical")
    HIGH = "high", _("high")
    NORMAL = "normal", _("normal")
    LOW = "low", _("low")

    def is_above(self, other: "Lane") -> bool:
        """Whether this lane is more urgent than the other."""
        return self is not other and ORDER[self] < ORDER[other]


ORDER = {lane: place for place, lane in enumerate(Lane)}
