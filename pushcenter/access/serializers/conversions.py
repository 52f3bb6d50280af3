"""The shapes of conversions."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pushcenter.access.fields import IdField, PatternField, StrictSerializer, TextField, ZonedDateTimeField
from pushcenter.access.serializers.recipients import ExternalIdField


@extend_schema_field(
    {
        "type": ["number", "string"],
        "minimum": 0,
        "exclusiveMaximum": 10**14,
        "pattern": r"^[0-9]{1,14}(\.[0-9]{1,4})?$",
    }
)
class AmountField(serializers.DecimalField):
    """A sum of money, as a number or (exactly) as a text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=4, min_value=0, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, int | float | str) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)

    def quantize(self, value: Decimal) -> Decimal:
        return value  # as it was written


class ConversionSerializer(StrictSerializer):
    """What a person did after a message."""

    message = IdField(required=False, help_text="Id of the message.")
    recipient = ExternalIdField(
        required=False, help_text="With `reference`, instead of `message`: to whom it was sent."
    )
    reference = TextField(
        required=False, max_length=200, help_text="With `recipient`: your own id of the message."
    )
    channel = TextField(
        required=False,
        max_length=40,
        help_text="Which of its deliveries; otherwise the one that came furthest: clicked, opened, delivered, sent.",
    )
    event = TextField(required=False, max_length=80, help_text="What it was, such as purchase.")
    value = AmountField(required=False, help_text="What it was worth: a number, or exactly as a text.")
    currency = PatternField(
        r"^[A-Z]{3}$", required=False, help_text="Of the value: a code of ISO 4217, such as EUR."
    )
    at = ZonedDateTimeField(required=False, help_text="When it was; otherwise now.")
    event_id = TextField(
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
