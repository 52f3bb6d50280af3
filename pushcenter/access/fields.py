"""Serializer pieces that are stricter than DRF's own."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from pushcenter.access.problems import MAX_FAULTS, flatten
from pushcenter.faults import Fault

INTEGER = re.compile(r"-?[0-9]{1,18}")
ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class StrictSerializer(serializers.Serializer):
    """Refuses names that it does not know: a misspelt option must not be silently without effect."""

    def to_internal_value(self, data: Any) -> Any:
        # In the order of the request, and no more of them than an answer names.
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        message = f"There is no such field here. Known: {', '.join(self.fields)}."
        errors = {name: [ErrorDetail(message, code="unknown_field")] for name in unknown[:MAX_FAULTS]}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(error.detail | errors) from None  # type: ignore[operator]
        if errors:
            raise serializers.ValidationError(errors)
        return value


class QuerySerializer(StrictSerializer):
    """The parameters of an address: texts, of which some stand for numbers and flags."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({name: self._meant(name, text) for name, text in data.items()})

    def _meant(self, name: str, text: str) -> Any:
        field = self.fields.get(name)
        if isinstance(field, FlagField):
            return {"true": True, "false": False}.get(text, text)
        if isinstance(field, WholeField) and INTEGER.fullmatch(text):
            return int(text)
        return text


class EachByItself(serializers.ListField):
    """A list in which a bad item becomes the list of its faults, and leaves the others alone.

    For calls that take thousands of items, and can go on without the bad ones.
    """

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        # Asked first: nobody looks at a million items to say that they are too many.
        if self.max_length is not None and len(data) > self.max_length:
            raise serializers.ValidationError(
                [f"These are more than {self.max_length:,} items."], "max_length"
            )
        return [self.value_or_faults(item) for item in data]

    def value_or_faults(self, item: Any) -> Mapping[str, Any] | Sequence[Fault]:
        """The value of one item, or what is wrong with it."""
        try:
            values: Mapping[str, Any] = self.child.run_validation(item)
        except serializers.ValidationError as error:
            return list(flatten(error.get_full_details()))
        return values


class TextField(serializers.CharField):
    """A text, and not a number that could be read as one. Its length counts the blanks that are taken off."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class PatternField(TextField, serializers.RegexField):
    """A text of a certain form, to its last character: nothing is taken off."""

    def __init__(self, regex: str, **kwargs: Any) -> None:
        # A dollar sign would let a line end follow.
        super().__init__(regex.removesuffix("$") + r"\Z", trim_whitespace=False, **kwargs)


class CodeField(TextField, serializers.SlugField):
    """A code of letters, digits, hyphens and underscores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)


class FlagField(serializers.BooleanField):
    """True or false, and no word for them."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class WholeField(serializers.IntegerField):
    """A whole number, and no text that could be read as one."""

    def to_internal_value(self, data: Any) -> int:
        is_whole = isinstance(data, int | float) and not isinstance(data, bool) and data == int(data)
        if not is_whole:
            self.fail("invalid")
        return super().to_internal_value(int(data))


class IdField(serializers.UUIDField):
    """An id as we write it: other spellings of the same would be a second name for one thing."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not ID.fullmatch(data):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class DayField(serializers.DateField):
    """A day such as 2030-01-31, in this form alone."""

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class ZonedDateTimeField(serializers.DateTimeField):
    """An ISO 8601 moment with its zone; without one it would mean another moment elsewhere."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            raise serializers.ValidationError(
                "Write a moment such as 2030-01-31T09:00:00+08:00.", "invalid_datetime"
            )
        if moment.tzinfo is None:
            raise serializers.ValidationError("Add the time zone, such as Z or +08:00.", "missing_time_zone")
        return in_utc(moment)


def in_utc(moment: datetime) -> datetime:
    """The same moment; the database knows no zone that is more than 16 hours away."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the beginning or the end of time
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)
