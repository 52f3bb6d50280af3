"""The shapes of a recipient's inbox."""

from rest_framework import serializers

from pushcenter.access.fields import FlagField, IdField, QuerySerializer, StrictSerializer, WholeField


class InboxEntrySerializer(serializers.Serializer):
    """One entry of a recipient's inbox."""

    id = serializers.UUIDField()
    message = serializers.UUIDField()
    template = serializers.CharField()
    category = serializers.CharField()
    title = serializers.CharField()
    body = serializers.CharField()
    link = serializers.CharField()
    delivered_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class InboxSerializer(serializers.Serializer):
    """A page of an inbox; ``next`` is the cursor of the following page, or null."""

    entries = InboxEntrySerializer(many=True)
    unread = serializers.IntegerField()
    next = serializers.UUIDField(allow_null=True)


class InboxQuerySerializer(QuerySerializer):
    cursor = IdField(required=False, help_text="The `next` of the page before.")
    unread = FlagField(required=False, default=False, help_text="Only unread entries.")
    limit = WholeField(required=False, min_value=1, max_value=200, default=50)


class MarkReadSerializer(StrictSerializer):
    """Which entries were read: these, or all where no ids are given."""

    ids = serializers.ListField(child=IdField(), required=False, allow_empty=False, max_length=1000)


class MarkedSerializer(serializers.Serializer):
    marked = serializers.IntegerField(help_text="How many were unread before.")
    unread = serializers.IntegerField(help_text="How many are unread now.")


class UnreadSerializer(serializers.Serializer):
    unread = serializers.IntegerField()


class ArchiveSerializer(StrictSerializer):
    """Which entries are to be put away."""

    ids = serializers.ListField(child=IdField(), allow_empty=False, max_length=1000)


class ArchivedSerializer(serializers.Serializer):
    archived = serializers.IntegerField(help_text="How many were in the inbox before.")
    unread = serializers.IntegerField(help_text="How many are unread now.")
