"""Batches: messages that one call brought, or that one broadcast becomes."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.retold import named


class Batch(models.Model):
    """Messages that one call brought, or a broadcast, whose messages a worker makes little by little.

    ``is_stopped`` is what dispatch looks at: none of its deliveries starts while it is set. ``has_work`` asks for a
    worker: to expand, to let go of what was held, or to end what was cancelled (:mod:`pushcenter.messaging.batches`).

    Of a broadcast, ``audience`` says who gets it and ``terms`` on which terms; ``people`` were there when it was
    accepted, ``expanded`` of them have been looked at, up to the recipient ``cursor``, and ``left_out`` counts those
    who get nothing, by reason.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    system = models.ForeignKey(
        "access.System", on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("system")
    )
    key = models.ForeignKey(
        "access.ApiKey",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("key"),
    )
    is_test = models.BooleanField(_("test"), default=False)
    template = models.ForeignKey(
        "templates_app.Template",
        null=True,
        on_delete=models.DO_NOTHING,  # one that was published cannot be deleted: a database trigger holds that
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("template"),
    )
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    accepted_at = models.DateTimeField(_("accepted at"), default=timezone.now)
    audience = models.JSONField(_("audience"), default=dict)
    terms = models.JSONField(_("terms"), default=dict)
    people = models.PositiveIntegerField(_("people"), default=0)
    expanded = models.PositiveIntegerField(_("people looked at"), default=0)
    left_out = models.JSONField(_("left out"), default=dict)
    cursor = models.UUIDField(_("last recipient"), null=True)
    expanded_at = models.DateTimeField(_("expanded at"), null=True)
    paused_at = models.DateTimeField(_("paused at"), null=True)
    pause_reason = models.CharField(_("reason of the pause"), max_length=300, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True)
    is_stopped = models.BooleanField(_("stopped"), default=False)
    has_work = models.BooleanField(_("waits for a worker"), default=False)
    worked_at = models.DateTimeField(_("worked on"), default=timezone.now)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["system", "-id"], name="batch_of_system"),
            models.Index(fields=["id"], name="batch_stopped", condition=Q(is_stopped=True)),
            models.Index(fields=["worked_at"], name="batch_with_work", condition=Q(has_work=True)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_stopped=True) | Q(paused_at=None), name="batch_paused_is_stopped"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_broadcast(self) -> bool:
        return bool(self.audience)

    @property
    def is_expanding(self) -> bool:
        """Whether there are people who have not been looked at, and will be."""
        return self.is_broadcast and self.expanded_at is None and self.cancelled_at is None


class BatchEvent(models.Model):
    """A line of a batch's history, which the trace of each of its messages shows. Append-only, by a trigger."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="events", verbose_name=_("batch"))
    kind = models.CharField(_("kind"), max_length=40)
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("event of a batch")
        verbose_name_plural = _("events of batches")
        ordering = ["-id"]

    def __str__(self) -> str:
        return named(self.kind)
