"""What the whole suite shares; tests/settings.py settles its database."""

import gc
import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.settings import MARK

ROOT = Path(__file__).parent

#: What takes many seconds and leaves alone the database of the tests. A worker begins with it, so that none is left
#: alone with it at the end; what commits to that database stays behind those tests that do not.
LONG = ("faults/test_under_fire.py", "flow/test_first_run.py")


def pytest_configure(config: pytest.Config) -> None:
    # Programs that tests start take the project's own settings; what they need is in the environment by now.
    os.environ["DJANGO_SETTINGS_MODULE"] = "pushcenter.settings"
    if not hasattr(config, "workerinput"):  # only the process that made the folder removes it
        config.add_cleanup(lambda: _remove(Path(os.environ[MARK])))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal out what is long; ``--dist worksteal`` gives each worker a share of the list, one after the other."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    by_file: dict[str, list[pytest.Item]] = {name: [] for name in LONG}
    others: list[pytest.Item] = []
    for item in items:
        by_file.get(item.path.relative_to(ROOT).as_posix(), others).append(item)
    long = [item for those in by_file.values() for item in those]
    size = len(items) // workers
    shares = [long[number::workers] for number in range(workers)]
    items.clear()
    for number, share in enumerate(shares, start=1):
        rest = len(others) if number == workers else max(0, size - len(share))
        items += share + others[:rest]
        del others[:rest]


def pytest_collection_finish() -> None:
    # What is loaded by now stays to the end: the collector of garbage need not look through it again and again.
    gc.freeze()


def _remove(data: Path) -> None:
    from pushcenter.embedded import server

    server.leave(data)
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> Iterator[None]:
    """Of parallel workers, one migrates."""
    from django.db import connection

    from tests import shared

    with pytest.MonkeyPatch.context() as patch:
        if hasattr(request.config, "workerinput"):
            migrate = connection.creation.create_test_db
            patch.setattr(connection.creation, "create_test_db", partial(shared.create, migrate))
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database of this process, which tests that commit leave as it is now."""
    from django.test import TransactionTestCase

    from tests import pristine

    with django_db_blocker.unblock():
        pristine.remember()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", pristine.restore)
        yield


@pytest.fixture(autouse=True)
def _no_second_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test changes takes effect at its next call."""
    from channels_app.traffic import traffic
    from pushcenter import held
    from pushcenter.messaging import stops

    traffic.forget()
    monkeypatch.setattr(held, "CHECK_EVERY", 0.0)
    monkeypatch.setattr(stops, "ASK_EVERY", 0.0)


@pytest.fixture(scope="session", autouse=True)
def _goodbye() -> Iterator[None]:
    """Close what the adapters opened, as a worker would at its end."""
    yield
    from pushcenter.messaging import loop

    loop.close()
