"""The shapes of explanations."""

from rest_framework import serializers

from pushcenter.access.serializers.messages import DeliverySerializer
from pushcenter.access.serializers.problems import ProblemSerializer
from pushcenter.lanes import Lane
from pushcenter.messaging.routing import Choice, Reason
from templates_app.steps import Until


class ExplainedChannelSerializer(serializers.Serializer):
    """What is decided on one channel of the route, and what became of it."""

    channel = serializers.CharField()
    choice = serializers.ChoiceField([each.value for each in Choice])
    reason = serializers.CharField(
        help_text=f"An open list; at present: {', '.join(each.value for each in Reason)}."
    )
    detail = serializers.CharField(
        help_text="More about the reason, such as why an address is suppressed, or what the channel waits for."
    )
    until = serializers.ChoiceField(
        Until.choices,
        allow_null=True,
        help_text="In a chain: with what this channel has succeeded, so that the next one never starts.",
    )
    within = serializers.IntegerField(
        allow_null=True,
        help_text="In a chain: seconds from its first attempt, after which the next one starts all the same.",
    )
    kind = serializers.CharField(help_text="The kind of address that the channel needs.")
    address = serializers.CharField()
    delivery = DeliverySerializer(
        default=None, allow_null=True, help_text="What became of it; null where nothing did yet."
    )


class PauseSerializer(serializers.Serializer):
    """What a message waits for until an operator, or for a batch its system, resumes it."""

    what = serializers.CharField(
        help_text="An open list; at present: template, system, lane, non_critical, batch, brake."
    )
    reason = serializers.CharField()
    since = serializers.DateTimeField()


class ExplainedSerializer(serializers.Serializer):
    """What happens to a message, and why. What cannot be decided is null or empty."""

    accepted = serializers.BooleanField()
    problem = ProblemSerializer(allow_null=True, help_text="What sending would answer instead of 202.")
    template = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    category = serializers.CharField()
    priority = serializers.ChoiceField(Lane.choices, source="lane", allow_blank=True, help_text="The lane.")
    due_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    recipient = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    locale = serializers.CharField()
    paused = PauseSerializer(many=True, help_text="What holds it at this moment; empty where nothing does.")
    channels = ExplainedChannelSerializer(many=True, help_text="In the order of the route.")
