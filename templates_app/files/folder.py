"""The layout of a folder of templates.

Each template has a folder with its code as the name, in that of its ``folder``::

    shop/orders/order-paid/template.yaml         settings: name, category, route …
                           variables.yaml        the JSON Schema of its parameters
                           samples.yaml          sets of parameters, each with a name
                           email.yaml            the default variant of a channel
                           email.html.html       its field ``html``, as it is
                           email.zh-hans.yaml    the variant of a language

Fields with HTML stand in files of their own, byte by byte; all others in the variant's YAML.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from channels_app.contract import TextSource
from templates_app.files.sheet import Place, Sheet
from templates_app.files.yaml_text import LARGEST, NotReadable, read, written
from templates_app.part_forms import form_of
from templates_app.spelling import nearest

SETTINGS, VARIABLES, SAMPLES = "template.yaml", "variables.yaml", "samples.yaml"
_VARIANT = re.compile(r"(?P<channel>[a-z][a-z0-9_]*)(?:\.(?P<locale>[a-z]{2,3}(?:-[a-z0-9]{1,8})*))?\.yaml")
_FIELD = re.compile(
    r"(?P<channel>[a-z][a-z0-9_]*)(?:\.(?P<locale>[a-z]{2,3}(?:-[a-z0-9]{1,8})*))?\.(?P<field>[a-z_]{4,})\.html"
)
_CODE = re.compile(r"[-a-zA-Z0-9_]{1,80}")
#: So deep is looked for templates.
DEEPEST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """Something in a file that cannot be. ``line`` counts from 1; 0 where no line is to blame."""

    path: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}" if self.line else f"{self.path}: {self.message}"


class Flawed(Exception):
    """Files that cannot be taken as they are, with all that is wrong."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = list(flaws)
        super().__init__("\n".join(map(str, self.flaws)))


def place_of(sheet: Sheet) -> PurePosixPath:
    """The folder of a template; raises :class:`Flawed` where its name would lead elsewhere."""
    place = PurePosixPath(sheet.folder, sheet.code)
    if place.is_absolute() or ".." in place.parts or "\\" in str(place):
        raise Flawed([Flaw(path=str(place), message="this is no name of a folder")])
    return place


def files_of(sheet: Sheet) -> dict[str, str]:
    """The texts of a template by the names of their files."""
    found = {
        SETTINGS: written(dict(sheet.settings)),
        VARIABLES: written(sheet.variables),
        SAMPLES: written(sheet.samples),
    }
    for (channel, locale), content in sorted(sheet.variants.items()):
        name = f"{channel}.{locale}" if locale else channel
        apart = {
            field for field in content if field in _html_fields(channel) and isinstance(content[field], str)
        }
        found[f"{name}.yaml"] = written(
            {field: value for field, value in content.items() if field not in apart}
        )
        found |= {f"{name}.{field}.html": content[field] for field in sorted(apart)}
    return found


def _html_fields(channel: str) -> set[str]:
    form = form_of(channel)
    fields = form.base_fields if form else {}
    return {
        name
        for name, field in fields.items()
        if isinstance(field, TextSource) and field.html and len(name) >= 4
    }


def is_ours(name: str) -> bool:
    """Whether a file in the folder of a template is one that an export writes."""
    return name in {SETTINGS, VARIABLES, SAMPLES} or bool(_VARIANT.fullmatch(name) or _FIELD.fullmatch(name))


def places(root: Path) -> Iterator[PurePosixPath]:
    """The folders of templates below a folder, in order. Links are not followed, and hidden folders passed over."""

    def look(folder: Path, depth: int) -> Iterator[PurePosixPath]:
        if (folder / SETTINGS).is_file():
            yield PurePosixPath(folder.relative_to(root).as_posix())
            return
        if depth == DEEPEST:
            return
        for inner in sorted(folder.iterdir()):
            if inner.is_dir() and not inner.is_symlink() and not inner.name.startswith("."):
                yield from look(inner, depth + 1)

    yield from look(root, 0)


def sheet_in(root: Path, place: PurePosixPath) -> Sheet:
    """The template in a folder; raises :class:`Flawed` with all that cannot be read."""
    texts, flaws = _texts(root / place, place)
    data, unreadable = _data(texts, place)
    variants, strange = _variants(data, texts, place)
    flaws += [*unreadable, *strange]
    if not _CODE.fullmatch(place.name):
        flaws.append(Flaw(path=str(place), message="the folder's name has to be the code of a template"))
    if not isinstance(data.get(SETTINGS), dict) and not flaws:
        flaws.append(Flaw(path=str(place / SETTINGS), message="write the settings by their names"))
    if flaws:
        raise Flawed(flaws)
    given = {"variables": data[VARIABLES]} if VARIABLES in data else {}
    given |= {"samples": data[SAMPLES] or []} if SAMPLES in data else {}
    folder = "" if str(place.parent) == "." else str(place.parent)
    return Sheet(code=place.name, folder=folder, settings=data[SETTINGS], variants=variants, **given)


def _data(texts: Mapping[str, str], place: PurePosixPath) -> tuple[dict[str, Any], list[Flaw]]:
    data: dict[str, Any] = {}
    flaws = []
    for name in [each for each in texts if each.endswith(".yaml")]:
        try:
            data[name] = read(texts[name])
        except NotReadable as error:
            flaws.append(Flaw(path=str(place / name), message=str(error), line=error.line))
    return data, flaws


def _variants(
    data: Mapping[str, Any], texts: Mapping[str, str], place: PurePosixPath
) -> tuple[dict[Place, dict[str, Any]], list[Flaw]]:
    variants: dict[Place, dict[str, Any]] = {}
    flaws = []
    for name in sorted(set(data) - {SETTINGS, VARIABLES, SAMPLES}):
        content = {} if data[name] is None else data[name]
        if not isinstance(content, dict):
            flaws.append(
                Flaw(path=str(place / name), message="write the fields of the variant by their names")
            )
            content = {}
        variants[_place(_VARIANT, name)] = content
    for name in sorted(each for each in texts if each.endswith(".html")):
        field = name.split(".")[-2]
        content = variants.setdefault(_place(_FIELD, name), {})
        if field in content:
            flaws.append(Flaw(path=str(place / name), message="the field stands in the variant's YAML, too"))
        content[field] = texts[name]
    return variants, flaws


def _place(pattern: re.Pattern[str], name: str) -> Place:
    match = pattern.fullmatch(name)
    assert match is not None  # noqa: S101  (only files with such names were read)
    return match["channel"], match["locale"] or ""


def _texts(folder: Path, place: PurePosixPath) -> tuple[dict[str, str], list[Flaw]]:
    texts: dict[str, str] = {}
    flaws: list[Flaw] = []
    for path in sorted(folder.iterdir()):
        where = str(place / path.name)
        if path.is_dir() or path.name.startswith("."):
            continue
        if not is_ours(path.name):
            if message := _strange(path.name):
                flaws.append(Flaw(path=where, message=message))
            continue
        if path.is_symlink() or not path.is_file():
            flaws.append(Flaw(path=where, message="this is no ordinary file"))
        elif path.stat().st_size > LARGEST:
            flaws.append(Flaw(path=where, message=f"this is larger than {LARGEST:,} bytes"))
        else:
            try:
                texts[path.name] = path.read_bytes().decode()
            except UnicodeDecodeError:
                flaws.append(Flaw(path=where, message="this is no text in UTF-8"))
    return texts, flaws


def _strange(name: str) -> str:
    """What to say of a file that looks as if it belonged to the template, and would be passed over."""
    if not name.endswith((".yaml", ".yml", ".html")):
        return ""
    rule = "a file of a variant is named CHANNEL.yaml, CHANNEL.LOCALE.yaml or CHANNEL.LOCALE.FIELD.html."
    return rule + hint(name, [SETTINGS, VARIABLES, SAMPLES])


def hint(name: object, known: Collection[str]) -> str:
    """What may be meant by a name that is not known, as the end of what is said of it."""
    near = nearest(str(name), known)
    return f" Did you mean {near}?" if near else ""


def collisions(by_place: Mapping[PurePosixPath, Sheet]) -> list[Flaw]:
    """Folders that are one and the same where capitals make no difference."""
    known: dict[str, PurePosixPath] = {}
    flaws = []
    for place in by_place:
        other = known.setdefault(str(place).casefold(), place)
        if other != place:
            flaws.append(Flaw(path=str(place), message=f"this and {other} are one folder on some computers"))
    return flaws
