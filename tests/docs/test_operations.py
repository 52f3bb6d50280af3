"""What docs/operations.md tells an operator to do works as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from pytest_django import Settings

from channels_app.adapters.http import HttpAdapter
from channels_app.models import Account
from channels_app.secrets import UnreadableSecret
from pushcenter.demo.webhooks import new_secret
from pushcenter.roles import ROLES
from tests import factories
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
    assert len(queries) == 5
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)


@pytest.mark.django_db
def test_after_the_change_of_field_keys_the_old_one_is_not_needed(settings: Settings) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    secret = new_secret()
    settings.FIELD_KEYS = [old]
    factories.account("webhook", "http", config={"secret": secret})

    settings.FIELD_KEYS = [new, old]
    _first, *program, _last = block(PAGE, "rotate").splitlines()
    exec(compile("\n".join(program), PAGE.name, "exec"), {})

    settings.FIELD_KEYS = [new]
    adapter = Account.objects.get().connect()
    assert isinstance(adapter, HttpAdapter)
    assert adapter.config["secret"] == secret
    settings.FIELD_KEYS = [old]
    with pytest.raises(UnreadableSecret):
        Account.objects.get().connect()


def test_the_roles_are_those_that_migrate_makes() -> None:
    assert {row[0] for row in table(PAGE, "## Tables, people and keys")} == set(ROLES)
