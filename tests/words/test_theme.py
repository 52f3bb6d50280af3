"""What the theme says is listed, because it has no translations of its own."""

import io
from pathlib import Path

import django
import unfold
from babel.messages.mofile import read_mo

from pushcenter import theme_words
from tests.words.extract import found

THEME = Path(unfold.__file__).parent
#: Parts of the theme that are for packages which are not installed, and an editor that is not used.
UNUSED = ("constance", "guardian", "import_export", "simple_history", "toolbar.html")


def known_to_django() -> set[str]:
    catalogs = Path(django.__file__).parent.rglob("locale/zh_Hans/LC_MESSAGES/django.mo")
    messages = [each for path in catalogs for each in read_mo(io.BytesIO(path.read_bytes()))]
    return {each.id if isinstance(each.id, str) else each.id[0] for each in messages}


def test_every_word_of_the_theme_is_listed() -> None:
    marked = {message for _line, message, _comments, _context in found(Path(theme_words.__file__))}
    known = known_to_django()
    missing = [
        message
        for path in sorted(THEME.rglob("*"))
        if path.suffix in {".py", ".html"} and not any(part in path.as_posix() for part in UNUSED)
        for _line, message, _comments, _context in found(path)
        if message not in marked and (message if isinstance(message, str) else message[0]) not in known
    ]
    assert missing == []
