"""What was asked for, and each delivery of it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_app import registry
from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging.deliveries import DeliveryQuerySet
from pushcenter.messaging.models.batch import Batch
from pushcenter.messaging.states import State


class Message(models.Model):
    """What a system asked for, for one recipient. Only inserted: a database trigger refuses changes.

    Messages and deliveries are written by the thousand, so the database checks none of their references to rows
    that are never deleted while a message names them (docs/decisions/0009): systems are made inactive, published
    versions cannot be deleted, and recipients and keys are let go of by whoever deletes them.

    ``plan`` holds the routing decisions as they were made: one object for each channel of the route, with
    ``channel``, ``chosen``, ``reason``, ``kind``, ``address`` and ``locale``. Erasing a person's data may
    rewrite ``to``, ``params``, ``metadata`` and ``plan``, and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    system = models.ForeignKey(
        "access.System",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("system"),
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
    batch = models.ForeignKey(
        Batch,
        null=True,
        on_delete=models.PROTECT,
        related_name="messages",
        db_index=False,
        db_constraint=False,
        verbose_name=_("batch"),
    )
    version = models.ForeignKey(
        "templates_app.TemplateVersion",
        on_delete=models.DO_NOTHING,  # one that was published cannot be deleted: a database trigger holds that
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("template version"),
    )
    template = models.ForeignKey(
        "templates_app.Template",
        on_delete=models.DO_NOTHING,  # nor can its template
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("template"),
    )
    category = models.CharField(_("category"), max_length=60)
    recipient = models.ForeignKey(
        "recipients.Recipient",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("recipient"),
    )
    to = models.JSONField(_("to"), default=dict)
    params = models.JSONField(_("parameters"), default=dict)
    metadata = models.JSONField(_("metadata"), default=dict)
    reference = models.CharField(_("reference"), max_length=200, blank=True)
    lane = models.CharField(_("lane"), max_length=10, choices=Lane.choices)
    plan = models.JSONField(_("routing decisions"), default=list)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    send_at = models.DateTimeField(_("send at"), null=True)
    expires_at = models.DateTimeField(_("expires at"))
    accepted_at = models.DateTimeField(_("accepted at"), default=timezone.now)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-id"]
        permissions = [("view_personal_data", _("Can see addresses, parameters and content"))]
        indexes = [
            models.Index(fields=["system", "-id"], name="message_of_system"),
            models.Index(fields=["template", "-id"], name="message_of_template"),
            models.Index(
                fields=["system", "reference"], name="message_reference", condition=~Q(reference="")
            ),
            models.Index(
                fields=["recipient", "-id"], name="message_of_recipient", condition=Q(recipient__isnull=False)
            ),
            models.Index(fields=["batch", "-id"], name="message_of_batch", condition=Q(batch__isnull=False)),
            # Costs next to nothing to keep, and lets a day be counted without reading all others.
            BrinIndex(fields=["accepted_at"], name="message_by_day", pages_per_range=64, autosummarize=True),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(lane__in=Lane.values), name="message_lane_is_known"),
            models.CheckConstraint(
                condition=Q(send_at=None) | Q(expires_at__gt=F("send_at")),
                name="message_expires_after_it_is_due",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Delivery(models.Model):
    """One message on one channel: the unit of work, and the only row whose state changes.

    ``claims`` is a fence: an outcome counts only for the claim that it belongs to. ``attempts`` counts the calls
    of an adapter, ``throttled`` those of them that were too fast: the retry schedule is for the others.
    ``maybe_sent`` remembers an attempt without a known end that may have reached the provider: what comes to nothing
    after it ends in doubt. ``held`` keeps a pending delivery out of what is due: its batch, template or system is
    stopped. ``code`` and ``reason`` say why the state is what it is. In a chain of channels, ``step_within`` is how
    many seconds this one has from its first attempt before the next one starts, and ``step_until`` is when they are
    over, while that is waited for. ``look_up_at`` is when the provider is asked about one in doubt. ``pinned_to`` is
    the account that was chosen for a test: it goes through no other.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("message")
    )
    batch = models.ForeignKey(
        Batch,
        null=True,
        on_delete=models.PROTECT,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
        verbose_name=_("batch"),
    )
    # Whoever is forgotten is forgotten here by way of the messages (``erasure``): an index of all deliveries by their
    # people would be written with each change of state.
    recipient = models.ForeignKey(
        "recipients.Recipient",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("recipient"),
    )
    is_test = models.BooleanField(_("test"), default=False, db_default=False)
    channel = models.CharField(_("channel"), max_length=40)
    kind = models.CharField(_("kind of address"), max_length=40)
    address = models.CharField(_("address"), max_length=2048, blank=True)
    locale = models.CharField(_("locale"), max_length=35, blank=True)
    lane = models.CharField(_("lane"), max_length=10, choices=Lane.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    claims = models.PositiveIntegerField(_("claims"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    throttled = models.PositiveIntegerField(_("throttled"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    held = models.BooleanField(_("held"), default=False, db_default=False)
    maybe_duplicate = models.BooleanField(_("possible duplicate"), default=False)
    maybe_sent = models.BooleanField(_("may have been sent"), default=False, db_default=False)
    pinned_to = models.UUIDField(_("only through this account"), null=True)
    step_within = models.PositiveIntegerField(_("seconds of its step"), null=True)
    step_until = models.DateTimeField(_("next channel at"), null=True)
    look_up_at = models.DateTimeField(_("provider asked at"), null=True)
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("account"),
    )
    provider_id = models.CharField(_("provider's id"), max_length=300, blank=True)
    code = models.CharField(_("code"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    accepted_at = models.DateTimeField(_("accepted at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    opened_at = models.DateTimeField(_("opened"), null=True)
    clicked_at = models.DateTimeField(_("clicked"), null=True)
    converted_at = models.DateTimeField(_("converted"), null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        permissions = [("operate_delivery", _("Can cancel, send again and close deliveries"))]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["lane", "channel", "is_test", "due_at"],
                name="delivery_queued",
                condition=Q(state="pending", held=False),
            ),
            models.Index(
                fields=["batch", "due_at", "id"],
                name="delivery_held",
                condition=Q(state="pending", held=True),
            ),
            models.Index(
                fields=["due_at", "id"], name="delivery_held_due", condition=Q(state="pending", held=True)
            ),
            models.Index(fields=["lease_until"], name="delivery_leased", condition=Q(state="sending")),
            models.Index(fields=["expires_at"], name="delivery_expiring", condition=Q(state="pending")),
            models.Index(fields=["step_until"], name="delivery_step", condition=Q(step_until__isnull=False)),
            models.Index(fields=["provider_id"], name="delivery_provider_id", condition=~Q(provider_id="")),
            models.Index(fields=["ended_at", "id"], name="delivery_failed", condition=Q(state="failed")),
            models.Index(fields=["lane"], name="delivery_in_doubt", condition=Q(state="in_doubt")),
            models.Index(
                fields=["look_up_at"],
                name="delivery_to_look_up",
                condition=Q(state="in_doubt", look_up_at__isnull=False),
            ),
            models.Index(
                fields=["recipient"],
                name="delivery_waits_for",
                condition=Q(state="pending", recipient__isnull=False),
            ),
            models.Index(
                fields=["recipient", "-id"],
                name="delivery_in_inbox",
                condition=Q(channel="inbox", state="delivered"),
            ),
            models.Index(
                fields=["batch", "state"], name="delivery_of_batch", condition=Q(batch__isnull=False)
            ),
            BrinIndex(fields=["accepted_at"], name="delivery_by_day", pages_per_range=64, autosummarize=True),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="delivery_state_is_known"),
            models.CheckConstraint(condition=Q(lane__in=Lane.values), name="delivery_lane_is_known"),
            models.CheckConstraint(
                condition=Q(state="sending", lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_until__isnull=True)),
                name="delivery_has_a_lease_while_sending",
            ),
        ]

    def __str__(self) -> str:
        return f"{registry.label(self.channel)}: {self.get_state_display()}"

    @property
    def retries(self) -> int:
        """How far the retry schedule has been used up; a provider's wish for a pause uses none of it."""
        return self.attempts - self.throttled

    @property
    def claimed_at(self) -> datetime | None:
        """When the claim began that is still open."""
        return self.lease_until and self.lease_until - timedelta(seconds=settings.LEASE_SECONDS)
