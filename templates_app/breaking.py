"""What callers of a template have to change, or lose, when another version takes the place of the published one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from templates_app.models import TemplateVersion

#: Keywords of JSON Schema that refuse nothing.
HARMLESS = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "$comment", "type", "enum"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One thing that was good before and is refused, or lost, from now on.

    ``kind`` is ``required``, ``removed``, ``narrowed``, ``channel`` or ``language``; ``name`` the variable, channel or
    language; ``text`` says it in a sentence.
    """

    kind: str
    name: str
    text: str


def breaks(before: TemplateVersion, after: TemplateVersion) -> list[Break]:
    """All of them, those of the parameters first."""
    return [*_of_schemas(before.variables, after.variables), *_of_variants(before, after)]


def _of_schemas(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Break]:
    old, new = before.get("properties", {}), after.get("properties", {})
    for name in sorted(set(after.get("required", [])) - set(before.get("required", []))):
        text = _("“%(name)s” becomes required: calls without it are refused.") % {"name": name}
        yield Break(kind="required", name=name, text=text)
    if after.get("additionalProperties", True) is False:
        for name in sorted(set(old) - set(new)):
            text = _("“%(name)s” is no longer known: calls with it are refused.") % {"name": name}
            yield Break(kind="removed", name=name, text=text)
    for name in sorted(set(old) & set(new)):
        if _is_narrower(old[name], new[name]):
            text = _("“%(name)s” takes less than before: calls can be refused.") % {"name": name}
            yield Break(kind="narrowed", name=name, text=text)


def _is_narrower(before: Any, after: Any) -> bool:
    """Whether some value was good and is refused now; where that is not clear, yes."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return bool(before != after)
    if not _types(before) <= _types(after):
        return True
    if "enum" in after and not ("enum" in before and all(value in after["enum"] for value in before["enum"])):
        return True
    return any(before.get(key) != value for key, value in after.items() if key not in HARMLESS)


ALL_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


def _types(spec: Mapping[str, Any]) -> frozenset[str]:
    named = spec.get("type")
    if named is None:
        return ALL_TYPES
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def _of_variants(before: TemplateVersion, after: TemplateVersion) -> Iterator[Break]:
    old, new = _written(before), _written(after)
    for channel in sorted({each[0] for each in old} - {each[0] for each in new}):
        text = _("It says nothing on the channel %(channel)s any more.") % {"channel": channel}
        yield Break(kind="channel", name=channel, text=text)
    kept = {each[0] for each in new}
    for channel, locale in sorted(each for each in old - new if each[0] in kept and each[1]):
        text = _("On the channel %(channel)s it is no longer written in %(locale)s.") % {
            "channel": channel,
            "locale": locale,
        }
        yield Break(kind="language", name=locale, text=text)


def _written(version: TemplateVersion) -> set[tuple[str, str]]:
    return set(version.variants.values_list("channel", "locale"))
