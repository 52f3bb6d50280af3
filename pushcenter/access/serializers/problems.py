"""The shape of every error (RFC 9457)."""

from rest_framework import serializers


class FaultSerializer(serializers.Serializer):
    pointer = serializers.CharField(help_text="JSON Pointer (RFC 6901) to what is wrong.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = FaultSerializer(many=True)  # type: ignore[assignment]  # as above, for `errors`
