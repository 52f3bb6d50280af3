"""What docs/operations.md tells an operator to do works as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from pushcenter.roles import ROLES
from tests.docs.pages import DOCS, ROOT, block, table

PAGE = DOCS / "operations.md"


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """The environment that the page's own lines write down, and nothing else of ours."""
    script = ["bash", "-euo", "pipefail", "-c", block(PAGE, "production")]
    subprocess.run(script, cwd=tmp_path, check=True)
    written = tmp_path / "pushcenter.env"
    assert written.stat().st_mode & 0o077 == 0
    settings = dict(line.split("=", 1) for line in written.read_text().splitlines())
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | settings


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_production_environment_passes_every_check_without_a_database(production: dict[str, str]) -> None:
    run = manage(production, "check", "--deploy", "--fail-level", "WARNING")
    assert run.returncode == 0, run.stderr
    assert "no issues" in run.stdout


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS"])
def test_a_key_that_is_missing_is_said_in_one_line(production: dict[str, str], name: str) -> None:
    del production[name]
    run = manage(production, "check")
    assert run.returncode == 1
    assert name in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.django_db
def test_the_queries_are_understood_by_the_database() -> None:
    queries = [query for query in block(PAGE, "queries").split(";") if query.strip()]
    assert len(queries) == 6
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)


def test_the_roles_are_those_that_migrate_makes() -> None:
    assert {row[0] for row in table(PAGE, "## Tables, people and keys")} == set(ROLES)
