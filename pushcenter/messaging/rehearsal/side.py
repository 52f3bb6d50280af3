"""One of the two versions of a rehearsal: each of its variants compiled once."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from channels_app.contract import TextSource
from pushcenter.faults import Fault
from pushcenter.messaging.rehearsal.sets import Set
from templates_app import parts
from templates_app.models import TemplateVersion, Variant
from templates_app.part_forms import form_of
from templates_app.render import Compiled, RenderError, choose_variant, compile_content
from templates_app.schema import schema_errors
from templates_app.variables import Check

Content = Mapping[str, Any]


class Side:
    """A version as intake and dispatch would take it, were it the published one."""

    def __init__(self, version: TemplateVersion) -> None:
        self.version = version
        self.variants = list(version.variants.all())
        self.channels = sorted({variant.channel for variant in self.variants})
        self.check = Check({} if schema_errors(version.variables) else version.variables)
        self._chosen: dict[tuple[str, str], Variant | None] = {}
        self._compiled: dict[UUID, Compiled | RenderError] = {}

    def faults(self, params: Mapping[str, Any]) -> list[Fault]:
        return self.check.faults(params)

    def variant(self, channel: str, locale: str) -> Variant | None:
        key = channel, locale
        if key not in self._chosen:
            self._chosen[key] = choose_variant(self.variants, channel=channel, locale=locale)
        return self._chosen[key]

    def content(self, variant: Variant, each: Set) -> Content:
        """What it says; raises :class:`RenderError`."""
        compiled = self._of(variant)
        if isinstance(compiled, RenderError):
            raise compiled.with_traceback(None)  # it would grow with each set
        return compiled.render({**self.check.with_defaults(each.params), **each.provided})

    def _of(self, variant: Variant) -> Compiled | RenderError:
        found = self._compiled.get(variant.pk)
        if found is None:
            try:
                found = compile_content(variant.channel, variant.content, parts=parts.of_variant(variant))
            except RenderError as error:
                found = error
            self._compiled[variant.pk] = found
        return found

    def sources(self, channel: str) -> Iterator[str]:
        """All that is written for a channel in any language, with its layouts and snippets."""
        form = form_of(channel)
        fields = form.base_fields if form else {}
        for variant in self.variants:
            if variant.channel == channel:
                named = [name for name, field in fields.items() if isinstance(field, TextSource)]
                yield from (variant.content[name] for name in named if variant.content.get(name))
                yield from parts.of_variant(variant).values()
