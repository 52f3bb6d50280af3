"""Systems that may call the gateway, and their API keys."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Coalesce, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.access import keys
from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.networks import check_network

#: How long a key stays usable beside its successor, unless somebody says otherwise.
OVERLAP = timedelta(hours=24)


class System(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(
        _("code"), max_length=60, unique=True, help_text=_("Short and stable, such as shop or erp.")
    )
    name = models.CharField(_("name"), max_length=100)
    owner_email = models.EmailField(_("owner's email"), blank=True)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("An inactive system is refused at the gate, whatever its keys say."),
    )
    channels = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("permitted channels"),
        default=list,
        blank=True,
        help_text=_("Empty permits every channel."),
    )
    highest_priority = models.CharField(
        _("highest priority"), max_length=10, choices=Lane.choices, default=Lane.CRITICAL
    )
    may_address_inline = models.BooleanField(
        _("may give addresses in the call"),
        default=True,
        help_text=_("Otherwise only recipients of the directory can be named."),
    )
    templates = ArrayField(
        models.CharField(max_length=80),
        verbose_name=_("permitted templates"),
        default=list,
        blank=True,
        help_text=_(
            "Codes, separated by commas. With no templates and no categories, every template is permitted."
        ),
    )
    categories = ArrayField(
        models.CharField(max_length=60),
        verbose_name=_("permitted categories"),
        default=list,
        blank=True,
        help_text=_("Codes of categories whose templates are permitted, besides the templates above."),
    )
    may_broadcast = models.BooleanField(
        _("may broadcast"), default=True, help_text=_("Send one message to a group or to all recipients.")
    )
    max_batch = models.PositiveIntegerField(
        _("largest batch"),
        default=10_000,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text=_("Messages in one call, 10,000 at most."),
    )
    max_broadcast = models.PositiveIntegerField(
        _("largest broadcast"), null=True, blank=True, help_text=_("People; empty sets no limit.")
    )
    rate = models.PositiveIntegerField(
        _("requests per second"), default=1000, validators=[MinValueValidator(1)]
    )
    burst = models.PositiveIntegerField(
        _("burst"),
        default=1000,
        validators=[MinValueValidator(1)],
        help_text=_("Requests that may come at once after a pause."),
    )
    daily_quota = models.PositiveIntegerField(
        _("messages per day"),
        null=True,
        blank=True,
        help_text=_("Days are those of UTC; empty sets no limit."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("system")
        verbose_name_plural = _("systems")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    SEND = "send", _("send messages")
    READ = "read", _("read messages")
    RECIPIENTS = "recipients", _("recipients and inboxes")
    TEMPLATES = "templates", _("read and preview templates")
    BROADCAST = "broadcast", _("send to groups and to all")
    STATS = "stats", _("figures and conversions")
    KEYS = "keys", _("manage the keys of its own system")


def default_scopes() -> list[str]:
    return [Scope.SEND, Scope.READ]


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def revoke(self) -> int:
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())

    def end_by(self, moment: datetime) -> datetime | None:
        """Have one key end at this moment, unless it ends earlier anyway; returns when it does."""
        self.update(expires_at=Least(Coalesce("expires_at", moment), moment))
        return self.values_list("expires_at", flat=True).get()


class ApiKey(models.Model):
    """A key is stored as a hash; what is shown of it later is its prefix."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    system = models.ForeignKey(
        System, on_delete=models.CASCADE, related_name="keys", verbose_name=_("system")
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    prefix = models.CharField(_("prefix"), max_length=20, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    is_test = models.BooleanField(
        _("test key"), default=False, help_text=_("Runs the whole pipeline with a simulated provider.")
    )
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope.choices),
        verbose_name=_("scopes"),
        default=default_scopes,
    )
    allowed_networks = ArrayField(
        models.CharField(max_length=50, validators=[check_network]),
        verbose_name=_("permitted networks"),
        default=list,
        blank=True,
        help_text=_("Such as 10.0.0.0/8, separated by commas. Empty permits every address."),
    )
    predecessor = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="successors",
        verbose_name=_("successor of"),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["system", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=[*Scope.values]), name="apikey_scopes_are_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def issue(self) -> str:
        """Give this unsaved row a new secret, save it, and return the secret: the only time it can be seen."""
        secret = keys.generate(test=self.is_test)
        self.prefix = keys.visible_prefix(secret)
        self.digest = keys.digest(secret)
        self.save()
        return secret

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def successor(self, *, expires_at: datetime | None = None) -> "ApiKey":
        """An unsaved key that may do the same; it ends when it is told to, and not with this one."""
        return ApiKey(
            system=self.system,
            name=self.name,
            is_test=self.is_test,
            scopes=self.scopes,
            allowed_networks=self.allowed_networks,
            predecessor=self,
            expires_at=expires_at,
        )

    def rotate(
        self, overlap: timedelta = OVERLAP, *, expires_at: datetime | None = None
    ) -> tuple["ApiKey", str]:
        """Issue a successor; this key ends after the overlap, or earlier if it was to end earlier.

        Returns the successor and its secret.
        """
        successor = self.successor(expires_at=expires_at)
        with transaction.atomic():
            secret = successor.issue()
            self.expires_at = ApiKey.objects.filter(pk=self.pk).end_by(timezone.now() + overlap)
        return successor, secret


class Bucket(models.Model):
    """How many requests a system may make at the moment. The table is not logged: a crash fills it anew."""

    system = models.OneToOneField(System, on_delete=models.CASCADE, primary_key=True, db_constraint=False)
    tokens = models.FloatField()
    granted = models.IntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.tokens:g}"


class RefusalQuerySet(models.QuerySet["Refusal"]):
    def in_the_last(self, span: timedelta) -> int:
        """How many requests were refused."""
        return self.filter(minute__gte=timezone.now() - span).aggregate(sum=Sum("count"))["sum"] or 0


class Refusal(models.Model):
    """Requests that were refused for one reason within one minute."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    minute = models.DateTimeField(_("minute"))
    system = models.ForeignKey(System, on_delete=models.CASCADE, null=True, verbose_name=_("system"))
    prefix = models.CharField(_("key"), max_length=20)
    status = models.PositiveSmallIntegerField(_("status"))
    code = models.CharField(_("reason"), max_length=60)
    call = models.CharField(_("call"), max_length=200)
    count = models.PositiveIntegerField(_("requests"))
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    request_id = models.CharField(_("last request id"), max_length=64)
    address = models.CharField(_("last caller's address"), max_length=45)

    objects = RefusalQuerySet.as_manager()

    class Meta:
        verbose_name = _("refused request")
        verbose_name_plural = _("refused requests")
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "system", "prefix", "status", "code", "call"],
                nulls_distinct=False,
                name="refusal_once_a_minute",
            ),
        ]
        indexes = [models.Index(fields=["system", "-minute"], name="refusal_of_system")]

    def __str__(self) -> str:
        return f"{self.count} × {self.status} {self.code}"
