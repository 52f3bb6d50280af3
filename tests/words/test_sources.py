"""The sources themselves: templates say nothing that is not marked, and code puts nothing together too early."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.words.extract import PACKAGES, ROOT
from tests.words.pages import Words

#: Pages of the trial's own mail sink and webhook receiver, which are no part of the console.
OTHERS = ROOT / "pushcenter" / "demo"
MARKED = re.compile(r"{% blocktrans(?:late)?\b.*?{% endblocktrans(?:late)? %}", re.DOTALL)
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}", re.DOTALL)
TAG = re.compile(r"{[{%].*?[%}]}", re.DOTALL)
WORD = re.compile(r"[^\W\d_]{2,}")
#: What is written the same in every language, and parts of names and code.
SAME = {"JSON", "HTML", "CSV", "ID", "Push Center", "POST", "Authorization: Bearer …", "px"}
#: Makes a string of what should stay open until the language is known.
LAZY = {"_", "gettext_lazy", "pgettext_lazy", "ngettext_lazy"}


def templates() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.html")]
    return sorted(path for path in found if OTHERS not in path.parents)


def modules() -> list[Path]:
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", templates(), ids=name)
def test_a_template_says_nothing_that_is_not_marked(path: Path) -> None:
    source = COMMENT.sub("", MARKED.sub("", path.read_text(encoding="utf-8")))
    words = Words()
    words.feed(TAG.sub("", source))
    left = [text for text in words.texts - SAME if WORD.search(text)]
    assert left == []


def test_nothing_is_put_together_before_the_language_is_known() -> None:
    """Outside of functions a marked string is a promise; what is made of it there is English for ever."""
    early = [f"{name(path)}:{line}" for path in modules() for line in _early(ast.parse(path.read_bytes()))]
    assert early == []


def _early(node: ast.AST) -> Iterator[int]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.BinOp) and (_is_marked(child.left) or _is_marked(child.right)):
            yield child.lineno
        if isinstance(child, ast.FormattedValue) and _is_marked(child.value):
            yield child.lineno
        if isinstance(child, ast.Attribute) and _is_marked(child.value):
            yield child.lineno
        yield from _early(child)


def _is_marked(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in LAZY
