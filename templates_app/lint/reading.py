"""A draft made ready to be looked at: each field that is filled in, and each variant with each sample."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from channels_app.contract import TextSource
from templates_app.lint.draft import Draft, Written
from templates_app.lint.text import Text, texts_of
from templates_app.part_forms import form_of
from templates_app.preview import LEAVE, PERSON
from templates_app.render import Compiled, RenderError, compile_content
from templates_app.schema import schema_errors
from templates_app.variables import Check


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A variant with one sample: its content, or in ``error`` why there is none."""

    written: Written
    sample: str
    content: Mapping[str, Any]
    error: RenderError | None = None


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
        return [text for written in self.known for text in texts_of(written)]

    @cached_property
    def channels(self) -> list[str]:
        """Those that something is written for."""
        return list(dict.fromkeys(each.channel for each in self.known))

    def of(self, channel: str) -> Iterator[Written]:
        return (each for each in self.known if each.channel == channel)

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
