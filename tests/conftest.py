"""What the whole suite shares; tests/settings.py settles its database."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.settings import MARK


def pytest_configure(config: pytest.Config) -> None:
    # Programs that tests start take the project's own settings; what they need is in the environment by now.
    os.environ["DJANGO_SETTINGS_MODULE"] = "pushcenter.settings"
    if not hasattr(config, "workerinput"):  # only the process that made the folder removes it
        config.add_cleanup(lambda: _remove(Path(os.environ[MARK])))


def pytest_collection_finish() -> None:
    # What is loaded by now stays to the end: the collector of garbage need not look through it again and again.
    gc.freeze()


def _remove(data: Path) -> None:
    from pushcenter.embedded import server

    server.leave(data)
    shutil.rmtree(data, ignore_errors=True)


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
