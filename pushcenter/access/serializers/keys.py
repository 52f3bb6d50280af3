"""The shapes of a system, as its own keys see it, and of its keys."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework import serializers

from pushcenter.access.fields import (
    FlagField,
    IdField,
    QuerySerializer,
    StrictSerializer,
    TextField,
    WholeField,
    ZonedDateTimeField,
)
from pushcenter.access.models import OVERLAP, ApiKey, Scope, System
from pushcenter.networks import check_network

LONGEST_OVERLAP = 30 * 24 * 3600


def is_network(value: str) -> None:
    """Validator: an IP network such as ``10.0.0.0/8`` or one address."""
    try:
        check_network(value)
    except ValidationError:
        raise serializers.ValidationError("This is not an IP network.", "invalid_network") from None


class KeySerializer(serializers.ModelSerializer):
    """A key, without its secret."""

    test = serializers.BooleanField(source="is_test")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))
    predecessor = serializers.UUIDField(
        source="predecessor_id", allow_null=True, help_text="The key that this one succeeds."
    )

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "test",
            "scopes",
            "allowed_networks",
            "predecessor",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        ]
        read_only_fields = fields


class IssuedKeySerializer(KeySerializer):
    """A new key. Its secret stands in this answer and is told never again."""

    secret = serializers.CharField(help_text="Send it as `Authorization: Bearer <secret>`.")

    class Meta(KeySerializer.Meta):
        fields = ["secret", *KeySerializer.Meta.fields]
        read_only_fields = fields

    def to_representation(self, instance: tuple[ApiKey, str]) -> dict[str, Any]:
        key, secret = instance
        key.secret = secret  # type: ignore[attr-defined]
        return super().to_representation(key)


class KeysSerializer(serializers.Serializer):
    """A page of keys, newest first; ``next`` is the cursor of the following page, or null."""

    keys = KeySerializer(many=True)
    next = serializers.UUIDField(allow_null=True)


class KeysQuerySerializer(QuerySerializer):
    cursor = IdField(required=False, help_text="The `next` of the page before.")
    limit = WholeField(required=False, min_value=1, max_value=200, default=50)


class NewKeySerializer(StrictSerializer):
    """A key to make: it can have no more than the calling key has."""

    name = TextField(required=False, max_length=100, allow_blank=True, help_text="What it is for.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(Scope.choices),
        allow_empty=False,
        max_length=len(Scope),
        help_text="Some of the calling key's.",
    )
    test = FlagField(required=False, default=False, help_text="A test key; a test key makes no others.")
    allowed_networks = serializers.ListField(
        child=TextField(max_length=50, validators=[is_network]),
        required=False,
        max_length=50,
        help_text="Such as `10.0.0.0/8`. Otherwise those of the calling key; an empty list permits every address.",
    )
    expires_at = ZonedDateTimeField(required=False, help_text="Otherwise with the calling key, if that ends.")

    def validate_expires_at(self, value: Any) -> Any:
        if value <= timezone.now():
            raise serializers.ValidationError("This moment has passed.", "in_the_past")
        return value


class RotationSerializer(StrictSerializer):
    """How to change from a key to its successor."""

    overlap_seconds = WholeField(
        required=False,
        min_value=0,
        max_value=LONGEST_OVERLAP,
        default=int(OVERLAP.total_seconds()),
        help_text="How long the old key stays usable.",
    )


class PermissionsSerializer(serializers.ModelSerializer):
    """What the system may ask for. An empty list permits everything of its kind."""

    class Meta:
        model = System
        fields = [
            "templates",
            "categories",
            "channels",
            "highest_priority",
            "may_address_inline",
            "may_broadcast",
        ]
        read_only_fields = fields


class LimitsSerializer(serializers.ModelSerializer):
    """How much of it."""

    requests_per_second = serializers.IntegerField(source="rate")
    messages_per_day = serializers.IntegerField(source="daily_quota", allow_null=True)

    class Meta:
        model = System
        fields = ["requests_per_second", "burst", "max_batch", "max_broadcast", "messages_per_day"]
        read_only_fields = fields


class SystemSerializer(serializers.Serializer):
    """Who calls, and what is permitted."""

    code = serializers.CharField()
    name = serializers.CharField()
    key = KeySerializer()
    permissions = PermissionsSerializer()
    limits = LimitsSerializer()
