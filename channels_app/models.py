"""Accounts: adapters with credentials, and their place in the failover order."""

import secrets as tokens
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels_app import registry, secrets
from channels_app.contract import Adapter, SecretField
from pushcenter.ids import uuid7
from pushcenter.networks import check_network


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

    def pause(self, *, reason: str) -> int:
        return self.update(is_paused=True, pause_reason=reason)

    def resume(self) -> int:
        return self.update(is_paused=False, pause_reason="")


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
    config = models.JSONField(_("configuration"), default=dict, blank=True, editable=False)
    secrets = models.TextField(_("encrypted secrets"), blank=True, editable=False)
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
