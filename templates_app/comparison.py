"""Two versions side by side: what each variant says in its fields, how it looks, and what callers give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pushcenter.dressing import pretty
from templates_app import diff
from templates_app.diff import Row
from templates_app.models import ChangeKind, TemplateVersion, Variant
from templates_app.part_forms import form_of, label_of
from templates_app.pins import pinned
from templates_app.preview import Preview, preview_with
from templates_app.soundness import PublishingError
from templates_app.telling import Line, lines

Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One field, or the variables, or the samples."""

    label: str
    rows: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPair:
    """``state`` is ``same``, ``changed``, ``gone`` or ``new``; ``left`` and ``right`` are how it looks, where it is."""

    label: str
    locale: str
    state: str
    texts: list[Text]
    left: Preview | None = None
    right: Preview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPair:
    """A layout or snippet that both are made with in other versions, by their numbers; None where it is not there."""

    code: str
    left: int | None
    right: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``settings`` are the changes of the template itself between the two: its route is not part of a version."""

    before: TemplateVersion
    after: TemplateVersion
    variants: list[VariantPair]
    data: list[Text]
    parts: list[PartPair]
    settings: list[Line]

    @property
    def changed(self) -> list[VariantPair]:
        return [each for each in self.variants if each.state != "same"]

    @property
    def same(self) -> list[VariantPair]:
        return [each for each in self.variants if each.state == "same"]

    @property
    def is_empty(self) -> bool:
        return not (self.changed or self.data or self.parts or self.settings)


def samples(before: TemplateVersion, after: TemplateVersion) -> dict[str, dict[str, Any]]:
    """The samples of both by their names; those of the later version come first, and count where both have one."""
    found: dict[str, dict[str, Any]] = {}
    for each in [*after.samples, *before.samples]:
        found.setdefault(each["name"], each["params"])
    return found


def compare(before: TemplateVersion, after: TemplateVersion, params: Mapping[str, Any]) -> Comparison:
    """The pictures are made with these parameters on both sides."""
    data = [
        ("variables", pretty(before.variables), pretty(after.variables)),
        ("samples", pretty(before.samples), pretty(after.samples)),
    ]
    return Comparison(
        before=before,
        after=after,
        variants=list(_variants(before, after, params)),
        data=[Text(label=name, rows=found) for name, old, new in data if (found := diff.rows(old, new))],
        parts=list(_parts(before, after)),
        settings=_settings(before, after),
    )


def _variants(
    before: TemplateVersion, after: TemplateVersion, params: Mapping[str, Any]
) -> Iterator[VariantPair]:
    old, new = _by_place(before), _by_place(after)
    looks = [_looks(before, params), _looks(after, params)]
    for place in sorted({*old, *new}):
        left, right = looks[0].get(place), looks[1].get(place)
        texts = list(_texts(old.get(place), new.get(place)))
        state = "new" if place not in old else "gone" if place not in new else "same"
        if state == "same" and (texts or not _alike(left, right)):
            state = "changed"
        yield VariantPair(
            label=str(label_of(place[0])), locale=place[1], state=state, texts=texts, left=left, right=right
        )


def _by_place(version: TemplateVersion) -> dict[Place, Variant]:
    return {(each.channel, each.locale): each for each in version.variants.all()}


def _looks(version: TemplateVersion, params: Mapping[str, Any]) -> dict[Place, Preview]:
    return {(each.variant.channel, each.variant.locale): each for each in preview_with(version, params)}


def _alike(left: Preview | None, right: Preview | None) -> bool:
    """Also where the text is the same, a layout or a snippet within it can be another one."""
    return (left and (left.content, left.error)) == (right and (right.content, right.error))


def _texts(before: Variant | None, after: Variant | None) -> Iterator[Text]:
    variant = after or before
    assert variant is not None  # noqa: S101  (one of both is where the place is from)
    old, new = before.content if before else {}, after.content if after else {}
    form = form_of(variant.channel)
    fields = form.base_fields if form else {}
    for name in dict.fromkeys([*fields, *old, *new]):
        if found := diff.rows(_source(old.get(name)), _source(new.get(name))):
            label = str(fields[name].label) if name in fields and fields[name].label else name
            yield Text(label=label, rows=found)


def _source(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else pretty(value)


def _parts(before: TemplateVersion, after: TemplateVersion) -> Iterator[PartPair]:
    old, new = _made_with(before), _made_with(after)
    ids = {*old.values(), *new.values()}
    numbers = {str(each.pk): each.number for each in TemplateVersion.objects.filter(pk__in=ids)}
    for code in sorted({*old, *new}):
        left, right = old.get(code), new.get(code)
        if left != right:
            yield PartPair(code=code, left=numbers.get(left or ""), right=numbers.get(right or ""))


def _made_with(version: TemplateVersion) -> Mapping[str, str]:
    """For a draft, what would be pinned now; nothing where that is not all there."""
    try:
        return version.parts if version.is_final else pinned(version)
    except PublishingError:
        return {}


def _settings(before: TemplateVersion, after: TemplateVersion) -> list[Line]:
    """Since the older one was sent first, until the newer one took its place."""
    found = after.template.changes.filter(
        kind=ChangeKind.SETTINGS, at__gte=before.published_at or before.created_at
    )
    if after.published_at is not None:
        found = found.filter(at__lte=after.published_at)
    return lines(found)
