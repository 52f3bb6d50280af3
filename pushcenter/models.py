"""What the project itself keeps: which of the things that processes hold in memory have changed."""

from django.db import models


class Revision(models.Model):
    """The newest change of a topic; written by triggers on its tables, read by :mod:`pushcenter.held`."""

    topic = models.CharField(max_length=40, primary_key=True)
    number = models.BigIntegerField()

    class Meta:
        verbose_name = "revision"
        verbose_name_plural = "revisions"

    def __str__(self) -> str:
        return f"{self.topic} {self.number}"
