"""Every marked string of Python code, templates and scripts, by their files; without a program besides Python."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pushcenter", "templates_app", "channels_app", "analytics_app")
#: A list of what scripts say that are not ours.
THEME_SCRIPTS = ROOT / "pushcenter" / "theme_scripts.py"
#: The catalogs of Django: one for Python and templates, one for scripts.
DOMAINS = ("django", "djangojs")
CODE: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def marked(domain: str) -> Catalog:
    """What the sources of a domain hold."""
    catalog = Catalog(domain=domain)
    for path in sorted(_scripts() if domain == "djangojs" else _sources()):
        place = path.relative_to(ROOT).as_posix()
        for line, message, comments, context in found(path):
            catalog.add(message, locations=[(place, line)], auto_comments=comments, context=context or None)
    return catalog


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            is_code = path.suffix in {".py", ".html", ".txt"} and "migrations" not in path.parts
            if is_code and path != THEME_SCRIPTS:
                yield path


def _scripts() -> Iterator[Path]:
    yield THEME_SCRIPTS
    for path in (ROOT / "static").rglob("*.js"):
        if "vendor" not in path.parts:
            yield path


def found(path: Path) -> Iterator[tuple[int, Any, list[str], str | None]]:
    text = path.read_text(encoding="utf-8")
    method = "javascript" if path.suffix == ".js" else "python"
    if path.suffix in {".html", ".txt"}:
        text = _flat(text)
    source = io.BytesIO(text.encode())
    yield from extract(method, source, keywords=CODE, comment_tags=["Translators:"])


def _flat(template: str) -> str:
    """A template as code in which all but its strings is blotted out; without the indents, which mean nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return "\n".join(line.strip() for line in templatize(template).split("\n"))
