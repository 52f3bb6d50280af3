"""The shapes of conversions."""

from typing import Any

from rest_framework import serializers

from pushcenter.access.fields import StrictSerializer, ZonedDateTimeField
from pushcenter.access.serializers.recipients import ExternalIdField


class ConversionSerializer(StrictSerializer):
    """What a person did after a message."""

    message = serializers.UUIDField(required=False, help_text="Id of the message.")
    recipient = ExternalIdField(
        required=False, help_text="With `reference`, instead of `message`: to whom it was sent."
    )
    reference = serializers.CharField(
        required=False, max_length=200, help_text="With `recipient`: your own id of the message."
    )
    channel = serializers.CharField(
        required=False,
        max_length=40,
        help_text="Which of its deliveries; otherwise the one that came furthest: clicked, opened, delivered, sent.",
    )
    event = serializers.CharField(required=False, max_length=80, help_text="What it was, such as purchase.")
    value = serializers.DecimalField(
        required=False, max_digits=18, decimal_places=4, min_value=0, help_text="What it was worth."
    )
    currency = serializers.RegexField(
        r"^[A-Z]{3}\Z", required=False, help_text="Of the value: a code of ISO 4217, such as EUR."
    )
    at = ZonedDateTimeField(required=False, help_text="When it was; otherwise now.")
    event_id = serializers.CharField(
        required=False, max_length=200, help_text="Your own id of it: reported twice, it counts once."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "message" not in attrs and not {"recipient", "reference"} <= attrs.keys():
            detail = "Name the message, or its recipient and reference."
            raise serializers.ValidationError({"message": [detail]}, "required")
        if "message" in attrs and attrs.keys() & {"recipient", "reference"}:
            detail = "Name the message alone, or its recipient and reference."
            raise serializers.ValidationError({"message": [detail]}, "ambiguous")
        if "currency" in attrs and "value" not in attrs:
            raise serializers.ValidationError({"value": ["A currency needs a value."]}, "required")
        return attrs


class ConvertedSerializer(serializers.Serializer):
    """A conversion as recorded."""

    id = serializers.UUIDField()
    message = serializers.UUIDField(source="delivery.message_id")
    delivery = serializers.UUIDField(source="delivery_id")
    channel = serializers.CharField(source="delivery.channel")
    at = serializers.DateTimeField()
