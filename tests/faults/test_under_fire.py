"""The short run of the harness: everything is killed at random under load, and nothing is lost or doubled unmarked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.plan import SHORT
from tests.faults.site import ROOT


@pytest.mark.timeout(SHORT.limit + 30)
def test_nothing_is_lost_while_everything_is_killed(tmp_path: Path) -> None:
    figures = tmp_path / "latest.json"
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--short", "--seed", "7", "--figures", figures],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SHORT.limit + 15,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-6000:]
    told = json.loads(figures.read_text())
    assert told["acknowledged"] >= SHORT.messages
    assert told["kills"] == 11  # each kind once
    # Trouble there was: else nothing has been tried.
    assert told["repeated_by_id"] + told["duplicates_marked"] > 0
