"""A draft made ready to be looked at: each field that is filled in, and each variant with each sample."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from channels_app.contract import TextSource
from templates_app.lint.draft import Draft, Written
from templates_app.lint.page import Page, page_of
from templates_app.part_forms import form_of
from templates_app.parts import reached
from templates_app.preparing import prepared
from templates_app.preview import LEAVE, PERSON
from templates_app.render import Compiled, RenderError, compile_content, compile_errors
from templates_app.schema import schema_errors
from templates_app.source import SourceError
from templates_app.uses import Use, uses
from templates_app.variables import Check


@dataclass(frozen=True, eq=False)
class Text:
    """One field of a variant that people write as a template."""

    channel: str
    locale: str
    field: str
    source: str
    declared: TextSource
    parts: Mapping[str, str]

    @property
    def label(self) -> str:
        return str(self.declared.label)

    @property
    def is_html(self) -> bool:
        return self.declared.html

    @property
    def is_plain(self) -> bool:
        """Words for people, neither HTML nor JSON."""
        return not self.declared.html and not self.declared.json

    @cached_property
    def page(self) -> Page:
        """Its elements; none where it is no template, for then nobody knows what is HTML in it."""
        return Page([]) if self.errors else page_of(self.source)

    @cached_property
    def styled(self) -> Page | None:
        """Its elements as recipients get them, with MJML compiled and style sheets in place; None without these."""
        if not self.is_html or self.errors or not any(map(is_made, (self.source, *self.parts.values()))):
            return None
        try:
            made = prepared({self.engine_name: self.source}, self.parts, {})
        except SourceError:
            return None
        return page_of(made.sources[self.engine_name])

    @property
    def engine_name(self) -> str:
        """What the engine calls it."""
        return f"@{self.field}.{'html' if self.is_html else 'json' if self.declared.json else 'txt'}"

    @cached_property
    def missing_part(self) -> SourceError | None:
        """Why the layouts and snippets that it names cannot be put in."""
        try:
            reached({self.engine_name: self.source}, self.parts)
        except SourceError as error:
            return error
        return None

    @cached_property
    def errors(self) -> list[tuple[int, str]]:
        """What keeps it from being a template, as ``(line, message)``."""
        return compile_errors(self.source)

    @property
    def uses(self) -> tuple[Use, ...]:
        return () if self.errors else uses(self.source)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A variant with one sample: its content, or in ``error`` why there is none."""

    written: Written
    sample: str
    content: Mapping[str, Any]
    error: RenderError | None = None


def is_made(source: str) -> bool:
    """Is another text made of it when it is compiled?"""
    return "<mj" in source or "<style" in source.lower()


class Reading:
    """What the rules look at; each part is made once, when the first rule asks for it."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    @cached_property
    def known(self) -> list[Written]:
        """The variants whose channel is installed, with those of their sources that are texts."""
        return [_readable(each) for each in self.draft.variants if form_of(each.channel)]

    @cached_property
    def texts(self) -> list[Text]:
        return [text for written in self.known for text in _texts(written)]

    @cached_property
    def channels(self) -> list[str]:
        """Those that something is written for."""
        return list(dict.fromkeys(each.channel for each in self.known))

    def of(self, channel: str) -> Iterator[Written]:
        return (each for each in self.known if each.channel == channel)

    def of_parts(self) -> Iterator[tuple[Written, str, Use]]:
        """What the layouts and snippets of each variant use: the variant, the code of the part, the use."""
        for written in self.known:
            for name, source in written.parts.items():
                for use in uses(source):
                    yield written, name.rpartition(".")[0], use

    @cached_property
    def schema_errors(self) -> list[str]:
        return schema_errors(self.draft.schema)

    @cached_property
    def compiled(self) -> list[tuple[Written, Compiled | RenderError]]:
        """Each variant as the engine that sends takes it, or why it does not."""
        return [(each, _compiled(each)) for each in self.known]

    @cached_property
    def shown(self) -> list[Shown]:
        """Each variant that the engine takes with each sample that is an object."""
        if self.schema_errors:
            return []
        check = Check(self.draft.schema)
        contexts = [
            (name, {**check.with_defaults(params), "unsubscribe_url": LEAVE})
            for name, params in self.draft.samples
            if isinstance(params, dict)
        ]
        return list(_shown(self.compiled, contexts))

    def rendered(self) -> Iterator[tuple[Text, str, Any]]:
        """Each field with each sample: the field, the sample's name and the result."""
        texts = {(text.channel, text.locale, text.field): text for text in self.texts}
        for each in self.shown:
            for field, value in each.content.items():
                text = texts.get((each.written.channel, each.written.locale, field))
                if text is not None:
                    yield text, each.sample, value


def _readable(written: Written) -> Written:
    form = form_of(written.channel)
    fields = form.base_fields if form else {}
    content = {
        name: value
        for name, value in written.content.items()
        if isinstance(value, str) or not isinstance(fields.get(name), TextSource)
    }
    return written._replace(content=content)


def _texts(written: Written) -> Iterator[Text]:
    form = form_of(written.channel)
    for name, declared in form.base_fields.items() if form else ():
        source = written.content.get(name)
        if isinstance(declared, TextSource) and isinstance(source, str) and source:
            yield Text(written.channel, written.locale, name, source, declared, written.parts)


def _compiled(written: Written) -> Compiled | RenderError:
    try:
        return compile_content(written.channel, written.content, parts=written.parts)
    except RenderError as error:
        return error


def _shown(
    compiled: Iterable[tuple[Written, Compiled | RenderError]], contexts: list[tuple[str, dict[str, Any]]]
) -> Iterator[Shown]:
    for written, found in compiled:
        if isinstance(found, RenderError):
            continue
        for name, context in contexts:
            person = {**PERSON, "locale": written.locale}
            try:
                content = found.render({**context, "recipient": person})
                yield Shown(written=written, sample=name, content=content)
            except RenderError as error:
                yield Shown(written=written, sample=name, content={}, error=error)
