"""The worked example of docs/adding-a-channel.md is run as it stands there, as an installed plug-in."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from channels_app import contract
from tests.docs.pages import DOCS, ROOT, block, codes, table

PAGE = DOCS / "adding-a-channel.md"
#: Where the page says that its code goes.
PLACES = {
    "adapter": "channels_app/adapters/beacon.py",
    "adapter-test": "tests/channels/test_beacon.py",
    "channel": "channels_app/adapters/postcard.py",
}


@pytest.fixture
def plug_in(tmp_path: Path) -> Path:
    """A folder that looks like an installed package to Python, made of what the page says."""
    project = tomllib.loads(block(PAGE, "entry-point"))["project"]
    group, entries = next(iter(project["entry-points"].items()))
    ((name, target),) = entries.items()
    module = target.partition(":")[0]
    (tmp_path / f"{module}.py").write_text(block(PAGE, "adapter"))
    (tmp_path / f"test_{name}.py").write_text(block(PAGE, "adapter-test"))
    about = tmp_path / f"{module}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
    return tmp_path


def test_the_example_passes_its_own_test(plug_in: Path) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            plug_in,
            plug_in,
        ],
        cwd=plug_in,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(plug_in), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_channel_of_ones_own_is_a_channel() -> None:
    names: dict[str, object] = {}
    exec(compile(block(PAGE, "channel"), PAGE.name, "exec"), names)
    channel = names["POSTCARD"]
    assert isinstance(channel, contract.Channel)
    assert channel.normalise(" Li Wei \n\n Shanghai ") == "Li Wei\nShanghai"
    with pytest.raises(ValueError, match="lines of their own"):
        channel.normalise("Li Wei")
    assert set(channel.content.base_fields) == {"greeting", "text"}


@pytest.mark.parametrize(("mark", "place"), PLACES.items())
def test_the_code_keeps_to_the_style_of_the_project(mark: str, place: str) -> None:
    for command in (["check"], ["format", "--diff"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "--stdin-filename", place, "-"],
            cwd=ROOT,
            input=block(PAGE, mark),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_every_error_of_the_contract_is_explained() -> None:
    explained = {
        code.partition("(")[0] for row in table(PAGE, "## What each error means") for code in codes(row[0])
    }
    errors = {
        each.__name__
        for each in contract.ChannelError.__subclasses__()
        if each.__module__ == contract.__name__
    }
    assert explained == errors
