"""From the database to files."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from templates_app.files.folder import Flaw, Flawed, collisions, files_of, is_ours, place_of, places
from templates_app.files.sheet import Sheet, live, newest, sheet_of
from templates_app.models import Template


@dataclass(slots=True)
class Exported:
    """What an export did, by the paths of files below the folder."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0


def stored(codes: Collection[str] = (), *, published: bool = True) -> list[Sheet]:
    """The templates of these codes, or all: with the version that is sent, where there is one, or with the newest.

    Raises :class:`Flawed` for a code that is not there.
    """
    rows = Template.objects.select_related("category", "owner").prefetch_related("versions__variants")
    if codes:
        rows = rows.filter(code__in=codes)
    found = {each.code: each for each in rows}
    if lost := sorted(set(codes) - set(found)):
        raise Flawed(Flaw(path=code, message="there is no such template") for code in lost)
    return [sheet_of(each, (live(each) if published else None) or newest(each)) for each in found.values()]


def export(root: Path, sheets: Iterable[Sheet], *, delete: bool = False) -> Exported:
    """Write what has changed, and nothing else. Of a template that is written, files that it no longer has are removed;
    with ``delete`` also templates that are not among the sheets.

    Raises :class:`Flawed` where two would be one, or one would lead out of the folder; then nothing is written.
    """
    by_place = {place_of(each): each for each in sheets}
    flaws = [*collisions(by_place), *_links(root, by_place)]
    if flaws:
        raise Flawed(flaws)
    done = Exported()
    for place, sheet in sorted(by_place.items(), key=lambda each: str(each[0])):
        _write(root, place, files_of(sheet), done)
    codes = {sheet.code for sheet in by_place.values()}
    for place in [*places(root)] if root.is_dir() else []:
        if place not in by_place and (delete or place.name in codes):  # gone, or moved to another folder
            _remove(root, place, done)
    return done


def _links(root: Path, wanted: Iterable[PurePosixPath]) -> list[Flaw]:
    flaws = []
    for place in wanted:
        steps = [root / Path(*place.parts[: number + 1]) for number in range(len(place.parts))]
        if any(each.is_symlink() or (each.exists() and not each.is_dir()) for each in steps):
            flaws.append(Flaw(path=str(place), message="a link or a file is where its folder has to be"))
    return flaws


def _write(root: Path, place: PurePosixPath, texts: dict[str, str], done: Exported) -> None:
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        path, content = folder / name, text.encode()
        if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
            done.unchanged += 1
            continue
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        done.written.append(str(place / name))
    _clean(root, place, texts, done)


def _clean(root: Path, place: PurePosixPath, kept: Collection[str], done: Exported) -> None:
    """Remove what an earlier export wrote and this one did not."""
    for path in sorted((root / place).iterdir()):
        if path.is_file() and is_ours(path.name) and path.name not in kept:
            path.unlink()
            done.removed.append(str(place / path.name))


def _remove(root: Path, place: PurePosixPath, done: Exported) -> None:
    _clean(root, place, (), done)
    folder = root / place
    while folder != root and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
