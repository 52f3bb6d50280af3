"""From a variant and its parameters to the content that an adapter sends.

The engine is MiniJinja: it sees plain data only, has fuel against endless loops, and escapes by the kind of
the field: HTML in HTML fields, JSON in JSON fields, nothing in text.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from minijinja import Environment, TemplateError

from channels_app import registry
from channels_app.contract import TextSource
from templates_app.locales import fallbacks
from templates_app.models import TemplateVersion, Variant

FUEL = 200_000
MAX_OUTPUT = 1_000_000


class RenderError(Exception):
    """A template that cannot be rendered. ``line`` counts from 1; 0 where no line is to blame."""

    def __init__(self, message: str, *, line: int = 0, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.field = field

    def __str__(self) -> str:
        where = f"{self.field}, line {self.line}: " if self.line else f"{self.field}: " if self.field else ""
        return where + self.message


@dataclass(frozen=True, slots=True)
class Compiled:
    """One variant, parsed: the engine with a template for each field that is filled in.

    ``names`` are those of the templates by field, ``sources`` the fields as the channel declares them;
    ``constants`` are the choices of the editor, which are the same for everybody.
    """

    engine: Environment
    names: Mapping[str, str]
    sources: Mapping[str, TextSource]
    constants: Mapping[str, Any]

    def render(self, context: dict[str, Any]) -> dict[str, Any]:
        """The content by field; JSON fields as values. Raises :class:`RenderError`."""
        for_text = _without_nulls(context)
        rendered = {
            field: self._field(field, name, _copy(context) if name.endswith(".json") else for_text)
            for field, name in self.names.items()
        }
        return {**self.constants, **rendered}

    def _field(self, field: str, name: str, context: Mapping[str, Any]) -> Any:
        try:
            text = self.engine.render_template(name, **context)
        except TemplateError as error:
            raise RenderError(error.message, line=error.line or 0, field=field) from None
        except Exception as error:  # from a method of a Python value, such as ``{{ list.index(1) }}``
            raise RenderError(f"a call fails with {type(error).__name__}", field=field) from None
        if len(text) > MAX_OUTPUT:
            raise RenderError(f"the result is longer than {MAX_OUTPUT:,} characters", field=field)
        try:
            text = self.sources[field].fit(text)
        except ValueError as error:
            raise RenderError(str(error), field=field) from None
        return _json(text, field) if name.endswith(".json") else text


def _copy(value: Any) -> Any:
    """The same value in containers of its own: a template can call the methods of lists and dicts."""
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _without_nulls(value: Any) -> Any:
    """A copy in which null is like left out: nobody is to read ``Dear None``."""
    if isinstance(value, dict):
        return {
            name: inner if type(inner) is str else _without_nulls(inner)
            for name, inner in value.items()
            if inner is not None
        }
    if isinstance(value, list):
        return ["" if inner is None else _without_nulls(inner) for inner in value]
    return value


def _json(text: str, field: str) -> Any:
    try:
        return _JSON.decode(text)
    except RecursionError:
        raise RenderError("the result is nested too deeply", field=field) from None
    except ValueError as error:
        raise RenderError(f"the result is not JSON: {error}", field=field) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)


def compile_content(channel: str, content: Mapping[str, Any]) -> Compiled:
    """Parse the sources of one variant; raises :class:`RenderError` at the first that is no template."""
    if channel not in registry.channels():
        raise RenderError(f"the channel {channel} is not installed")
    fields = registry.channels()[channel].content.base_fields
    filled = {name: field for name, field in fields.items() if content.get(name)}
    sources = {name: field for name, field in filled.items() if isinstance(field, TextSource)}
    names = {name: f"{name}.{_kind(source)}" for name, source in sources.items()}
    engine = Environment(fuel=FUEL, auto_escape_callback=_escaping, debug=False)
    for field, name in names.items():
        try:
            engine.add_template(name, content[field])
        except TemplateError as error:
            raise RenderError(error.message, line=error.line or 0, field=field) from None
    constants = {name: content[name] for name in filled if name not in sources}
    return Compiled(engine, names, sources, constants)


def _kind(source: TextSource) -> str:
    return "html" if source.html else "json" if source.json else "txt"


def _escaping(name: str) -> str | bool:
    kind = name.rpartition(".")[2]
    return kind if kind in {"html", "json"} else False


def choose_variant(variants: Iterable[Variant], *, channel: str, locale: str) -> Variant | None:
    """The variant for a channel whose locale comes nearest, or None where the channel has none."""
    by_locale = {variant.locale: variant for variant in variants if variant.channel == channel}
    if not by_locale:
        return None
    found = next((by_locale[each] for each in fallbacks(locale) if each in by_locale), None)
    # Better in another language than not at all.
    return found or by_locale[min(by_locale)]


@lru_cache(maxsize=512)
def parsed(variant: Variant) -> Compiled:
    """A variant of a published version, parsed once: it never changes."""
    return compile_content(variant.channel, variant.content)


def render_variant(variant: Variant, context: dict[str, Any], *, published: bool) -> dict[str, Any]:
    """The content of one variant; raises :class:`RenderError`."""
    compiled = parsed(variant) if published else compile_content(variant.channel, variant.content)
    return compiled.render(context)


def render(version: TemplateVersion, *, channel: str, locale: str, params: dict[str, Any]) -> dict[str, Any]:
    """What a version says on a channel; raises :class:`RenderError`, also where it has no such variant."""
    variant = choose_variant(version.variants.all(), channel=channel, locale=locale)
    if variant is None:
        raise RenderError(f"there is no variant for the channel {channel}")
    return render_variant(variant, params, published=version.is_final)


def compile_errors(source: str) -> list[tuple[int, str]]:
    """Syntax errors of one source as ``(line, message)``."""
    try:
        Environment(debug=False).add_template("source.txt", source)
    except TemplateError as error:
        return [(error.line or 0, error.message)]
    return []


def undeclared(source: str) -> set[str]:
    """The names of the variables that a source uses; empty where it does not parse."""
    try:
        return set(Environment(debug=False).undeclared_variables_in_str(source))
    except TemplateError:
        return set()
