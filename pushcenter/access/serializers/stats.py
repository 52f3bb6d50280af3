"""The shapes of figures."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from analytics_app.models import MEASURES
from analytics_app.query import EARLIEST, LATEST, LONGEST
from analytics_app.report import Figures, Line
from pushcenter.access.fields import DayField, QuerySerializer, TextField

#: Every hour is a row.
LONGEST_BY_HOUR = timedelta(days=31)
DEFAULT_DAYS = 30


class StatsQuerySerializer(QuerySerializer):
    channel = TextField(required=False, max_length=40)
    template = TextField(required=False, max_length=80, help_text="Code of a template.")
    group = serializers.ChoiceField(["day", "hour", "channel", "template"], required=False, default="day")

    def get_fields(self) -> dict[str, serializers.Field]:
        days: dict[str, serializers.Field] = {
            "from": DayField(required=False, help_text="First day; otherwise 30 days up to `to`."),
            "to": DayField(required=False, help_text="Last day; otherwise today."),
        }
        return days | super().get_fields()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = self._days(attrs)
        longest = LONGEST_BY_HOUR if attrs["group"] == "hour" else LONGEST
        if first > last:
            raise serializers.ValidationError({"to": ["This day lies before `from`."]}, "too_early")
        if last - first >= longest:
            detail = f"These are more than {longest.days} days."
            raise serializers.ValidationError({"from": [detail]}, "too_long")
        return attrs | {"first": first, "last": last}

    def _days(self, attrs: dict[str, Any]) -> tuple[date, date]:
        for name in ("from", "to"):
            if name in attrs and not EARLIEST <= attrs[name] <= LATEST:
                detail = "There are no figures of that year."
                raise serializers.ValidationError({name: [detail]}, "no_such_year")
        last = attrs.get("to") or max(timezone.localdate(), attrs.get("from", EARLIEST))
        return attrs.get("from") or last - timedelta(days=DEFAULT_DAYS - 1), last


class RatesSerializer(serializers.Serializer):
    """Shares between 0 and 1 of what was sent; null where nothing was."""

    reach = serializers.FloatField(allow_null=True, help_text="delivered / sent")
    open = serializers.FloatField(allow_null=True, help_text="opened / sent")
    click = serializers.FloatField(allow_null=True, help_text="clicked / sent")
    conversion = serializers.FloatField(allow_null=True, help_text="converted / sent")


class FiguresSerializer(serializers.Serializer):
    """Deliveries by what became of them, and the rates that follow."""

    def get_fields(self) -> dict[str, serializers.Field]:
        measures: dict[str, serializers.Field] = {name: serializers.IntegerField() for name in MEASURES}
        return super().get_fields() | measures | {"rates": RatesSerializer()}

    def to_representation(self, instance: Figures) -> dict[str, Any]:
        rates = {
            "reach": instance.delivered_rate,
            "open": instance.opened_rate,
            "click": instance.clicked_rate,
            "conversion": instance.converted_rate,
        }
        shares = {name: None if rate is None else round(rate / 100, 6) for name, rate in rates.items()}
        return {name: instance.sums[name] for name in MEASURES} | {"rates": shares}


class LineSerializer(FiguresSerializer):
    """The figures of one day, hour, channel or template."""

    key = serializers.CharField(help_text="The day, the hour (UTC), the channel, or the template's code.")

    def to_representation(self, instance: Line) -> dict[str, Any]:  # type: ignore[override]
        return {"key": instance.key, **super().to_representation(instance.figures)}


class StatsSerializer(serializers.Serializer):
    """The figures of a system."""

    time_zone = serializers.CharField(help_text="Whose days these are.")
    group = serializers.CharField()
    items = LineSerializer(many=True)
    total = FiguresSerializer()

    def get_fields(self) -> dict[str, serializers.Field]:
        days: dict[str, serializers.Field] = {
            "from": serializers.DateField(source="query.first"),
            "to": serializers.DateField(source="query.last"),
        }
        return days | super().get_fields()
