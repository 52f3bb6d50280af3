"""Every setting that is read from the environment is described, and none is described that is not read."""

import ast
import re

import pytest

from tests.docs.pages import DOCS, ROOT, codes, prose, table

PAGE = DOCS / "configuration.md"
SECTIONS = re.findall(r"^## .+$", prose(PAGE), re.MULTILINE)


def read() -> set[str]:
    """The first argument of each ``env.<type>("NAME", …)``."""
    tree = ast.parse((ROOT / "pushcenter/settings.py").read_text())
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def described() -> list[list[str]]:
    rows = (row for section in SECTIONS for row in table(PAGE, section))
    return [row for row in rows if len(row) == 4]


def in_example() -> set[str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {match[1] for line in lines if (match := re.match(r"#? ?([A-Z][A-Z0-9_]*)=", line))}


def test_settings_are_found() -> None:
    assert {"DATABASE_URL", "PORT", "HTTPS", "FIELD_KEYS"} <= read()


def test_the_page_describes_the_settings_that_there_are() -> None:
    assert {codes(row[0])[0] for row in described()} == read()


def test_the_example_file_has_the_settings_that_there_are() -> None:
    assert in_example() == read()


@pytest.mark.parametrize("row", described(), ids=lambda row: codes(row[0])[0])
def test_a_setting_has_default_meaning_and_example(row: list[str]) -> None:
    assert all(row)


def test_the_ids_of_the_checks_are_told() -> None:
    given = set(re.findall(r'id="(pushcenter\.[EW]\d+)"', (ROOT / "pushcenter/checks.py").read_text()))
    assert {codes(row[0])[0] for row in table(PAGE, "## Mistakes")} == given
