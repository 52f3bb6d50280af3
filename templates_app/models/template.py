"""What is said under a code, and where it goes; and the layouts and snippets that templates share."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from templates_app import steps

if TYPE_CHECKING:
    from templates_app.models.version import TemplateVersion

#: One or more names, with single slashes between them.
FOLDER = r"^[^/\s]([^/]*[^/\s])?(/[^/\s]([^/]*[^/\s])?)*$"


class DoubtPolicy(models.TextChoices):
    """What to do with a delivery whose last attempt has no known end."""

    RESEND = "resend", _("send again, marked as a possible duplicate")
    HOLD = "hold", _("hold for an operator")


class TemplateKind(models.TextChoices):
    """What is sent, or what several templates share: around their text, or within it."""

    MESSAGE = "message", _("message")
    LAYOUT = "layout", _("layout")
    SNIPPET = "snippet", _("snippet")


class RouteMode(models.TextChoices):
    ALL = "all", _("all channels at once")
    FIRST = "first", _("one channel after another, until one succeeds")


class TemplateQuerySet(models.QuerySet["Template"]):
    def sendable(self) -> "TemplateQuerySet":
        """Those that are messages, not parts of such."""
        return self.filter(kind=TemplateKind.MESSAGE)

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
    kind = models.CharField(
        _("kind"), max_length=10, choices=TemplateKind.choices, default=TemplateKind.MESSAGE
    )
    name = models.CharField(_("name"), max_length=150)
    folder = models.CharField(
        _("folder"),
        max_length=100,
        blank=True,
        validators=[RegexValidator(FOLDER, _("Write names with slashes between them, such as shop/orders."))],
        help_text=_("Where to find it among many, such as shop/orders."),
    )
    owner = models.ForeignKey(
        "auth.Group",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("owner"),
        help_text=_("The team that answers for it."),
    )
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
    is_tracked = models.BooleanField(
        _("track opens and clicks"),
        default=True,
        help_text=_("Ask the provider to report them, where it can."),
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
        return self.versions.filter(state="published").first()

    @property
    def is_sendable(self) -> bool:
        return self.kind == TemplateKind.MESSAGE
