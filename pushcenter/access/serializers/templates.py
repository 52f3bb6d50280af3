"""The shapes of templates, as systems see them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pushcenter.access.fields import PatternField, StrictSerializer, TextField
from pushcenter.access.paging import PageQuerySerializer, next_cursor
from pushcenter.access.serializers.messages import LOCALE
from pushcenter.access.serializers.recipients import ExternalIdField
from pushcenter.lanes import Lane
from templates_app import steps
from templates_app.models import RouteMode, TemplateVersion
from templates_app.steps import Until


class TemplateQuerySerializer(PageQuerySerializer):
    q = TextField(required=False, max_length=150, help_text="A part of the code or of the name, in any case.")


class TemplateSerializer(serializers.Serializer):
    """A template that can be sent."""

    code = serializers.CharField(source="template.code")
    name = serializers.CharField(source="template.name")
    category = serializers.CharField(source="template.category.code")
    priority = serializers.ChoiceField(Lane.choices, source="template.priority")
    route = serializers.ChoiceField(
        RouteMode.choices,
        source="template.route_mode",
        help_text="`all`: every channel at once. `first`: one after another, until one succeeds (`steps`).",
    )
    channels = serializers.ListField(
        child=serializers.CharField(), source="template.channels", help_text="In the order of the route."
    )
    version = serializers.IntegerField(source="number", help_text="Number of the published version.")


class TemplatesSerializer(serializers.Serializer):
    """A page of templates, by code."""

    items = TemplateSerializer(many=True)
    next = next_cursor()


class StepSerializer(serializers.Serializer):
    """One channel of a chain."""

    channel = serializers.CharField()
    until = serializers.ChoiceField(
        Until.choices, help_text="With what it has succeeded, so that the next channel never starts."
    )
    within = serializers.IntegerField(
        allow_null=True,
        help_text="Seconds from its first attempt, after which the next channel starts all the same; null: none.",
    )
    told = serializers.CharField(
        help_text="The same in words, such as until email is delivered, at most 10 minutes."
    )


class TemplateDetailSerializer(TemplateSerializer):
    """A template with what its parameters have to be."""

    steps = serializers.SerializerMethodField(
        help_text="What each channel of the route `first` waits for, in their order; empty for `all`."
    )
    time_to_live = serializers.IntegerField(
        source="template.time_to_live",
        allow_null=True,
        help_text="Seconds after which a message is late; null: the installation's.",
    )
    variables = serializers.DictField(help_text="A JSON Schema (2020-12) of `params`.")
    sample = serializers.DictField(help_text="Parameters to try it with.")
    locales = serializers.SerializerMethodField(
        help_text="For each channel the languages that it is written in; the empty one is for everybody else."
    )

    @extend_schema_field(StepSerializer(many=True))
    def get_steps(self, version: TemplateVersion) -> list[dict[str, Any]]:
        template = version.template
        if template.route_mode != RouteMode.FIRST:
            return []
        return [
            {"channel": name, **step.as_json(), "told": steps.told(name, step.until, step.within)}
            for name, step in steps.chain(template.steps, template.channels)
        ]

    def get_locales(self, version: TemplateVersion) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for variant in sorted(version.variants.all(), key=lambda each: (each.channel, each.locale)):
            found.setdefault(variant.channel, []).append(variant.locale)
        return found


class PreviewSerializer(StrictSerializer):
    """What to show of a template."""

    params = serializers.DictField(required=False, help_text="Otherwise the template's sample.")
    channel = TextField(required=False, max_length=40, help_text="Otherwise every channel.")
    locale = PatternField(
        LOCALE, required=False, max_length=35, help_text="Otherwise the recipient's, or every language."
    )
    recipient = ExternalIdField(
        required=False,
        help_text="For whom; needs the scope `recipients`, too. Otherwise a made-up person.",
    )


class RenderedSerializer(serializers.Serializer):
    """What is said on one channel in one language."""

    channel = serializers.CharField()
    locale = serializers.CharField(help_text="Empty: the variant for everybody else.")
    content = serializers.DictField(
        allow_null=True, help_text="By field of the channel; null where it cannot be rendered."
    )
    error = serializers.CharField(help_text="Why it cannot be rendered; otherwise empty.")


class PreviewedSerializer(serializers.Serializer):
    """A template with these parameters."""

    template = serializers.CharField()
    version = serializers.IntegerField()
    params = serializers.DictField(help_text="As given, or the sample.")
    contents = RenderedSerializer(many=True)
