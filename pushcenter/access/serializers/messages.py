"""The shapes of messages, in and out."""

from dataclasses import fields
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from channels_app import registry
from pushcenter.access.fields import IdField, PatternField, StrictSerializer, TextField, ZonedDateTimeField
from pushcenter.access.paging import PageQuerySerializer, next_cursor
from pushcenter.lanes import Lane
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.request import Request
from pushcenter.messaging.states import State, summary

LOCALE = r"^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$"
MAX_ADDRESS = 2048


def fits_an_index(value: str) -> None:
    """Validator: the database indexes addresses, and counts bytes where ``max_length`` counts characters."""
    if len(value) <= MAX_ADDRESS < len(value.encode()):
        raise serializers.ValidationError(f"This is longer than {MAX_ADDRESS} bytes.", "max_length")


class ToSerializer(StrictSerializer):
    """Whom a message is for: a recipient of the directory, addresses given here, or both."""

    recipient = TextField(
        required=False, max_length=200, help_text="External id of a recipient in the directory."
    )
    name = TextField(required=False, max_length=200, help_text="Overrides the directory's name.")
    locale = PatternField(LOCALE, required=False, max_length=35, help_text="Such as en or zh-hans.")

    def get_fields(self) -> dict[str, serializers.Field]:
        kinds = {
            kind: TextField(
                required=False,
                max_length=MAX_ADDRESS,
                validators=[fits_an_index],
                help_text=f"Address for the channel {channel.name}.",
            )
            for kind, channel in registry.address_kinds().items()
        }
        return super().get_fields() | kinds

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() - {"name", "locale"}:
            raise serializers.ValidationError("Name a recipient or give an address.", "empty")
        return attrs


class ItemSerializer(StrictSerializer):
    """One message of a batch: what it has of its own."""

    to = ToSerializer()
    params = serializers.DictField(required=False, default=dict, help_text="The template's variables.")
    reference = TextField(required=False, max_length=200, help_text="Your own id for it.")


class SharedSerializer(StrictSerializer):
    """What all messages of a call have in common."""

    template = TextField(max_length=80, help_text="Code of a template, such as order-paid.")
    channels = serializers.ListField(
        child=TextField(max_length=40),
        required=False,
        allow_empty=False,
        max_length=20,
        help_text="Only these channels, in this order; otherwise the template's route.",
    )
    priority = serializers.ChoiceField(Lane.choices, required=False, help_text="Otherwise the template's.")
    send_at = ZonedDateTimeField(required=False, help_text="Not before this moment.")
    expires_at = ZonedDateTimeField(required=False, help_text="Not after this moment.")
    reference = TextField(required=False, max_length=200, help_text="Your own id for it.")
    metadata = serializers.DictField(required=False, help_text="Kept with the message and given back.")
    category = TextField(required=False, max_length=60, help_text="Overrides the template's category.")

    def as_request(self, request_id: str) -> Request:
        """What intake takes; to be called on a valid serializer."""
        known = {each.name for each in fields(Request)}
        values = {name: value for name, value in self.validated_data.items() if name in known}
        if priority := values.get("priority"):
            values["priority"] = Lane(priority)
        return Request(**values, request_id=request_id)


class SendSerializer(SharedSerializer):
    """One message to send."""

    to = ToSerializer()
    params = serializers.DictField(required=False, default=dict, help_text="The template's variables.")

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        first = {name: fields.pop(name) for name in ("template", "to", "params")}
        return first | fields


class DeliverySerializer(serializers.ModelSerializer):
    """One message on one channel."""

    account = serializers.CharField(source="account.name", default=None, allow_null=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "channel",
            "address",
            "state",
            "code",
            "reason",
            "attempts",
            "maybe_duplicate",
            "account",
            "provider_id",
            "due_at",
            "sent_at",
            "delivered_at",
            "opened_at",
            "clicked_at",
            "converted_at",
        ]
        read_only_fields = fields


class AcceptedSerializer(serializers.Serializer):
    """The answer to an accepted message."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(State.choices)
    test = serializers.BooleanField(source="is_test")
    accepted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    reference = serializers.CharField()


class MessageSerializer(serializers.ModelSerializer):
    """A message with its deliveries."""

    status = serializers.SerializerMethodField()
    test = serializers.BooleanField(source="is_test")
    template = serializers.CharField(source="template.code")
    version = serializers.IntegerField(source="version.number")
    priority = serializers.CharField(source="lane")
    recipient = serializers.CharField(source="recipient.external_id", default=None, allow_null=True)
    batch = serializers.UUIDField(source="batch_id", allow_null=True)
    params = serializers.DictField(help_text="As given, with the template's defaults.")
    metadata = serializers.DictField(help_text="As given.")
    deliveries = DeliverySerializer(many=True)

    class Meta:
        model = Message
        fields = [
            "id",
            "status",
            "test",
            "template",
            "version",
            "category",
            "priority",
            "recipient",
            "batch",
            "params",
            "metadata",
            "reference",
            "send_at",
            "expires_at",
            "accepted_at",
            "deliveries",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(State.choices))
    def get_status(self, message: Message) -> str:
        return summary([State(delivery.state) for delivery in message.deliveries.all()])


class MessagesQuerySerializer(PageQuerySerializer):
    """Which messages are to be listed: those that meet every parameter."""

    reference = TextField(required=False, max_length=200, help_text="Your own id for it.")
    status = serializers.ChoiceField(State.choices, required=False, help_text="The status of the message.")
    recipient = TextField(required=False, max_length=200, help_text="An external id.")
    template = TextField(required=False, max_length=80, help_text="A template's code.")
    batch = IdField(required=False, help_text="The id of a batch or broadcast.")
    channel = TextField(required=False, max_length=40, help_text="With a delivery on this channel.")
    since = ZonedDateTimeField(required=False, help_text="Stored at this moment or later.")
    until = ZonedDateTimeField(required=False, help_text="Stored before this moment.")


class MessagesSerializer(serializers.Serializer):
    """A page of messages, newest first."""

    items = MessageSerializer(many=True)
    next = next_cursor()


class OneDeliverySerializer(serializers.Serializer):
    """A delivery, in short."""

    id = serializers.UUIDField()
    channel = serializers.CharField()
    state = serializers.ChoiceField(State.choices)


class CancelledMessageSerializer(serializers.Serializer):
    """What cancelling a message came to."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(State.choices)
    cancelled = OneDeliverySerializer(many=True, help_text="These will not go out.")
    too_late = OneDeliverySerializer(
        many=True,
        help_text="These were out, or on their way, or may have been (in_doubt); no try is repeated.",
    )
    recalling = OneDeliverySerializer(
        many=True,
        help_text="Of the late ones, those whose provider is asked to take them back; the trace tells.",
    )
    kept_back = serializers.ListField(
        child=serializers.CharField(), help_text="Channels that were kept as fallback, and will not start."
    )


class EntrySerializer(serializers.Serializer):
    """One line of a message's timeline."""

    at = serializers.DateTimeField()
    tier = serializers.ChoiceField(["access", "business", "service"])
    kind = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    channel = serializers.CharField()
    outcome = serializers.ChoiceField(["ok", "warning", "bad", "neutral"])
    data = serializers.DictField()  # type: ignore[assignment]  # the stubs know only the base class's `data`


class TraceSerializer(serializers.Serializer):
    """The full-link timeline of a message, oldest line first."""

    id = serializers.UUIDField()
    entries = EntrySerializer(many=True)
