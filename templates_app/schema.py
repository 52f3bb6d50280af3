"""What may stand in a version's ``variables``: a JSON Schema of an object, complete in itself."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from templates_app.patterns import BoundedValidator, is_usable, patterns


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
    if any(not reference.startswith("#") for reference in references(schema)):
        return [_('A "$ref" may only point into this schema: begin it with #.')]
    if lost := [reference for reference in references(schema) if not _leads_somewhere(reference, schema)]:
        return [_('The "$ref" %(reference)s points to nothing in this schema.') % {"reference": lost[0]}]
    if hard := [pattern for pattern in patterns(schema) if not is_usable(pattern)]:
        message = f"{hard[0][:200]!r} is too large, or of a kind that cannot be matched in bounded time"
        return [_("Not a JSON Schema, at %(where)s: %(message)s") % {"where": "pattern", "message": message}]
    return _circles(schema)


def _leads_somewhere(reference: str, schema: dict[str, Any]) -> bool:
    resource = DRAFT202012.create_resource(schema)
    try:
        Registry().with_resource("", resource).crawl().resolver("").lookup(reference)
    except Unresolvable:
        return False
    return True


def _circles(schema: dict[str, Any]) -> list[str]:
    try:
        list(BoundedValidator(schema, registry=Registry()).iter_errors({}))
    except (Unresolvable, RecursionError):
        return [_('A "$ref" of this schema leads in a circle.')]
    return []


def declared(schema: dict[str, Any]) -> set[str]:
    return set(schema.get("properties", {}))


def references(value: Any) -> Iterator[str]:
    """Every reference in a schema, wherever it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(inner, str):
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
