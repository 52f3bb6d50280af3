"""The shapes of broadcasts, in and out."""

from typing import Any

from rest_framework import serializers

from channels_app import registry
from pushcenter.access.fields import FlagField, PatternField, StrictSerializer, TextField
from pushcenter.access.serializers.messages import LOCALE, SharedSerializer


def groups_field(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=TextField(max_length=60),
        required=False,
        allow_empty=False,
        max_length=100,
        help_text="Codes of groups; who is in one of them.",
        **options,
    )


class FilterSerializer(StrictSerializer):
    """Who meets every condition that is named."""

    groups = groups_field()
    locale = PatternField(
        LOCALE, required=False, max_length=35, help_text="A language: zh means zh-hans, too."
    )
    time_zone = TextField(required=False, max_length=50, help_text="Such as Asia/Shanghai.")
    address = serializers.ChoiceField(
        [], required=False, help_text="Who has an address of this kind, such as email."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["address"].choices = list(registry.address_kinds())  # type: ignore[attr-defined]
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Name at least one condition.", "empty")
        return attrs


class AudienceSerializer(StrictSerializer):
    """Who gets a broadcast: exactly one of these."""

    all = FlagField(required=False, help_text="True: everybody in the directory.")
    groups = groups_field()
    filter = FilterSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1 or attrs.get("all") is False:
            raise serializers.ValidationError(
                'Give one of {"all": true}, {"groups": […]} and {"filter": {…}}.', "one_of"
            )
        return attrs


class BroadcastSerializer(SharedSerializer):
    """One message for many people of the directory."""

    audience = AudienceSerializer()
    params = serializers.DictField(
        required=False, default=dict, help_text="The template's variables, the same for everybody."
    )
    dry_run = FlagField(
        required=False, default=False, help_text="Only say what would happen; nothing is stored."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        first = {name: fields.pop(name) for name in ("template", "audience", "params")}
        return first | fields


class BegunSerializer(serializers.Serializer):
    """The answer to an accepted broadcast. It is followed as a batch."""

    id = serializers.UUIDField()
    people = serializers.IntegerField(min_value=0, help_text="How many are in the audience now.")


class ForecastChannelSerializer(serializers.Serializer):
    channel = serializers.CharField()
    chosen = serializers.IntegerField(min_value=0, help_text="How many would get it here.")
    fallback = serializers.IntegerField(
        min_value=0, help_text="How many would get it here if the channels before fail."
    )
    skipped = serializers.DictField(
        child=serializers.IntegerField(min_value=0), help_text="How many would not, by reason."
    )


class ForecastSerializer(serializers.Serializer):
    """What a broadcast would come to."""

    people = serializers.IntegerField(min_value=0)
    reached = serializers.IntegerField(min_value=0, help_text="Who would get it on at least one channel.")
    sampled = serializers.IntegerField(
        allow_null=True,
        help_text="Null: everybody was looked at. Else so many were, and figures are scaled up.",
    )
    channels = ForecastChannelSerializer(many=True)
    left_out = serializers.DictField(
        child=serializers.IntegerField(min_value=0), help_text="Who would get nothing, by the main reason."
    )
    seconds = serializers.FloatField(allow_null=True, help_text="How long it would take.")
    per_second = serializers.IntegerField(allow_null=True, help_text="The speed that this assumes.")
    estimate = serializers.CharField(help_text="Where that speed comes from.")
