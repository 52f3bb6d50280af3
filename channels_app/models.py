"""Accounts: adapters with credentials, and their place in the failover order."""

import secrets as tokens
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_app import registry, secrets
from channels_app.breaker import Circuit, Switch
from channels_app.contract import Adapter, SecretField
from pushcenter.ids import uuid7
from pushcenter.networks import check_network
from pushcenter.retold import retold


class AccountQuerySet(models.QuerySet["Account"]):
    def usable(self) -> "AccountQuerySet":
        """Accounts that may be given work, in failover order."""
        return self.filter(is_active=True, is_paused=False).order_by("channel", "priority", "id")

    def served_channels(self) -> set[str]:
        """Channels with an account; a paused one counts, because its deliveries wait for it."""
        return set(self.filter(is_active=True).values_list("channel", flat=True))

    def paused_channels(self) -> set[str]:
        """Channels that have accounts, all of which are paused."""
        return self.served_channels() - set(self.usable().values_list("channel", flat=True))

    def without_work(self) -> "AccountQuerySet":
        """Active accounts that are given no work for the moment: paused, breaker open, or slowed by the provider."""
        is_open = ~models.Q(condition=None) & ~models.Q(condition__switch=Switch.CLOSED)
        is_slowed = models.Q(condition__slowed_until__gt=Now())
        held_up = models.Q(is_paused=True) | is_open | is_slowed
        return self.filter(held_up, is_active=True).select_related("condition")

    def with_use(self) -> "AccountQuerySet":
        """Adds ``calls``, under way a few seconds ago, and ``used``, of today's quota; None where there was nothing."""
        mine = {"account": models.OuterRef("pk")}
        loads = AccountLoad.objects.filter(until__gt=Now(), **mine).order_by().values("account")
        today = timezone.localdate(timezone=timezone.get_default_timezone())
        return self.annotate(
            calls=models.Subquery(loads.annotate(sum=models.Sum("calls")).values("sum")),
            used=models.Subquery(AccountDay.objects.filter(day=today, **mine).values("used")),
        )

    def pause(self, *, reason: str) -> int:
        self._note(AccountEvent.Kind.PAUSED, self.filter(is_paused=False), reason)
        return self.update(is_paused=True, pause_reason=reason, paused_at=Now())

    def resume(self, *, by: str = "") -> int:
        self._note(AccountEvent.Kind.RESUMED, self.filter(is_paused=True), f"by {by}" if by else "")
        return self.update(is_paused=False, pause_reason="", paused_at=None)

    @staticmethod
    def _note(kind: "AccountEvent.Kind", rows: models.QuerySet["Account"], detail: str) -> None:
        ids = rows.order_by("pk").values_list("pk", flat=True)
        AccountEvent.objects.bulk_create(
            AccountEvent(account_id=each, kind=kind, detail=detail[:400]) for each in ids
        )


def new_callback_token() -> str:
    return tokens.token_urlsafe(24)


class Account(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    channel = models.CharField(_("channel"), max_length=40)
    adapter = models.CharField(_("adapter"), max_length=60)
    priority = models.PositiveSmallIntegerField(
        _("priority"),
        default=10,
        help_text=_("The lowest number is tried first; equal ones share the load by weight."),
    )
    weight = models.PositiveSmallIntegerField(_("weight"), default=1)
    is_active = models.BooleanField(_("active"), default=True)
    is_paused = models.BooleanField(_("paused"), default=False, editable=False)
    pause_reason = models.CharField(_("reason of the pause"), max_length=300, blank=True, editable=False)
    paused_at = models.DateTimeField(_("paused since"), null=True, editable=False)
    config = models.JSONField(_("configuration"), default=dict, blank=True, editable=False)
    secrets = models.TextField(_("encrypted secrets"), blank=True, editable=False)
    rate_per_second = models.FloatField(
        _("calls per second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(100_000)],
        help_text=_("Of all workers together. What is beyond waits in the queue."),
    )
    max_in_flight = models.PositiveIntegerField(
        _("calls at the same time"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Of all workers together, such as the connections that a relay permits."),
    )
    address_rate_per_minute = models.FloatField(
        _("messages per minute to one address"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(100_000)],
        help_text=_("What is beyond waits for its turn, and holds up no other address."),
    )
    daily_quota = models.PositiveIntegerField(
        _("messages per day"),
        null=True,
        blank=True,
        help_text=_(
            "Days are those of the setting TIME_ZONE. When it is used up, the next account takes over; where there "
            "is none, messages wait for the next day."
        ),
    )
    price = models.DecimalField(
        _("price of a message"),
        null=True,
        blank=True,
        max_digits=10,
        decimal_places=5,
        validators=[MinValueValidator(0)],
        help_text=_(
            "Of one segment, where it sends text messages. Shown to editors of templates as an estimate."
        ),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Z]{3}$", _("Write its three letters (ISO 4217), such as EUR or CNY."))
        ],
        help_text=_("Three letters, such as EUR or CNY."),
    )
    callback_token = models.CharField(max_length=64, default=new_callback_token, editable=False)
    callback_networks = ArrayField(
        models.CharField(max_length=50, validators=[check_network]),
        verbose_name=_("networks of the provider"),
        default=list,
        blank=True,
        help_text=_(
            "From where receipts may come, such as 198.51.100.0/24, separated by commas. Empty permits every "
            "address. Fill it in where the provider signs nothing."
        ),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["channel", "priority", "name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weight__gte=1), name="account_weight_at_least_one"),
            models.CheckConstraint(
                condition=models.Q(price=None) | ~models.Q(currency=""), name="account_price_has_a_currency"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def adapter_class(self) -> type[Adapter]:
        return registry.adapter(self.adapter)

    @property
    def callback_url(self) -> str:
        """Where its provider reports; whoever knows it may call it."""
        return f"{settings.BASE_URL}/callbacks/{self.pk}/{self.callback_token}"

    @property
    def why_without_work(self) -> str:
        """The reason of the pause, or what the provider said last."""
        if self.is_paused:
            return retold(self.pause_reason)
        condition = getattr(self, "condition", None)
        if condition is None:
            return ""
        said = ": ".join(filter(None, (condition.code, retold(condition.detail))))
        return str(_("breaker open: %(said)s") if condition.is_open else _("slowed: %(said)s")) % {
            "said": said
        }

    def set_config(self, values: dict[str, Any]) -> None:
        """Store a cleaned ``Config``: secrets apart and encrypted; a blank secret keeps the one there is."""
        kept = self.secret_values()
        fields = self.adapter_class.Config.base_fields
        hidden = {name for name, field in fields.items() if isinstance(field, SecretField)}
        fresh = {name: values[name] for name in hidden if values.get(name)}
        merged = {name: value for name, value in {**kept, **fresh}.items() if name in hidden}
        self.config = {name: value for name, value in values.items() if name not in hidden}
        self.secrets = secrets.encrypt(merged) if merged else ""

    def secret_values(self) -> dict[str, Any]:
        """The decrypted secrets; raises :class:`channels_app.secrets.UnreadableSecret`."""
        return secrets.decrypt(self.secrets) if self.secrets else {}

    def connect(self) -> Adapter:
        """A fresh adapter with this account's settings."""
        return self.adapter_class({**self.config, **self.secret_values()})


class AccountToken(models.Model):
    """A token that a provider gave for an account's credentials. See :mod:`channels_app.shared_tokens`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="tokens", verbose_name=_("account")
    )
    name = models.CharField(_("name"), max_length=100)
    encrypted = models.TextField(_("encrypted token"), blank=True)
    fingerprint = models.CharField(_("settings it was fetched with"), max_length=64, blank=True)
    fetched_at = models.DateTimeField(_("fetched"), null=True)
    renew_at = models.DateTimeField(_("to be renewed"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    #: Until then somebody is fetching the next one.
    marked_until = models.DateTimeField(_("being fetched until"), null=True)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        ordering = ["account", "name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="account_token_once"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountHealth(models.Model):
    """How an account is doing, as all workers share it: its breaker, and a pause that the provider asked for.

    See :mod:`channels_app.health`. ``is_told`` says that whoever listens knows whether the breaker is open.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="condition", db_constraint=False
    )
    switch = models.CharField(
        max_length=10, choices=[(each.value, each.value) for each in Switch], default=Switch.CLOSED
    )
    until = models.DateTimeField(null=True)
    prober = models.CharField(max_length=40, blank=True)
    pauses = models.PositiveSmallIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    streak = models.PositiveIntegerField(default=0)
    trouble_since = models.DateTimeField(null=True)
    #: Slot, calls and failures of each.
    window = models.JSONField(default=list)
    slowed_until = models.DateTimeField(null=True)
    code = models.CharField(max_length=80, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    failed_at = models.DateTimeField(null=True)
    is_told = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("health of an account")
        verbose_name_plural = _("health of accounts")

    def __str__(self) -> str:
        return f"{self.account_id}: {self.switch}"

    @property
    def is_open(self) -> bool:
        return self.switch != Switch.CLOSED

    @property
    def circuit(self) -> Circuit:
        return Circuit(
            switch=Switch(self.switch),
            until=self.until,
            prober=self.prober,
            pauses=self.pauses,
            changed_at=self.changed_at,
            streak=self.streak,
            trouble_since=self.trouble_since,
            window={slot: (calls, failures) for slot, calls, failures in self.window},
        )

    def adopt(self, circuit: Circuit) -> None:
        """Take over another circuit; unsaved."""
        if self.is_open != (circuit.switch is not Switch.CLOSED):
            self.is_told = not self.is_told
        self.switch, self.until, self.prober = circuit.switch, circuit.until, circuit.prober
        self.pauses, self.changed_at = circuit.pauses, circuit.changed_at
        self.streak, self.trouble_since = circuit.streak, circuit.trouble_since
        self.window = [[slot, *counts] for slot, counts in sorted(circuit.window.items())]


class AccountEvent(models.Model):
    """A line of an account's history: its breaker opened or closed, or somebody paused or resumed it."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("breaker opened")
        CLOSED = "closed", _("breaker closed")
        CLOSED_BY_HAND = "closed_by_hand", _("breaker closed by hand")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("resumed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("account"),
        db_constraint=False,
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    detail = models.CharField(_("detail"), max_length=400, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("event of an account")
        verbose_name_plural = _("events of accounts")
        indexes = [models.Index(fields=["account", "-at"], name="account_event_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M:%S}"


class AccountLoad(models.Model):
    """What one worker process has under way through an account, and how many places it has leased of its limit."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="loads", db_constraint=False)
    process = models.CharField(max_length=40)
    calls = models.PositiveIntegerField(default=0)
    places = models.PositiveIntegerField(default=0)
    wants = models.PositiveIntegerField(default=0)
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("load of an account")
        verbose_name_plural = _("load of accounts")
        constraints = [models.UniqueConstraint(fields=["account", "process"], name="account_load_once")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.calls}"


class AccountBucket(models.Model):
    """The tokens of an account's rate, and with an address (as a digest) those of the pace to it.

    See :mod:`channels_app.pace`. ``rate``, ``burst``, ``asked`` and ``back`` are of the last statement.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="buckets", db_constraint=False
    )
    address = models.CharField(max_length=32, blank=True)
    rate = models.FloatField()
    burst = models.IntegerField()
    asked = models.IntegerField()
    back = models.IntegerField()
    tokens = models.FloatField()
    granted = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("bucket of an account")
        verbose_name_plural = _("buckets of accounts")
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="account_bucket_once")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.tokens:g}"


class AccountDay(models.Model):
    """How much of its daily quota an account has used; ``asked`` and ``back`` are of the last statement."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="days", db_constraint=False)
    day = models.DateField()
    quota = models.IntegerField()
    asked = models.IntegerField()
    back = models.IntegerField()
    used = models.IntegerField()
    granted = models.IntegerField()

    class Meta:
        verbose_name = _("day of an account")
        verbose_name_plural = _("days of accounts")
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="account_day_once")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.day}: {self.used}"
