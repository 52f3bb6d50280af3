"""Signs of life of the workers."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Pulse(models.Model):
    """When somebody was last at work."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")

    def __str__(self) -> str:
        return f"{self.name} {self.at}"
