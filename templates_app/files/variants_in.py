"""Whether variables, samples and variants of a sheet can be stored at all; lint says more of those that can."""

from collections.abc import Iterator, Mapping
from typing import Any

from templates_app.files.folder import SAMPLES, VARIABLES, Flaw, hint
from templates_app.files.sheet import Sheet
from templates_app.models import TemplateKind
from templates_app.part_forms import form_of, names
from templates_app.samples import samples_error
from templates_app.schema import schema_errors


def content_flaws(sheet: Sheet, *, where: str) -> list[Flaw]:
    """All that cannot be stored, by file."""
    return [*_parameters(sheet, where), *_variants(sheet, where)]


def _parameters(sheet: Sheet, where: str) -> Iterator[Flaw]:
    for message in schema_errors(sheet.variables):
        yield Flaw(path=f"{where}/{VARIABLES}", message=message)
    if message := samples_error(sheet.samples):
        yield Flaw(path=f"{where}/{SAMPLES}", message=message)


def _variants(sheet: Sheet, where: str) -> Iterator[Flaw]:
    is_part = sheet.settings.get("kind", TemplateKind.MESSAGE) != TemplateKind.MESSAGE
    known = names(of_parts=is_part)
    for (channel, locale), content in sheet.variants.items():
        path = f"{where}/{channel}.{locale}.yaml" if locale else f"{where}/{channel}.yaml"
        if channel not in known:
            yield Flaw(path=path, message=f"there is no channel {channel}." + hint(channel, known))
            continue
        yield from (Flaw(path=path, message=each) for each in _fields(channel, content))


def _fields(channel: str, content: Mapping[str, Any]) -> Iterator[str]:
    kind = form_of(channel)
    assert kind is not None  # noqa: S101  (it is one of those that are known)
    fields = kind.base_fields
    for name in content:
        if name not in fields:
            yield f"{name} is no field of {channel}." + hint(name, fields)
    for name, value in content.items():
        if name in fields and not isinstance(value, (str, bool)):
            yield f"{name} is a text: put it in quotes."
    form = kind(dict(content))
    for name, said in form.errors.items():
        yield from (f"{name}: {each}" if name in fields else str(each) for each in said)
