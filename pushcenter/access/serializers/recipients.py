"""The shapes of recipients, their addresses and their preferences."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from channels_app import registry
from pushcenter.access import people
from pushcenter.access.fields import EachByItself, FlagField, PatternField, StrictSerializer, TextField
from pushcenter.access.paging import PageQuerySerializer, next_cursor
from pushcenter.access.people import MAX_ADDRESSES, MAX_GROUPS
from pushcenter.access.serializers.messages import LOCALE, MAX_ADDRESS, fits_an_index
from pushcenter.faults import Fault, Rejected
from pushcenter.recipients.models import Recipient, check_external_id
from pushcenter.recipients.preferences import Wish

MAX_ITEMS = 10_000
PRIMARY = "The one of its kind that is used. Without a mark it is the last of its kind."


class ExternalIdField(TextField):
    """The enterprise's own id of a person, as the directory takes it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Your own id of this person: no slash, nothing invisible.")
        # Not trimmed: in an address of the API it would be another id.
        super().__init__(max_length=200, trim_whitespace=False, validators=[check_external_id], **kwargs)


class AddressSerializer(StrictSerializer):
    """One address of a recipient."""

    kind = serializers.ChoiceField([], help_text="What the channels call it, such as email or phone.")
    value = TextField(
        max_length=MAX_ADDRESS, validators=[fits_an_index], help_text="Stored in one form for each kind."
    )
    is_primary = FlagField(required=False, help_text=PRIMARY)

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["kind"].choices = list(registry.address_kinds())  # type: ignore[attr-defined]
        return fields


def groups_field(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=TextField(max_length=60),
        max_length=MAX_GROUPS,
        help_text="Codes of groups that exist.",
        **kwargs,
    )


class PersonSerializer(StrictSerializer):
    """What may be said of a person. What is left out stays as it is."""

    name = TextField(required=False, allow_blank=True, max_length=200)
    locale = PatternField(
        LOCALE, required=False, allow_blank=True, max_length=35, help_text="Such as en or zh-hans."
    )
    time_zone = TextField(required=False, allow_blank=True, max_length=50, help_text="Such as Asia/Shanghai.")
    groups = groups_field(required=False)
    addresses = serializers.ListField(
        child=AddressSerializer(),
        required=False,
        max_length=MAX_ADDRESSES,
        help_text="All of them; those before go.",
    )


class RecipientSerializer(serializers.ModelSerializer):
    """A person of the directory."""

    groups = serializers.SerializerMethodField(help_text="Codes of groups.")
    addresses = serializers.SerializerMethodField()

    class Meta:
        model = Recipient
        fields = [
            "external_id", "name", "locale", "time_zone", "groups", "addresses", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_groups(self, person: Recipient) -> list[str]:
        return [group.code for group in person.groups.all()]

    def get_addresses(self, person: Recipient) -> list[dict[str, Any]]:
        places = list(person.addresses.all())
        used = {place.kind: place.pk for place in places}
        return [
            {"kind": place.kind, "value": place.value, "is_primary": used[place.kind] == place.pk}
            for place in places
        ]


class RecipientsSerializer(serializers.Serializer):
    """A page of recipients, by external id."""

    items = RecipientSerializer(many=True)
    next = next_cursor()


class RecipientNewSerializer(PersonSerializer):
    """Somebody new."""

    external_id = ExternalIdField()


class AddressedSerializer(PersonSerializer):
    """A person whose id stands in the address of the call."""

    external_id = ExternalIdField(required=False, help_text="If given, the one in the address of the call.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = self.context["external_id"]
        try:
            self.fields["external_id"].run_validation(named)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"external_id": error.detail}) from None
        if attrs.get("external_id", named) != named:
            detail = "The address of the call has another id."
            raise serializers.ValidationError({"external_id": [detail]}, "mismatch")
        return attrs | {"external_id": named}


class RecipientWholeSerializer(AddressedSerializer):
    """A person as a whole. What is left out is empty."""

    def as_values(self) -> dict[str, Any]:
        """Everything that can be said of a person; to be called on a valid serializer."""
        empty = {"name": "", "locale": "", "time_zone": "", "groups": [], "addresses": []}
        return {**empty, **self.validated_data}


class RecipientChangeSerializer(AddressedSerializer):
    """What is to change of a person. What is left out stays as it is."""


class BulkItemSerializer(PersonSerializer):
    """One person of many. What is left out stays as it is; of somebody new it is empty."""

    external_id = ExternalIdField()


class PeopleField(EachByItself):
    """People, each by itself; those who are plainly right are not looked at twice."""

    def value_or_faults(self, item: Any) -> Mapping[str, Any] | Sequence[Fault]:
        return people.plain(item) or super().value_or_faults(item)


class BulkSerializer(StrictSerializer):
    """Thousands of people at once."""

    items = PeopleField(child=BulkItemSerializer(), allow_empty=False, max_length=MAX_ITEMS)
    on_error = serializers.ChoiceField(
        ["reject", "skip"],
        required=False,
        default="reject",
        help_text="`reject`: one fault, and nobody is stored. `skip`: those without a fault are.",
    )


class RefusalSerializer(serializers.Serializer):
    index = serializers.IntegerField(help_text="Place in `items`, from 0.")
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]  # hides the base class's `errors`

    def get_errors(self, refusal: Any) -> list[dict[str, str]]:
        return [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in refusal.errors
        ]


class BulkOutcomeSerializer(serializers.Serializer):
    """What came of thousands of people."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = RefusalSerializer(many=True)


class RecipientQuerySerializer(PageQuerySerializer):
    group = TextField(required=False, max_length=60, help_text="Only members of this group.")
    kind = serializers.ChoiceField([], required=False, help_text="With `address`: its kind.")
    address = TextField(
        required=False, max_length=MAX_ADDRESS, help_text="With `kind`: only who has this address."
    )
    q = TextField(
        required=False, max_length=200, help_text="The beginning of the external id or of the name."
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        fields["kind"].choices = list(registry.address_kinds())  # type: ignore[attr-defined]
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, other in (("kind", "address"), ("address", "kind")):
            if other in attrs and name not in attrs:
                raise serializers.ValidationError({name: f"Give it together with {other}."}, "required")
        return attrs

    def place(self) -> tuple[str, str] | None:
        """The address that is asked for, in its stored form; raises :class:`Rejected` where it is none."""
        values: Mapping[str, str] = self.validated_data
        if "kind" not in values:
            return None
        kind = values["kind"]
        try:
            return kind, registry.address_kinds()[kind].normalise(values["address"])
        except ValueError as error:
            raise Rejected([Fault(pointer="/address", code=f"invalid_{kind}", detail=str(error))]) from None


class PreferenceSerializer(StrictSerializer):
    """A word on a category: on one channel, or on all."""

    category = TextField(max_length=60)
    channel = TextField(required=False, allow_null=True, max_length=40, help_text="Null: on every channel.")
    muted = FlagField()

    def to_representation(self, instance: Wish) -> dict[str, Any]:
        return {
            "category": instance.category, "channel": instance.channel or None, "muted": instance.muted,
        }  # fmt: skip


class PreferencesSerializer(StrictSerializer):
    """All the wishes of a person."""

    preferences = serializers.ListField(child=PreferenceSerializer(), max_length=1000)

    def as_wishes(self) -> list[Wish]:
        """To be called on a valid serializer."""
        return [
            Wish(category=each["category"], channel=each.get("channel") or "", muted=each["muted"])
            for each in self.validated_data["preferences"]
        ]
