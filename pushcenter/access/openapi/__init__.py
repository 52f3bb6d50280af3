"""What drf-spectacular cannot see for itself: the key, and that our fields are stricter than DRF's."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

#: A text that has more than blanks in it: what Python takes for a blank, written so that every dialect does.
NOT_BLANK = r"[^\s\u001c-\u001f\u0085]"


class KeyScheme(OpenApiAuthenticationExtension):
    """The API key, as OpenAPI names it."""

    target_class = "pushcenter.access.authentication.KeyAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "pc_live_… or pc_test_…",
            "description": "An API key of your system. A test key runs the whole pipeline and reaches nobody.",
        }


class StrictShape(OpenApiSerializerExtension):
    """A shape that refuses names it does not know."""

    target_class = "pushcenter.access.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001 - as its documentation says
        return {**schema, "additionalProperties": False} if direction == "request" else schema


class TextShape(OpenApiSerializerFieldExtension):
    """A text that may not be blank."""

    target_class = "pushcenter.access.fields.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = usual(self.target, auto_schema, direction)
        if direction == "response" or self.target.allow_blank:
            return schema
        pattern = {"pattern": NOT_BLANK} if self.target.trim_whitespace else {}
        return {"minLength": 1, **pattern, **schema}


class ListShape(OpenApiSerializerFieldExtension):
    """A list that may not be empty."""

    target_class = "rest_framework.serializers.ListField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = usual(self.target, auto_schema, direction)
        return schema if self.target.allow_empty else {**schema, "minItems": 1}


def usual(field: Any, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
    """What a field would be without an extension, but for null, which comes to it afterwards."""
    schema: dict[str, Any] = auto_schema._map_serializer_field(field, direction, bypass_extensions=True)  # noqa: SLF001 - as its documentation says
    if isinstance(schema.get("type"), list):
        [schema["type"]] = [each for each in schema["type"] if each != "null"]
    return schema
