"""The catalogs of a language: read, brought up to date with the sources, written, and compiled."""

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from tests.words.extract import DOMAINS, ROOT, marked

LANGUAGE = "zh_Hans"
FOLDER = ROOT / "locale" / LANGUAGE / "LC_MESSAGES"
HEADER = """\
# Simplified Chinese for Push Center. docs/translating.md has the glossary, and says how this file is made.
#"""


def path(domain: str) -> Path:
    return FOLDER / f"{domain}.po"


def stored(domain: str) -> Catalog:
    """As it is in its file; empty where there is none yet."""
    if not path(domain).exists():
        return Catalog(locale=LANGUAGE, domain=domain, fuzzy=False)
    with path(domain).open("rb") as file:
        return read_po(file, locale=LANGUAGE, domain=domain)


def compiled(domain: str) -> Catalog:
    with path(domain).with_suffix(".mo").open("rb") as file:
        return read_mo(file)


def messages(catalog: Catalog) -> Iterator[Message]:
    """All but the header."""
    return (each for each in catalog if each.id)


def key(message: Message) -> tuple[object, str | None]:
    return message.id if isinstance(message.id, str) else tuple(message.id), message.context


def renew(domain: str) -> tuple[int, int]:
    """Bring files up to date with the sources; returns how many strings there are, and how many lack a translation.

    Nothing is guessed: a string that was changed is a new one, and the old one is dropped.
    """
    catalog = stored(domain)
    catalog.update(marked(domain), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.header_comment = HEADER
    catalog.project, catalog.version = "Push Center", "1"
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = "Push Center"
    catalog.revision_date = catalog.creation_date
    lines = _written(catalog)
    if not path(domain).exists() or _plain(path(domain).read_bytes()) != _plain(lines):
        FOLDER.mkdir(parents=True, exist_ok=True)
        path(domain).write_bytes(lines)
    write_compiled(domain)
    every = list(messages(catalog))
    return len(every), sum(not is_translated(each) for each in every)


def is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(strings) and not message.fuzzy


def write_compiled(domain: str) -> None:
    catalog = stored(domain)
    for each in [each for each in messages(catalog) if not is_translated(each)]:
        catalog.delete(each.id, each.context)
    with path(domain).with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)


def _written(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=110, sort_by_file=True, include_lineno=False, include_previous=False)
    return buffer.getvalue()


def _plain(lines: bytes) -> list[bytes]:
    """Without the time at which it was made, which is no change."""
    return [line for line in lines.splitlines() if b"-Date:" not in line]


def main() -> None:
    for domain in DOMAINS:
        number, missing = renew(domain)
        print(f"{path(domain).relative_to(ROOT)}: {number} strings, {missing} without a translation")  # noqa: T201
