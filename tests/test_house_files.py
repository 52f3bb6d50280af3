"""The files around the code say what the code says."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PINNED = re.compile(r"^([a-z0-9-]+)==\S+", re.MULTILINE)


def declared(lock: str) -> set[str]:
    """The packages that pyproject.toml asks for and this lock has to pin."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        wanted += project["dependency-groups"]["dev"]
    return {canonicalize_name(Requirement(each).name) for each in wanted}


def test_the_example_of_settings_names_every_setting_and_no_other() -> None:
    read = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', (ROOT / "pushcenter" / "settings.py").read_text()))
    shown = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert shown == read


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_dependency_with_hashes_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    pinned = PINNED.findall(text)
    assert declared(lock) <= set(pinned)
    for entry in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry
    assert not re.search(r"https?:|file:|--index-url|--find-links|(?<![\w.-])/\w", text)


def test_both_locks_pin_the_same_versions() -> None:
    run, dev = (
        dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    )
    assert run.items() <= dev.items()


def test_every_target_of_the_makefile_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert explained == {name for name in phony[1].split() if not name.startswith("environment")}
