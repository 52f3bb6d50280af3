"""The Django backend: the settings alone are enough, for queries, for test databases and for the shell."""

import os
import subprocess
import sys
from pathlib import Path

from pushcenter.embedded import database_settings, home
from tests.embedded.users import SOURCE

DJANGO = """
import os, signal, sys
from pathlib import Path
import django
from django.conf import settings
from pushcenter.embedded import database_settings
data = Path(sys.argv[1])
database = database_settings(data, fsync=False)
settings.configure(DATABASES={"default": database | {"OPTIONS": {"pool": "pool" in sys.argv}}}, USE_TZ=True)
django.setup()
from django.core.management import call_command
from django.db import OperationalError, connection
def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()
"""


def test_settings_start_nothing_and_make_no_folder(empty: Path) -> None:
    assert database_settings(empty)["ENGINE"] == "pushcenter.embedded"
    assert not empty.exists()


def test_the_package_is_light_to_import() -> None:
    loaded = _python("import sys, pushcenter.embedded; print({'django', 'psycopg'} & set(sys.modules))")
    assert loaded == "set()"


def test_a_query_starts_the_server(data: Path) -> None:
    assert _django(data, "print(ask('SELECT current_database()'), connection.vendor)") == (
        "('pushcenter',) postgresql"
    )


def test_a_pool_of_connections_starts_the_server(data: Path) -> None:
    assert _django(data, "print(ask('SELECT 1')); connection.close_pool()", "pool") == "(1,)"


def test_a_test_database_is_made_and_removed(data: Path) -> None:
    steps = """
connection.creation.create_test_db(verbosity=0)
print(ask('SELECT current_database()')[0], end=' ')
connection.creation.destroy_test_db('pushcenter', verbosity=0)
print(ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'test%'")[0])
"""
    assert _django(data, steps) == "test_pushcenter 0"


def test_dbshell_reaches_the_database(data: Path) -> None:
    steps = "call_command('dbshell', '--', '--no-psqlrc', '-Atc', 'SELECT current_database()')"
    assert _django(data, f"{steps}; os.environ['PATH'] = '/nowhere'; {steps}") == "pushcenter\npushcenter"


def test_the_next_connection_after_a_crash_finds_the_server(data: Path) -> None:
    steps = """
pid_file = data / "postgres/data/postmaster.pid"
ask("SELECT 1")
os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
try:
    while True:
        ask("SELECT 1")
except OperationalError:
    connection.close()
print(ask("SELECT 2"))
"""
    assert _django(data, steps) == "(2,)"


def test_a_wrong_database_name_is_an_operational_error(data: Path) -> None:
    steps = """
connection.settings_dict["NAME"] = "missing"
try:
    ask("SELECT 1")
except OperationalError as error:
    print('database "missing" does not exist' in str(error))
"""
    assert _django(data, steps) == "True"


def test_a_server_that_cannot_start_is_an_operational_error(empty: Path) -> None:
    empty.mkdir()
    home.place(empty).write_text("mine")
    steps = """
try:
    ask("SELECT 1")
except OperationalError as error:
    print(error)
"""
    assert "is in the way of the bundled PostgreSQL" in _django(empty, steps)


def _django(data: Path, steps: str, *options: str) -> str:
    return _python(DJANGO + steps, str(data), *options)


def _python(code: str, *arguments: str) -> str:
    inherited = filter(None, [os.environ.get("PYTHONPATH")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), *inherited])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
