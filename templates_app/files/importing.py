"""From files to the database: all of them, or none.

A template whose content differs from its newest version gets a new draft, which can be sent to review or published at
once; one that does not differ is left alone. Settings, which have no versions, change at once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction

from templates_app import drafts, lint, publishing
from templates_app.files.folder import SETTINGS, Flaw, Flawed, collisions, files_of, places, sheet_in
from templates_app.files.settings_in import apply
from templates_app.files.sheet import Sheet, newest, sheet_of
from templates_app.files.variants_in import content_flaws
from templates_app.history import note, of_version
from templates_app.models import ChangeKind, Template, TemplateVersion, Variant, VersionState
from templates_app.parts import codes
from templates_app.settings_shown import different, values
from templates_app.soundness import PublishingError

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How to import. ``revision`` is what the history says about where the files come from, such as a commit."""

    submit: bool = False
    publish: bool = False
    create_missing: bool = False
    revision: str = ""
    by: "User | None" = None


@dataclass(slots=True)
class Imported:
    """What came of one template."""

    code: str
    is_new: bool = False
    settings: list[str] = field(default_factory=list)
    version: TemplateVersion | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        return not (self.is_new or self.settings or self.version)


def sheets_in(root: Path) -> dict[PurePosixPath, Sheet]:
    """All templates below a folder; raises :class:`Flawed` with all that cannot be read."""
    found: dict[PurePosixPath, Sheet] = {}
    flaws: list[Flaw] = []
    for place in places(root):
        try:
            found[place] = sheet_in(root, place)
        except Flawed as error:
            flaws += error.flaws
    codes: dict[str, PurePosixPath] = {}
    for place, sheet in found.items():
        other = codes.setdefault(sheet.code, place)
        if other != place:
            flaws.append(Flaw(path=str(place), message=f"{sheet.code} stands in {other}, too"))
    if flaws := [*flaws, *collisions(found)]:
        raise Flawed(flaws)
    return found


def import_(sheets: Mapping[PurePosixPath, Sheet], wanted: Wanted) -> list[Imported]:
    """Store what differs, parts before what uses them; raises :class:`Flawed`, and then nothing is stored."""
    done: list[Imported] = []
    flaws: list[Flaw] = []
    with transaction.atomic():
        for place in _in_order(sheets):
            try:
                with transaction.atomic():
                    done.append(_one(place, sheets[place], wanted))
            except Flawed as error:
                flaws += error.flaws
        if flaws:
            raise Flawed(flaws)
    return done


def _in_order(sheets: Mapping[PurePosixPath, Sheet]) -> list[PurePosixPath]:
    by_code = {sheet.code: place for place, sheet in sheets.items()}
    uses = {
        place: [by_code[code] for code in sorted(codes(sheet.variants.values())) if code in by_code]
        for place, sheet in sheets.items()
    }
    try:
        return [*TopologicalSorter(uses).static_order()]
    except CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise Flawed(
            [Flaw(path=str(error.args[1][0]), message=f"parts name one another: {circle}")]
        ) from None


def _one(place: PurePosixPath, sheet: Sheet, wanted: Wanted) -> Imported:
    where = str(place)
    row = Template.objects.select_related("category", "owner").filter(code=sheet.code).first()
    done = Imported(code=sheet.code, is_new=row is None)
    known_kind = row.kind if row else None
    before = values(row) if row else {}
    row = row or Template(code=sheet.code)
    changed = apply(sheet, row, where=where)
    if known_kind and row.kind != known_kind:
        raise Flawed(
            [Flaw(path=f"{where}/{SETTINGS}", message=f"{sheet.code} is a {known_kind}, and stays one.")]
        )
    changed += _belongs_to(row, sheet.settings, wanted, where=where)
    flaws = content_flaws(sheet, where=where)
    if flaws:
        raise Flawed(flaws)
    row.save()
    if changed and not done.is_new:
        done.settings = changed
        note(
            ChangeKind.SETTINGS,
            template=row,
            by=wanted.by,
            detail={
                "fields": changed,
                "values": different(before, values(row)),
                "revision": wanted.revision,
            },
        )
    done.version = _version(row, sheet, wanted, done, where=where)
    return done


def _belongs_to(row: Template, settings: Mapping[str, Any], wanted: Wanted, *, where: str) -> list[str]:
    """Category and owner, which are there already or are made now."""
    changed = []
    category = _found("recipients.Category", "code", settings["category"], wanted, where=where)
    owner = _found("auth.Group", "name", settings.get("owner"), wanted, where=where)
    if row.category_id != category.pk:
        row.category = category
        changed.append("category")
    if row.owner_id != (owner.pk if owner else None):
        row.owner = owner
        changed.append("owner")
    return changed


def _found(model: str, by: str, value: str | None, wanted: Wanted, *, where: str) -> Any:
    if value is None:
        return None
    rows = apps.get_model(model).objects
    found = rows.filter(**{by: value}).first()
    if found is not None:
        return found
    if not wanted.create_missing:
        what = "category" if by == "code" else "team"
        message = f"there is no {what} {value}; --create-missing makes it"
        raise Flawed([Flaw(path=f"{where}/{SETTINGS}", message=message)])
    made = apps.get_model(model)(**{by: value, "name": value})
    try:
        made.full_clean()
    except ValidationError as error:
        message = f"{value}: {' '.join(error.messages)}"
        raise Flawed([Flaw(path=f"{where}/{SETTINGS}", message=message)]) from None
    made.save()
    return made


def _version(
    row: Template, sheet: Sheet, wanted: Wanted, done: Imported, *, where: str
) -> TemplateVersion | None:
    """The version that came of the files; None where the newest one says the same already."""
    before = newest(row)
    is_same = before is not None and sheet_of(row, before).content == sheet.content
    if is_same and (not (wanted.submit or wanted.publish) or not before or not before.is_editable):
        return None
    version = before if is_same and before else _new_version(row, sheet, wanted)
    found = lint.lint(version)
    done.warnings = [str(each) for each in found if each.severity != lint.Severity.ERROR]
    if errors := [each for each in found if each.severity == lint.Severity.ERROR]:
        raise Flawed(
            Flaw(path=_file_of(each, where), message=each.message, line=each.line) for each in errors
        )
    try:
        if wanted.submit or wanted.publish:
            version = _handed_over(version, wanted)
    except PublishingError as error:
        raise Flawed(Flaw(path=where, message=each) for each in error.problems) from None
    return version


def _handed_over(version: TemplateVersion, wanted: Wanted) -> TemplateVersion:
    if wanted.publish:
        return publishing.publish(version=version, by=wanted.by)
    return drafts.submit(version=version, by=wanted.by) if version.state == VersionState.DRAFT else version


def _new_version(row: Template, sheet: Sheet, wanted: Wanted) -> TemplateVersion:
    version = drafts.new_draft(template=row, by=wanted.by)
    version.variables, version.samples = sheet.variables, sheet.samples
    version.note = f"Imported from {wanted.revision}"[:300] if wanted.revision else "Imported"
    version.save(update_fields=["variables", "samples", "note"])
    Variant.objects.bulk_create(
        Variant(version=version, channel=channel, locale=locale, content=dict(content))
        for (channel, locale), content in sheet.variants.items()
    )
    return of_version(
        ChangeKind.IMPORTED, version, by=wanted.by, digest=_digest(sheet), revision=wanted.revision
    )


def _digest(sheet: Sheet) -> str:
    """Of all files of a template, so that one can tell later from which files a version was made."""
    texts = files_of(sheet)
    return hashlib.sha256("\0".join(f"{name}\0{texts[name]}" for name in sorted(texts)).encode()).hexdigest()


def _file_of(problem: lint.Problem, where: str) -> str:
    """Where a problem of lint stands."""
    if not problem.channel:
        return where
    name = f"{problem.channel}.{problem.locale}" if problem.locale else problem.channel
    return f"{where}/{name}.{problem.field}.html" if problem.field == "html" else f"{where}/{name}.yaml"
