"""One field of a variant: its source, and what is known of it without a message."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from channels_app.contract import TextSource
from templates_app.lint.draft import Written
from templates_app.lint.page import Page, page_of
from templates_app.part_forms import form_of
from templates_app.parts import reached
from templates_app.preparing import prepared
from templates_app.render import compile_errors
from templates_app.source import SourceError
from templates_app.uses import Use, uses


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
        if not self.is_html or self.errors or not any(map(_is_made, (self.source, *self.parts.values()))):
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
            self._reached()
        except SourceError as error:
            return error
        return None

    @cached_property
    def reached(self) -> Mapping[str, str]:
        """The sources of the layouts and snippets that it comes to need, by their codes."""
        found = {} if self.errors or self.missing_part else self._reached()
        return {name.rpartition(".")[0]: each for name, each in found.items() if name != self.engine_name}

    def _reached(self) -> dict[str, str]:
        return reached({self.engine_name: self.source}, self.parts)

    @cached_property
    def errors(self) -> list[tuple[int, str]]:
        """What keeps it from being a template, as ``(line, message)``."""
        return compile_errors(self.source)

    @property
    def uses(self) -> tuple[Use, ...]:
        return () if self.errors else uses(self.source)

    @property
    def uses_of_parts(self) -> Iterator[tuple[str, Use]]:
        """What its layouts and snippets use, each with the code of the part."""
        return ((code, use) for code, source in self.reached.items() for use in uses(source))


def _is_made(source: str) -> bool:
    """Is another text made of it when it is compiled?"""
    return "<mj" in source or "<style" in source.lower()


def texts_of(written: Written) -> Iterator[Text]:
    """The fields of a variant that are filled in."""
    form = form_of(written.channel)
    for name, declared in form.base_fields.items() if form else ():
        source = written.content.get(name)
        if isinstance(declared, TextSource) and isinstance(source, str) and source:
            yield Text(written.channel, written.locale, name, source, declared, written.parts)
