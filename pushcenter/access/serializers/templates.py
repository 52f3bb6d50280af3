"""The shapes of templates, as systems see them."""

from rest_framework import serializers

from pushcenter.access.fields import PatternField, StrictSerializer, TextField
from pushcenter.access.paging import PageQuerySerializer, next_cursor
from pushcenter.access.serializers.messages import LOCALE
from pushcenter.access.serializers.recipients import ExternalIdField
from pushcenter.lanes import Lane
from templates_app.models import RouteMode, TemplateVersion


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
        help_text="`all`: every channel at once. `first`: one after another, until one succeeds.",
    )
    channels = serializers.ListField(
        child=serializers.CharField(), source="template.channels", help_text="In the order of the route."
    )
    version = serializers.IntegerField(source="number", help_text="Number of the published version.")


class TemplatesSerializer(serializers.Serializer):
    """A page of templates, by code."""

    items = TemplateSerializer(many=True)
    next = next_cursor()


class TemplateDetailSerializer(TemplateSerializer):
    """A template with what its parameters have to be."""

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
