"""The record: what was asked for, each delivery of it, each attempt, each receipt, each interaction."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging.deliveries import DeliveryQuerySet
from pushcenter.messaging.states import State


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
        return self.kind


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
    ``held`` keeps a pending delivery of a stopped batch out of what is due. ``code`` and ``reason`` say why the state
    is what it is.
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
    recipient = models.ForeignKey(
        "recipients.Recipient",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("recipient"),
    )
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
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
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
                fields=["lane", "due_at"], name="delivery_due", condition=Q(state="pending", held=False)
            ),
            models.Index(fields=["batch"], name="delivery_held", condition=Q(state="pending", held=True)),
            models.Index(fields=["lease_until"], name="delivery_leased", condition=Q(state="sending")),
            models.Index(fields=["expires_at"], name="delivery_expiring", condition=Q(state="pending")),
            models.Index(fields=["provider_id"], name="delivery_provider_id", condition=~Q(provider_id="")),
            models.Index(fields=["lane"], name="delivery_in_doubt", condition=Q(state="in_doubt")),
            models.Index(
                fields=["recipient", "-id"],
                name="delivery_of_recipient",
                condition=Q(recipient__isnull=False),
            ),
            models.Index(
                fields=["batch", "state"], name="delivery_of_batch", condition=Q(batch__isnull=False)
            ),
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
        return f"{self.channel}: {self.get_state_display()}"

    @property
    def retries(self) -> int:
        """How far the retry schedule has been used up; a provider's wish for a pause uses none of it."""
        return self.attempts - self.throttled

    @property
    def claimed_at(self) -> datetime | None:
        """When the claim began that is still open."""
        return self.lease_until and self.lease_until - timedelta(seconds=settings.LEASE_SECONDS)


class AttemptOutcome(models.TextChoices):
    SENT = "sent", _("sent")
    TEMPORARY = "temporary", _("temporary fault")
    THROTTLED = "throttled", _("throttled")
    UNREACHABLE = "unreachable", _("unreachable")
    REFUSED = "refused", _("refused")
    MISCONFIGURED = "misconfigured", _("account misconfigured")
    LOST = "lost", _("no answer known")


class Attempt(models.Model):
    """One call of an adapter. Append-only; written when its end is known, or when its lease ran out."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="log", verbose_name=_("delivery")
    )
    number = models.PositiveIntegerField(_("number"))
    adapter = models.CharField(_("adapter"), max_length=60, blank=True)
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("account"),
    )
    outcome = models.CharField(_("outcome"), max_length=14, choices=AttemptOutcome.choices)
    code = models.CharField(_("code"), max_length=80, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    provider_id = models.CharField(_("provider's id"), max_length=300, blank=True)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="attempt_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.get_outcome_display()}"

    @property
    def milliseconds(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class Event(models.Model):
    """A line of a message's history that no other row tells. Append-only: a database trigger holds that."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="events", verbose_name=_("message")
    )
    delivery = models.ForeignKey(
        Delivery,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        verbose_name=_("delivery"),
    )
    kind = models.CharField(_("kind"), max_length=40)
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.kind


class IdempotentCall(models.Model):
    """The answer to a call with an ``Idempotency-Key``, committed together with what the call did."""

    id = models.BigAutoField(primary_key=True)
    system_id = models.UUIDField()
    is_test = models.BooleanField()
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=300, blank=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("idempotent call")
        verbose_name_plural = _("idempotent calls")
        constraints = [
            models.UniqueConstraint(fields=["system_id", "is_test", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return self.key


class DailyUse(models.Model):
    """How many messages of a system with a daily quota were accepted on a day (UTC)."""

    id = models.BigAutoField(primary_key=True)
    system_id = models.UUIDField()
    day = models.DateField()
    accepted = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("daily use")
        verbose_name_plural = _("daily uses")
        constraints = [models.UniqueConstraint(fields=["system_id", "day"], name="daily_use_once")]

    def __str__(self) -> str:
        return f"{self.day}: {self.accepted}"


class CallVerdict(models.TextChoices):
    TAKEN = "taken", _("taken")
    FORGED = "forged", _("not verified")
    DENIED = "denied", _("from elsewhere")
    UNCLEAR = "unclear", _("not understood")


class ReceiptCall(models.Model):
    """A provider's call as it came, kept before anybody tries to understand it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        "channels_app.Account", on_delete=models.CASCADE, related_name="+", verbose_name=_("account")
    )
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    headers = models.JSONField(_("headers"), default=dict)
    query = models.JSONField(_("query"), default=dict)
    body = models.BinaryField(_("body"))
    verdict = models.CharField(
        _("verdict"), max_length=10, choices=CallVerdict.choices, default=CallVerdict.TAKEN
    )
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("receipt call")
        verbose_name_plural = _("receipt calls")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.id)


class Receipt(models.Model):
    """What a provider said of one delivery. ``delivery`` is empty while none is known by its provider's id.

    ``address`` is kept until then, where one id of the provider stands for several people.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        "channels_app.Account",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("account"),
    )
    call = models.ForeignKey(
        ReceiptCall,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        verbose_name=_("call"),
    )
    delivery = models.ForeignKey(
        Delivery, null=True, on_delete=models.CASCADE, related_name="receipts", verbose_name=_("delivery")
    )
    provider_id = models.CharField(_("provider's id"), max_length=300)
    event_id = models.CharField(_("provider's event id"), max_length=300, blank=True)
    address = models.CharField(_("address"), max_length=2048, blank=True, editable=False)
    outcome = models.CharField(_("outcome"), max_length=20)
    code = models.CharField(_("code"), max_length=80, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["provider_id"], name="receipt_unmatched", condition=Q(delivery=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "event_id"], condition=~Q(event_id=""), name="receipt_event_once"
            ),
        ]

    def __str__(self) -> str:
        return self.outcome


class InteractionKind(models.TextChoices):
    OPENED = "opened", _("opened")
    CLICKED = "clicked", _("clicked")
    CONVERTED = "converted", _("converted")
    REPLIED = "replied", _("replied")
    ARCHIVED = "archived", _("archived")


class Interaction(models.Model):
    """What a person did with a delivery. Append-only; the first of each kind also stands on the delivery.

    ``event_id`` is the reporter's own id of it, made unique by the reporter's: one that is told twice counts once.
    ``data`` says more, such as the value of a conversion.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="interactions", verbose_name=_("delivery")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=InteractionKind.choices)
    source = models.CharField(_("source"), max_length=40, blank=True)
    event_id = models.CharField(_("reporter's event id"), max_length=300, blank=True)
    data = models.JSONField(_("data"), default=dict)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event_id"], condition=~Q(event_id=""), name="interaction_event_once"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class Tally(models.Model):
    """A change of a figure, written in the transaction that made it true; the rollup folds it away.

    ``hour`` is the hour in which the message was accepted, so that a rate compares the same messages.
    """

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField()
    system_id = models.UUIDField()
    template_id = models.UUIDField()
    channel = models.CharField(max_length=40)
    measure = models.CharField(max_length=12)
    amount = models.IntegerField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        return f"{self.measure} {self.amount:+}"
