"""From a variant and its parameters to the content that an adapter sends.

The engine is MiniJinja: it sees plain data only, has fuel against endless loops, and escapes by the kind of
the field: HTML in HTML fields, JSON in JSON fields, nothing in text. What else bounds a source is in ``bounds``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NoReturn

import msgspec
from django.utils.translation import gettext
from minijinja import Environment, TemplateError

from channels_app.contract import TextSource, has_markup
from pushcenter.retold import retold
from templates_app import bounds, parts
from templates_app.flat import Line
from templates_app.links import FILTERS
from templates_app.locales import nearest
from templates_app.models import TemplateVersion, Variant
from templates_app.part_forms import carries_way_out, form_of
from templates_app.plain import with_nulls, without_nulls
from templates_app.preparing import CAUSE, PLACE, check, origin, prepared
from templates_app.source import SourceError
from templates_app.variables import WAY_OUT

FUEL = 200_000
MAX_OUTPUT = 1_000_000


class RenderError(Exception):
    """A template that cannot be rendered. ``line`` counts from 1; 0 where no line is to blame.

    ``part`` is the code of the layout or snippet whose line it is; empty where it is the field's own.
    """

    def __init__(self, message: str, *, line: int = 0, field: str = "", part: str = "") -> None:
        super().__init__(message)
        self.message = retold(message)  # workers, whose language is that of the source, leave it as it is
        self.line = line
        self.field = field
        self.part = part

    def __str__(self) -> str:
        places = [
            self.field,
            gettext("in %(part)s") % {"part": self.part} if self.part else "",
            gettext("line %(number)s") % {"number": self.line} if self.line else "",
        ]
        where = ", ".join(each for each in places if each)
        return f"{where}: {self.message}" if where else self.message


@dataclass(frozen=True, slots=True)
class Compiled:
    """One variant, parsed: the engine with a template for each field that is filled in.

    ``names`` are those of the templates by field, ``sources`` the fields as the channel declares them;
    ``constants`` is what is the same for everybody, the choices of the editor among it; ``origins`` are the templates
    as ``bounds`` numbers them, and ``lines`` where the lines of those come from that were made of another text.
    ``leads_out`` tells whether a message shows or carries the way out of its category.
    """

    engine: Environment
    names: Mapping[str, str]
    sources: Mapping[str, TextSource]
    constants: Mapping[str, Any]
    origins: Sequence[str]
    lines: Mapping[str, Sequence[Line]]
    leads_out: bool

    def render(self, context: dict[str, Any], *, has_nulls: bool = True) -> dict[str, Any]:
        """The content by field; JSON fields as values. Raises :class:`RenderError`.

        Without ``has_nulls`` there is no null in the context, so that it is made ready once for all kinds of fields.
        """
        try:
            rendered = self._fields(context, has_nulls=has_nulls)
        except RecursionError:
            raise RenderError("the parameters are nested too deeply") from None
        return {**self.constants, **rendered}

    def shortened(self, sources: Mapping[str, str]) -> "Compiled":
        """The same, with what is the same for everybody rendered once and for all: texts without a mark of the engine.

        ``sources`` are the texts by template. What cannot be rendered is left to fail for each message.
        """
        said = {}
        for field, name in self.names.items():
            if not name.endswith(".json") and not has_markup(sources[name]):
                with suppress(RenderError):
                    said[field] = self._field(field, name, {})
        names = {field: name for field, name in self.names.items() if field not in said}
        return replace(self, names=names, constants={**self.constants, **said})

    def _fields(self, context: Mapping[str, Any], *, has_nulls: bool) -> dict[str, Any]:
        for_text = {
            name: value if type(value) is str else without_nulls(value)
            for name, value in context.items()
            if value is not None
        }
        for_json = for_text
        if has_nulls and any(name.endswith(".json") for name in self.names.values()):
            for_json = {name: with_nulls(value) for name, value in context.items()}
        return {
            field: self._field(field, name, for_json if name.endswith(".json") else for_text)
            for field, name in self.names.items()
        }

    def _field(self, field: str, name: str, context: Mapping[str, Any]) -> Any:
        try:
            text = self.engine.render_template(name, **context)
        except TemplateError as error:
            raise self._located(error, field) from None
        except bounds.NotPlain as error:
            part = _part(self.origins[error.number])
            raise RenderError(str(error), line=error.line, field=field, part=part) from None
        except Exception as error:  # from a method of a value, such as ``{{ order.get() }}``
            raise RenderError(f"a call fails with {type(error).__name__}", field=field) from None
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # how Rust says that it met a bug of its own
                raise
            raise RenderError("the engine cannot render this", field=field) from None
        if len(text) > MAX_OUTPUT:
            raise RenderError(f"the result is longer than {MAX_OUTPUT:,} characters", field=field)
        try:
            text = self.sources[field].fit(text)
        except ValueError as error:
            raise RenderError(str(error), field=field) from None
        return _json(text, field) if name.endswith(".json") else text

    def _located(self, error: TemplateError, field: str) -> RenderError:
        """The engine's error with its place; one from within a part tells what happened there."""
        message, name, line = error.message, error.name or "", error.line or 0
        if causes := CAUSE.findall(str(error)):
            message, name, line = causes[-1][0], causes[-1][1], int(causes[-1][2])
        if name in self.lines:
            name, line = origin(self.lines[name], line)
        return RenderError(PLACE.sub("", message), line=line, field=field, part=_part(name))


def _part(name: str) -> str:
    """The code of the part that the engine knows by a name; empty for a field's own template."""
    return "" if name.startswith("@") else name.rpartition(".")[0]


def _json(text: str, field: str) -> Any:
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        return _quick_json(text)
    try:  # what the quick one does not take has a clear error here, and some of it none
        return _JSON.decode(text)
    except RecursionError:
        raise RenderError("the result is nested too deeply", field=field) from None
    except ValueError as error:
        raise RenderError(f"the result is not JSON: {error}", field=field) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)
_quick_json = msgspec.json.Decoder().decode


def compile_content(channel: str, content: Mapping[str, Any], *, parts: Mapping[str, str] = {}) -> Compiled:
    """Parse the sources of one variant; raises :class:`RenderError` at the first that is no template.

    ``parts`` are the sources of layouts and snippets by the engine's names, such as ``brand.html``.
    """
    form = form_of(channel)
    if form is None:
        raise RenderError(f"the channel {channel} is not installed")
    filled = {name: field for name, field in form.base_fields.items() if content.get(name)}
    sources = {name: field for name, field in filled.items() if isinstance(field, TextSource)}
    names = {name: f"@{name}.{_kind(source)}" for name, source in sources.items()}
    fields = {name: field for field, name in names.items()}
    links = {names[name]: source.link for name, source in sources.items() if source.link}
    try:
        ready = prepared({names[name]: content[name] for name in names}, parts, links)
    except SourceError as error:
        field = fields.get(error.source, "")
        part = "" if field else _part(error.source)
        raise RenderError(error.message, line=error.line, field=field, part=part) from None
    engine = _engine()
    for name, source in ready.sources.items():
        engine.add_template(name, source)
    constants = {name: content[name] for name in filled if name not in sources}
    leads_out = carries_way_out(channel) or any(WAY_OUT in source for source in ready.sources.values())
    compiled = Compiled(engine, names, sources, constants, ready.origins, ready.lines, leads_out)
    return compiled.shortened(ready.sources)


def _engine() -> Environment:
    engine = Environment(
        fuel=FUEL,
        auto_escape_callback=_escaping,
        path_join_callback=lambda name, parent: name + parts.ending(parent),
        debug=False,
    )
    for name, function in {bounds.PLAIN: bounds.plain, **FILTERS}.items():
        engine.add_filter(name, function)
    for name in bounds.REMOVED_FILTERS:
        engine.remove_filter(name)
    for name in bounds.REMOVED_FUNCTIONS:
        engine.remove_global(name)
    return engine


def _kind(source: TextSource) -> str:
    return "html" if source.html else "json" if source.json else "txt"


def _escaping(name: str) -> str | bool:
    kind = name.rpartition(".")[2]
    return kind if kind in {"html", "json"} else False


def choose_variant(variants: Iterable[Variant], *, channel: str, locale: str) -> Variant | None:
    """The variant for a channel whose locale comes nearest, or None where the channel has none."""
    by_locale = {variant.locale: variant for variant in variants if variant.channel == channel}
    return by_locale[nearest(locale, by_locale)] if by_locale else None


@lru_cache(maxsize=512)
def parsed(variant: Variant) -> Compiled:
    """A variant of a published version, parsed once with its pinned parts: neither ever changes."""
    return _compile(variant)


def _compile(variant: Variant) -> Compiled:
    return compile_content(variant.channel, variant.content, parts=parts.of_variant(variant))


def render_variant(variant: Variant, context: dict[str, Any], *, published: bool) -> dict[str, Any]:
    """The content of one variant; raises :class:`RenderError`."""
    return (parsed(variant) if published else _compile(variant)).render(context)


def render(version: TemplateVersion, *, channel: str, locale: str, params: dict[str, Any]) -> dict[str, Any]:
    """What a version says on a channel; raises :class:`RenderError`, also where it has no such variant."""
    variant = choose_variant(version.variants.all(), channel=channel, locale=locale)
    if variant is None:
        raise RenderError(f"there is no variant for the channel {channel}")
    return render_variant(variant, params, published=version.is_final)


def compile_errors(source: str) -> list[tuple[int, str]]:
    """Why one source is no template, as ``(line, message)``; whether its parts are there is another question."""
    try:
        check(source)
        bounds.bounded({"": source})
    except SourceError as error:
        return [(error.line, retold(error.message))]
    return []


def undeclared(source: str) -> set[str]:
    """The names of the variables that a source uses; empty where it does not parse."""
    if compile_errors(source):
        return set()
    return set(Environment(debug=False).undeclared_variables_in_str(source))
