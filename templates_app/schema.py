"""What may stand in a version's ``variables``: a JSON Schema of an object, complete in itself."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError


def schema_errors(schema: Any) -> list[str]:
    """Why this cannot be the schema of a template's parameters; empty where it can."""
    if not isinstance(schema, dict):
        return [_("The schema has to be a JSON object.")]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "/"
        return [
            _("Not a JSON Schema, at %(where)s: %(message)s")
            % {"where": where, "message": error.message[:200]}
        ]
    if schema.get("type") != "object":
        return [_('Parameters are an object: write "type": "object".')]
    if strange := [name for name, spec in schema.get("properties", {}).items() if not isinstance(spec, dict)]:
        return [_("Describe the variable %(name)s by an object.") % {"name": strange[0]}]
    # A reference elsewhere would make every send wait for, and trust, another server.
    if any(not reference.startswith("#") for reference in _references(schema)):
        return [_('A "$ref" may only point into this schema: begin it with #.')]
    return []


def declared(schema: dict[str, Any]) -> set[str]:
    return set(schema.get("properties", {}))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(inner, str):
                yield inner
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
