"""Data folders on which a bundled PostgreSQL can be started."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.embedded.users import User, eventually, is_quiet


@pytest.fixture(scope="session")
def stopped() -> Iterator[Path]:
    """A data folder with a cluster, made once, since initdb is what costs most."""
    with _folder() as data:
        with User(data) as user:
            assert user.answer() == "done"
        yield data


@pytest.fixture
def data(stopped: Path) -> Iterator[Path]:
    """A data folder with a stopped cluster, which other tests use, too."""
    assert eventually(lambda: is_quiet(stopped))
    yield stopped
    assert eventually(lambda: is_quiet(stopped))


@pytest.fixture
def empty() -> Iterator[Path]:
    """A data folder without a cluster, within reach of every account."""
    with _folder() as data:
        yield data
        assert eventually(lambda: is_quiet(data))


@contextmanager
def _folder() -> Iterator[Path]:
    """A data folder to be, in a temporary folder that other accounts may search."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="pushcenter-test-")))
    try:
        folder.chmod(0o755)
        yield folder / "var"
    finally:
        shutil.rmtree(folder)
