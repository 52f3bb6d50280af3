"""What the project itself keeps: which of the things that processes hold in memory have changed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Revision(models.Model):
    """The newest change of a topic; written by triggers on its tables, read by :mod:`pushcenter.held`."""

    topic = models.CharField(max_length=40, primary_key=True)
    number = models.BigIntegerField()

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")

    def __str__(self) -> str:
        return f"{self.topic} {self.number}"


class UserLanguage(models.Model):
    """The language in which a user wants the console, in whatever browser."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    language = models.CharField(max_length=10)

    class Meta:
        verbose_name = _("language of a user")
        verbose_name_plural = _("languages of users")

    def __str__(self) -> str:
        return f"{self.user_id} {self.language}"
