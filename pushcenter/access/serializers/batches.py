"""The shapes of batches, in and out."""

from rest_framework import serializers

from pushcenter.access.serializers.messages import ItemSerializer, SharedSerializer
from pushcenter.access.serializers.problems import FaultSerializer

LARGEST = 10_000
ON_ERROR = [
    ("reject", "one fault refuses the whole call"),
    ("skip", "leave out what is wrong"),
]


class EnvelopeSerializer(SharedSerializer):
    """A batch but for its items."""

    on_error = serializers.ChoiceField(
        ON_ERROR, required=False, default="reject", help_text="Refuse all, or leave out what is wrong."
    )


class BatchSerializer(EnvelopeSerializer):
    """Many messages on the same terms."""

    items = serializers.ListField(
        child=ItemSerializer(),
        min_length=1,
        max_length=LARGEST,
        help_text="Your system may have a lower limit.",
    )


class RejectedItemSerializer(serializers.Serializer):
    """An item that was left out, and why; pointers begin at the item."""

    index = serializers.IntegerField(min_value=0)
    errors = FaultSerializer(many=True)  # type: ignore[assignment]  # the stubs know only the base class's `errors`


class BatchAcceptedSerializer(serializers.Serializer):
    """The answer to an accepted batch."""

    id = serializers.UUIDField()
    accepted = serializers.IntegerField(min_value=0)
    rejected = RejectedItemSerializer(many=True)
