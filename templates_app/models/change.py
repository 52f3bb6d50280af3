"""What happened to templates and their versions: who, when, what. Lines are added and never changed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from templates_app.models.template import Template
from templates_app.models.version import TemplateVersion


class ChangeKind(models.TextChoices):
    CREATED = "created", _("created")
    SETTINGS = "settings", _("settings changed")
    EDITED = "edited", _("edited")
    SUBMITTED = "submitted", _("sent to review")
    WITHDRAWN = "withdrawn", _("taken back from review")
    SENT_BACK = "sent_back", _("sent back to its author")
    SCHEDULED = "scheduled", _("scheduled")
    UNSCHEDULED = "unscheduled", _("schedule cancelled")
    NOT_PUBLISHED = "not_published", _("could not be published")
    CANARY_STARTED = "canary_started", _("canary started")
    CANARY_CHANGED = "canary_changed", _("share of the canary changed")
    CANARY_WITHDRAWN = "canary_withdrawn", _("canary withdrawn")
    PUBLISHED = "published", _("published")
    ARCHIVED = "archived", _("archived")
    ROLLED_BACK = "rolled_back", _("rolled back to")
    TEST_SENT = "test_sent", _("test sent")
    IMPORTED = "imported", _("imported")
    DELETED = "deleted", _("draft deleted")


class Change(models.Model):
    """One line of a template's history. ``by_name`` stays when the user is gone; empty where nobody did it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(
        Template, on_delete=models.CASCADE, related_name="changes", verbose_name=_("template")
    )
    version = models.ForeignKey(
        TemplateVersion,
        null=True,
        on_delete=models.SET_NULL,
        related_name="changes",
        verbose_name=_("version"),
    )
    number = models.PositiveIntegerField(_("number"), null=True)
    kind = models.CharField(_("what"), max_length=20, choices=ChangeKind.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("who"),
    )
    by_name = models.CharField(_("name"), max_length=150, blank=True)
    detail = models.JSONField(_("detail"), default=dict)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("history")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["template", "-at"], name="change_by_template")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.number}" if self.number else self.get_kind_display()
