"""What is said: a template, its versions, and a variant for each channel and locale of a version."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from templates_app import steps


class DoubtPolicy(models.TextChoices):
    """What to do with a delivery whose last attempt has no known end."""

    RESEND = "resend", _("send again, marked as a possible duplicate")
    HOLD = "hold", _("hold for an operator")


class RouteMode(models.TextChoices):
    ALL = "all", _("all channels at once")
    FIRST = "first", _("one channel after another, until one succeeds")


class TemplateQuerySet(models.QuerySet["Template"]):
    def permitted(self, *, templates: Collection[str], categories: Collection[str]) -> "TemplateQuerySet":
        """Those of these codes, and those in these categories; all of them where nothing is named."""
        if not templates and not categories:
            return self.all()
        return self.filter(Q(code__in=templates) | Q(category__code__in=categories))


class Template(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(
        _("code"), max_length=80, unique=True, help_text=_("What callers name, such as order-paid.")
    )
    name = models.CharField(_("name"), max_length=150)
    category = models.ForeignKey(
        "recipients.Category", on_delete=models.PROTECT, related_name="+", verbose_name=_("category")
    )
    priority = models.CharField(
        _("priority"),
        max_length=10,
        choices=Lane.choices,
        default=Lane.NORMAL,
        help_text=_("Used where the caller names none."),
    )
    route_mode = models.CharField(_("route"), max_length=10, choices=RouteMode.choices, default=RouteMode.ALL)
    channels = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("channels"),
        default=list,
        help_text=_("In the order in which they are tried."),
    )
    steps = models.JSONField(
        _("steps"),
        default=dict,
        blank=True,
        validators=[steps.check],
        help_text=_("When each channel of a chain has succeeded, and how long it may take."),
    )
    time_to_live = models.PositiveIntegerField(
        _("time to live"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Seconds after which a message is late and no longer sent."),
    )
    doubt_policy = models.CharField(
        _("when in doubt"), max_length=10, choices=DoubtPolicy.choices, default=DoubtPolicy.RESEND
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    @property
    def published(self) -> "TemplateVersion | None":
        """The version that is sent now."""
        return self.versions.filter(state=VersionState.PUBLISHED).first()


class VersionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    IN_REVIEW = "in_review", _("in review")
    PUBLISHED = "published", _("published")
    ARCHIVED = "archived", _("archived")


def empty_schema() -> dict[str, Any]:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


class TemplateVersion(models.Model):
    """One edition of a template. Once published, it and its variants never change: a database trigger holds that."""

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
    sample = models.JSONField(_("sample parameters"), default=dict, blank=True)
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
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        ordering = ["template", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="published"), name="one_published_version"
            ),
        ]
        permissions = [("publish_templateversion", _("Can publish a template version"))]

    def __str__(self) -> str:
        return f"{self.template.code} v{self.number}"

    @property
    def is_editable(self) -> bool:
        return self.state in {VersionState.DRAFT, VersionState.IN_REVIEW}


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
