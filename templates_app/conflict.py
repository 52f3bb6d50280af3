"""Two people edit one draft: what differs between what is stored by now and what the second one is about to store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from pushcenter.dressing import pretty
from templates_app import diff, part_forms
from templates_app.locales import normalise
from templates_app.models import TemplateVersion

Place = tuple[str, str]
Contents = Mapping[Place, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: where it is, and its lines, as the other one stored them on the left and as they are here."""

    place: str
    field: str
    rows: list[diff.Row]


def differences(theirs: Contents, mine: Contents) -> Iterator[Difference]:
    """Where the variants of two people are not the same."""
    for place in sorted({*theirs, *mine}):
        kind = part_forms.form_of(place[0])
        labels = {name: str(field.label) for name, field in kind.base_fields.items()} if kind else {}
        label = " · ".join(filter(None, (str(part_forms.label_of(place[0])), place[1])))
        before, after = theirs.get(place, {}), mine.get(place, {})
        for name in dict.fromkeys([*labels, *before, *after]):
            yield from difference(label, labels.get(name, name), before.get(name), after.get(name))


def difference(place: str, field: str, theirs: Any, mine: Any) -> Iterator[Difference]:
    """The one difference between two values of a field; nothing where there is none."""
    if rows := diff.rows(_text(theirs), _text(mine)):
        yield Difference(place, field, rows)


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""
    text = _("yes") if value is True else value if isinstance(value, str) else pretty(value)
    return text.strip()


def completed(data: QueryDict, version: TemplateVersion, *, prefix: str = "variants") -> QueryDict:
    """The same forms in full: of a variant that nobody touched, the page sends only that it is there."""
    rows = {str(each.pk): each for each in version.variants.all()}
    made = data.copy()
    for number in range(_count(data, prefix)):
        start = f"{prefix}-{number}-"
        row = rows.get(data.get(f"{start}id", ""))
        if row is not None:
            made[f"{start}channel"] = row.channel
        if row is not None and f"{start}locale" not in data:
            made[f"{start}locale"] = row.locale
            for name, value in row.content.items():
                made[f"{start}content-{row.channel}-{name}"] = value
    return made


def rebased(data: QueryDict, version: TemplateVersion, *, prefix: str = "variants") -> QueryDict:
    """The same forms, fitted to the variants that are stored now.

    Rows that are gone become new ones, and new ones for which there is a row by now become that row, so that what a
    person wrote is neither lost nor refused because of what another one added or removed. What this person did not
    touch, and the other one removed, is gone.
    """
    rows = {(each.channel, each.locale): str(each.pk) for each in version.variants.all()}
    given = [_Form.of(data, f"{prefix}-{number}-") for number in range(_count(data, prefix))]
    forms = [form for form in given if "locale" in form.values]
    known = set(rows.values())
    for form in forms:
        if form.pk not in known:
            form.pk = rows.get(form.place, "")
    taken: set[str] = set()
    for form in forms:  # two forms cannot be one row
        form.pk = "" if form.pk in taken else form.pk
        taken.add(form.pk)
    ordered = sorted(forms, key=lambda form: not form.pk)
    return _written(data, ordered, prefix)


def _count(data: QueryDict, prefix: str) -> int:
    total = data.get(f"{prefix}-TOTAL_FORMS", "")
    return min(int(total[:9]), 1000) if total.isascii() and total.isdigit() else 0


@dataclass(slots=True)
class _Form:
    pk: str
    place: Place
    values: dict[str, list[Any]]

    @classmethod
    def of(cls, data: QueryDict, prefix: str) -> "_Form":
        values = {
            name.removeprefix(prefix): list(given) for name, given in data.lists() if name.startswith(prefix)
        }
        first = {name: str(given[-1]) for name, given in values.items() if given}
        return cls(
            first.get("id", ""), (first.get("channel", ""), normalise(first.get("locale", ""))), values
        )


def _written(data: QueryDict, forms: Sequence[_Form], prefix: str) -> QueryDict:
    made = data.copy()
    for name in list(made):
        if name.startswith(f"{prefix}-") and name.split("-")[1].isdigit():
            del made[name]
    stored_rows = 0
    for number, form in enumerate(forms):
        stored_rows += bool(form.pk)
        for name, given in {**form.values, "id": [form.pk]}.items():
            made.setlist(f"{prefix}-{number}-{name}", given)
    made[f"{prefix}-INITIAL_FORMS"] = str(stored_rows)
    made[f"{prefix}-TOTAL_FORMS"] = str(len(forms))
    return made
