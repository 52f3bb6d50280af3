"""The shapes of batches, in and out."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pushcenter.access.fields import TextField, ZonedDateTimeField
from pushcenter.access.paging import PageQuerySerializer, next_cursor
from pushcenter.access.serializers.messages import ItemSerializer, SharedSerializer
from pushcenter.access.serializers.problems import FaultSerializer
from pushcenter.messaging.batches import Status, status
from pushcenter.messaging.models import Batch, Brake

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


class ExpansionSerializer(serializers.Serializer):
    """How far the messages of a broadcast have been made."""

    people = serializers.IntegerField(help_text="Who was in the audience when it was accepted.")
    looked_at = serializers.IntegerField(source="expanded", help_text="For whom it has been decided.")
    left_out = serializers.DictField(
        child=serializers.IntegerField(), help_text="Who of them gets nothing, by the main reason."
    )
    finished_at = serializers.DateTimeField(source="expanded_at", allow_null=True)


class BrakeSerializer(serializers.ModelSerializer):
    """How it stands with the brake: the first slice, and what became of what went out, as of the last look."""

    class Meta:
        model = Brake
        fields = ["state", "slice", "wait_until", "looked_at", "ended", "failed", "complaints", "reason"]
        read_only_fields = fields


class BatchListedSerializer(serializers.ModelSerializer):
    """A batch or broadcast as lists show it."""

    kind = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    test = serializers.BooleanField(source="is_test")
    template = serializers.CharField(source="template.code", default="")
    audience = serializers.SerializerMethodField()
    expansion = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = [
            "id",
            "kind",
            "status",
            "test",
            "template",
            "reference",
            "accepted",
            "rejected",
            "accepted_at",
            "paused_at",
            "pause_reason",
            "cancelled_at",
            "audience",
            "expansion",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(["batch", "broadcast"]))
    def get_kind(self, batch: Batch) -> str:
        return "broadcast" if batch.is_broadcast else "batch"

    @extend_schema_field(serializers.ChoiceField(Status.choices))
    def get_status(self, batch: Batch) -> str:
        return status(batch, in_flight=batch.in_flight).value  # type: ignore[attr-defined]  # annotated by listed()

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_audience(self, batch: Batch) -> object:
        return batch.audience or None

    @extend_schema_field(ExpansionSerializer(allow_null=True))
    def get_expansion(self, batch: Batch) -> object:
        return ExpansionSerializer(batch).data if batch.is_broadcast else None


class BatchReadSerializer(BatchListedSerializer):
    """A batch or broadcast with its progress."""

    deliveries = serializers.SerializerMethodField()
    brake = serializers.SerializerMethodField()

    class Meta(BatchListedSerializer.Meta):
        fields = [*BatchListedSerializer.Meta.fields, "deliveries", "brake"]
        read_only_fields = fields

    @extend_schema_field(BrakeSerializer(allow_null=True, help_text="Null where all went out at once."))
    def get_brake(self, batch: Batch) -> object:
        brake = getattr(batch, "brake", None)
        return BrakeSerializer(brake).data if brake else None

    @extend_schema_field(
        serializers.DictField(child=serializers.IntegerField(), help_text="How many are in each state.")
    )
    def get_deliveries(self, batch: Batch) -> object:
        counts: dict[str, int] = self.context["deliveries"]
        return counts


class BatchesQuerySerializer(PageQuerySerializer):
    """Which batches are to be listed: those that meet every parameter."""

    reference = TextField(required=False, max_length=200, help_text="Your own id for it.")
    kind = serializers.ChoiceField(["batch", "broadcast"], required=False, help_text="Only one of the two.")
    since = ZonedDateTimeField(required=False, help_text="Accepted at this moment or later.")
    until = ZonedDateTimeField(required=False, help_text="Accepted before this moment.")


class BatchesSerializer(serializers.Serializer):
    """A page of batches and broadcasts, newest first."""

    items = BatchListedSerializer(many=True)
    next = next_cursor()


class CancelledBatchSerializer(serializers.Serializer):
    """What cancelling a batch came to, at the moment of the answer."""

    id = serializers.UUIDField(source="batch.pk")
    cancelled_at = serializers.DateTimeField(source="batch.cancelled_at")
    cancelled = serializers.IntegerField(help_text="Deliveries that will not go out.")
    too_late = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Deliveries that were out or on their way, or may have been (in_doubt), by state.",
    )
    recalling = serializers.IntegerField(
        help_text="Of the late ones, those whose provider is asked to take them back."
    )
    not_expanded = serializers.IntegerField(
        help_text="People of a broadcast for whom no message was made yet."
    )
