"""The shapes of groups and their members."""

from typing import Any

from rest_framework import serializers

from pushcenter.access.fields import CodeField, StrictSerializer, TextField
from pushcenter.access.paging import next_cursor
from pushcenter.access.serializers.recipients import MAX_ITEMS


class GroupSerializer(serializers.Serializer):
    """A group of recipients."""

    code = serializers.CharField()
    name = serializers.CharField()
    members = serializers.IntegerField(help_text="How many people belong to it.")


class GroupsSerializer(serializers.Serializer):
    """A page of groups, by code."""

    items = GroupSerializer(many=True)
    next = next_cursor()


class GroupNewSerializer(StrictSerializer):
    code = CodeField(max_length=60, help_text="Letters, digits, hyphens and underscores. It never changes.")
    name = TextField(max_length=100)


class GroupRenameSerializer(StrictSerializer):
    name = TextField(max_length=100)


def people(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=TextField(max_length=200, trim_whitespace=False),
        required=False,
        default=list,
        max_length=MAX_ITEMS,
        help_text=help_text,
    )


class MoveSerializer(StrictSerializer):
    """Who is to come into a group, and who is to leave it, by external ids."""

    add = people("Each has to be in the directory.")
    remove = people("Who is not a member, or not known, changes nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["add"] and not attrs["remove"]:
            raise serializers.ValidationError("Name somebody to add or to remove.", "empty")
        return attrs


class MovedSerializer(serializers.Serializer):
    added = serializers.IntegerField(help_text="How many were not members before.")
    removed = serializers.IntegerField(help_text="How many were.")


class MemberSerializer(serializers.Serializer):
    """A member of a group."""

    external_id = serializers.CharField()
    name = serializers.CharField()


class MembersSerializer(serializers.Serializer):
    """A page of members, by external id."""

    items = MemberSerializer(many=True)
    next = next_cursor()
