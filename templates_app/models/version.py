"""Editions of a template, and what each says on a channel in a language."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from templates_app.models.template import Template


class VersionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    IN_REVIEW = "in_review", _("in review")
    SCHEDULED = "scheduled", _("scheduled")
    CANARY = "canary", _("canary")
    PUBLISHED = "published", _("published")
    ARCHIVED = "archived", _("archived")
    TRIAL = "trial", _("copy for a test")


#: Whoever wants to may still write these.
OPEN = frozenset({VersionState.DRAFT, VersionState.IN_REVIEW})
#: Messages name these, so that they and their variants never change: a database trigger holds that.
FINAL = frozenset({VersionState.CANARY, VersionState.PUBLISHED, VersionState.ARCHIVED, VersionState.TRIAL})


def empty_schema() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class VersionQuerySet(models.QuerySet["TemplateVersion"]):
    def listed(self) -> "VersionQuerySet":
        """Without the copies that tests were sent from."""
        return self.exclude(state=VersionState.TRIAL)


class TemplateVersion(models.Model):
    """One edition of a template. Once published, it and its variants never change: a database trigger holds that.

    ``samples`` is a list of ``{"name": …, "params": {…}}``. ``parts`` holds, from publishing on, the versions of the
    layouts and snippets that it is made with, by their codes. ``revision`` counts its edits.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(
        Template, on_delete=models.CASCADE, related_name="versions", verbose_name=_("template")
    )
    number = models.PositiveIntegerField(_("number"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=VersionState.choices, default=VersionState.DRAFT, editable=False
    )
    variables = models.JSONField(
        _("variables"),
        default=empty_schema,
        help_text=_("A JSON Schema of the parameters that callers give."),
    )
    samples = models.JSONField(_("samples"), default=list, blank=True)
    parts = models.JSONField(_("layouts and snippets"), default=dict, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    note = models.CharField(_("change note"), max_length=300, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("author"),
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("approver"),
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("last edited by"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    edited_at = models.DateTimeField(_("last edited"), default=timezone.now, editable=False)
    publish_at = models.DateTimeField(_("goes live"), null=True, blank=True, editable=False)
    canary_percent = models.PositiveSmallIntegerField(
        _("share of the canary"),
        null=True,
        blank=True,
        editable=False,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
    )
    canary_since = models.DateTimeField(_("canary since"), null=True, blank=True, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        ordering = ["template", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "number"], condition=~Q(state="trial"), name="version_number_once"
            ),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="published"), name="one_published_version"
            ),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="canary"), name="one_canary_version"
            ),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="scheduled"), name="one_scheduled_version"
            ),
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(publish_at__isnull=False), name="scheduled_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state="canary") | Q(canary_percent__range=(1, 99), canary_since__isnull=False),
                name="canary_has_a_share",
            ),
        ]
        permissions = [("publish_templateversion", _("Can publish a template version"))]

    def __str__(self) -> str:
        return f"{self.template.code} v{self.number}"

    @property
    def is_editable(self) -> bool:
        return self.state in OPEN

    @property
    def is_final(self) -> bool:
        """Whether it can never change, so that what was made of it once stays right."""
        return self.state in FINAL

    @property
    def contents(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What is written, by channel and locale."""
        return {(each.channel, each.locale): each.content for each in self.variants.all()}

    @property
    def sample(self) -> dict[str, Any]:
        """The parameters of the first sample; none where there is no sample."""
        return dict(self.samples[0]["params"]) if self.samples else {}


class Variant(models.Model):
    """What a version says on one channel in one locale; an empty locale is the default one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.ForeignKey(
        TemplateVersion, on_delete=models.CASCADE, related_name="variants", verbose_name=_("version")
    )
    channel = models.CharField(_("channel"), max_length=40)
    locale = models.CharField(
        _("locale"),
        max_length=35,
        blank=True,
        help_text=_("Empty: for everybody whose language has no variant of its own."),
    )
    content = models.JSONField(_("content"), default=dict)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["version", "channel", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["version", "channel", "locale"], name="variant_once"),
            models.CheckConstraint(condition=Q(locale=Lower("locale")), name="variant_locale_in_lower_case"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.locale or '*'}"

    def clean(self) -> None:
        if not self.version.is_editable:
            raise ValidationError(_("A published version never changes; start a new draft from it."))
