"""The parameters of a version: its JSON Schema held against what a caller gives."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NoReturn
from uuid import UUID

import jsonschema_rs
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from pushcenter.faults import Fault, pointer
from templates_app.models import TemplateVersion
from templates_app.patterns import QUICK, BoundedValidator, counted
from templates_app.schema import references
from templates_app.spelling import nearest

#: The name under which a template finds the way out of its category.
WAY_OUT = "unsubscribe_url"
#: Names that every template can use besides its own variables.
PROVIDED = frozenset({"recipient", WAY_OUT})
#: So many unknown names are named.
MAX_UNKNOWN = 20


class Check:
    """The schema of one version, compiled: what parameters have to be, and what they are where they are missing."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._explaining = validator(schema)
        self._quick = _quick(schema)
        self._defaults = {
            name: spec["default"]
            for name, spec in schema.get("properties", {}).items()
            if isinstance(spec, Mapping) and "default" in spec
        }

    def faults(self, params: Mapping[str, Any]) -> list[Fault]:
        """Every fault in the parameters, each with a pointer below ``/params``."""
        # Sixty times as fast as the library that explains, which is asked only where something is to explain.
        if self._is_surely_valid(params):
            return []
        errors = self._explaining.iter_errors(params)
        try:
            with counted() as given_up:
                # Dict keys, because the library reports each missing name of one list apart.
                found = list(dict.fromkeys(fault for error in errors for fault in _explain(error)))
            # Also where what is given up stands below a "not": nothing passes that could not be looked at.
            return found or [_too_intricate(pattern) for pattern in given_up[:1]]
        except (Unresolvable, RecursionError):  # a reference that leads nowhere, or in a circle
            detail = _("The template's schema cannot be followed to its end; its author has to mend it.")
            return [Fault(pointer="/params", code="unusable_schema", detail=detail)]

    def _is_surely_valid(self, params: Mapping[str, Any]) -> bool:
        return self._quick is not None and bool(self._quick.is_valid(params))

    def with_defaults(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters, and the schema's ``default`` where one is missing."""
        return {**self._defaults, **params} if self._defaults else params


def _quick(schema: Mapping[str, Any]) -> Any:
    """The same schema in a validator that only says yes or no; None where that one cannot take it in bounded time."""
    if any(references(schema)):  # one may lead in a circle, of which the two think differently
        return None
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, retriever=_fetch_nothing, pattern_options=QUICK
        )
    except ValueError:  # a pattern that it does not know, or a large one
        return None


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is elsewhere")


@lru_cache(maxsize=512)
def _published(version_id: UUID) -> Check:
    # A published version never changes, so what was compiled once stays right.
    return Check(TemplateVersion.objects.only("variables").get(pk=version_id).variables)


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    # An empty registry: a schema that refers to another one elsewhere is never fetched.
    return BoundedValidator(dict(schema), format_checker=FormatChecker(), registry=Registry())


def check_of(version: TemplateVersion) -> Check:
    """What the parameters of a version have to be."""
    return _published(version.pk) if version.is_final else Check(version.variables)


def faults(version: TemplateVersion, params: Mapping[str, Any]) -> list[Fault]:
    """Every fault in the parameters, each with a pointer below ``/params``."""
    return check_of(version).faults(params)


def with_defaults(version: TemplateVersion, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters, and the schema's ``default`` where one is missing."""
    return check_of(version).with_defaults(params)


def _explain(error: ValidationError) -> Iterator[Fault]:
    path = ("params", *error.absolute_path)
    given: Any = error.instance
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "required":
        for name in sorted(set(schema["required"]) - set(given)):
            detail = _("%(name)s is required.") % {"name": name}
            yield Fault(pointer=pointer(*path, name), code="missing_variable", detail=detail)
    elif error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        # No more than anybody reads: a body can have many thousands of names.
        for name in sorted(set(given) - set(known))[:MAX_UNKNOWN]:
            yield Fault(pointer=pointer(*path, name), code="unknown_variable", detail=_unknown(name, known))
    else:
        yield Fault(pointer=pointer(*path), code="invalid_variable", detail=_sentence(error))


def _too_intricate(pattern: str) -> Fault:
    rule = {"rule": "pattern", "value": repr(pattern)}
    detail = (_("This does not hold to %(rule)s: %(value)s") % rule)[:300]
    return Fault(pointer="/params", code="invalid_variable", detail=detail)


def _unknown(name: str, known: list[str]) -> str:
    near = nearest(name, known)
    known_as = {"name": repr(name), "near": near}
    if near:
        return _("The template has no variable %(name)s. Did you mean %(near)s?") % known_as
    return _("The template has no variable %(name)s.") % known_as


def _sentence(error: ValidationError) -> str:
    if error.validator == "type":
        wanted = error.validator_value
        types = (
            pgettext("between words of a list", " or ").join(wanted) if isinstance(wanted, list) else wanted
        )
        return _("This must be of type %(types)s.") % {"types": types}
    # The library's sentence repeats the whole value first; people need the rule.
    rule = {"rule": error.validator, "value": repr(error.validator_value)}
    return (_("This does not hold to %(rule)s: %(value)s") % rule)[:300]
