"""The suite runs on a PostgreSQL of its own: bundled, in a temporary folder, without fsync, gone at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Settle where data live before the settings are read; workers of a parallel run share the first one's."""
    if "PUSHCENTER_TEST_DATA" not in os.environ:
        data = tempfile.mkdtemp(prefix="pushcenter-tests-")
        # Under root the server runs as another user, which has to be able to pass.
        Path(data).chmod(0o711)
        os.environ["PUSHCENTER_TEST_DATA"] = data
        config.add_cleanup(lambda: remove(Path(data)))
    for name in ("DATABASE_URL", "SECRET_KEY", "FIELD_KEYS", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
    os.environ["PUSHCENTER_DATA"] = os.environ["PUSHCENTER_TEST_DATA"]
    os.environ["EMBEDDED_FSYNC"] = "off"
    os.environ["DJANGO_SETTINGS_MODULE"] = "pushcenter.settings"


def remove(data: Path) -> None:
    from pushcenter.embedded import server

    server.leave(data)
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _goodbye() -> Iterator[None]:
    """Close what the adapters opened, as a worker would at its end."""
    yield
    from pushcenter.messaging import loop

    loop.close()
